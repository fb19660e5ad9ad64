from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference import registry
from inference.training.cil import AnnotatedCell, read_voc
from tests.conftest import CIL

# Held-out cells of different cases, taken evenly from val.txt.
HELD_OUT = ("1053931", "1056063", "1056891", "1070723", "1091162")


@pytest.fixture(scope="session")
def configuration() -> Any:
    return SimpleNamespace(
        device="cpu",
        detector_weights="",
        classifier="shipped",
        segmenter="threshold",
        sam_checkpoint="",
        sam_model_type="vit_b",
        worker_threads=1,
    )


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped detector as `manage.py models export` writes it for ONNX Runtime, at the size it is used at."""
    from inference.backends import weights
    from inference.backends.export import export_onnx

    entry = weights.entries("detector")[0]
    target = tmp_path_factory.mktemp("exported") / "detector.onnx"
    export_onnx(weights.checked(entry, "torch")[0], target, int(entry["imgsz"]))
    return target


@pytest.fixture(scope="session")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> list[AnnotatedCell]:
    """Real cells that no training saw, with their boxes."""
    return annotated(HELD_OUT, tmp_path_factory.mktemp("cil"))


def shipped(configuration: Any) -> dict[str, Any]:
    """All models of the program as it comes, as `analyse` takes them."""
    configuration = SimpleNamespace(**vars(configuration) | {"segmenter": "shipped"})
    detector, segmenter = registry.detector(configuration), registry.segmenter(configuration)
    classifier = registry.classifier(configuration)
    return {
        "detector": detector,
        "segmenter": segmenter,
        "classifier": classifier,
        "judge": registry.judge(configuration, detector, segmenter, classifier),
        "calibration": registry.calibration(detector, classifier, segmenter),
    }


def annotated(names: Sequence[str], folder: Path) -> list[AnnotatedCell]:
    """Cells of the public set by their names.  folder: for their annotations."""
    import tarfile

    with tarfile.open(CIL / "annotations.tar.gz") as archive:
        wanted = [member for member in archive.getmembers() if member.name.rsplit("/", 1)[-1][:-4] in names]
        archive.extractall(folder, wanted, filter="data")
    annotations = {path.stem: path for path in folder.rglob("*.xml")}
    return [AnnotatedCell(name, CIL / "JEPG" / f"{name}.jpg", *read_voc(annotations[name])) for name in names]


def public_layout(cells: Sequence[AnnotatedCell], folder: Path) -> None:
    """Lays them out as the public download does, val.txt with their names."""
    import tarfile

    home = folder / "24_chromosomes_object"
    (home / "annotations").mkdir(parents=True)
    (home / "JEPG").symlink_to(cells[0].image.parent)
    with tarfile.open(CIL / "annotations.tar.gz") as archive:
        for each in cells:
            member = next(name for name in archive.getnames() if name.endswith(f"/{each.name}.xml"))
            unpacked = archive.extractfile(member)
            assert unpacked is not None
            (home / "annotations" / f"{each.name}.xml").write_bytes(unpacked.read())
    (folder / "val.txt").write_text("\n".join(each.name for each in cells))


def drawn_cell(count: int = 8, seed: int = 1) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Dark bent bars on a light, uneven ground.  Pixels, boxes, true masks."""
    import cv2

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:360, :480]
    pixels = 225 - 0.03 * x - 0.02 * y + rng.normal(0, 2, (360, 480))
    boxes, masks = [], []
    for number in range(count):
        mask = np.zeros((360, 480), np.uint8)
        column, row = 60 + 120 * (number % 4), 80 + 130 * (number // 4)
        turn = rng.uniform(0, np.pi)
        end = np.array([np.cos(turn), np.sin(turn)]) * rng.uniform(18, 40)
        first, last = (np.array([column, row]) + sign * end for sign in (-1, 1))
        cv2.line(mask, tuple(map(int, first)), tuple(map(int, last)), 1, 13)
        bands = 90 + 30 * np.sin((x * np.cos(turn) + y * np.sin(turn)) / 3)
        pixels = np.where(mask > 0, bands, pixels)
        rows, columns = np.nonzero(mask)
        boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        masks.append(mask.astype(bool))
    smooth = cv2.GaussianBlur(np.clip(pixels, 0, 255).astype(np.uint8), (0, 0), 1.0)
    return smooth, np.array(boxes, np.float32), masks


def looking(detector: Any, turns: Sequence[int], at_once: int = 1, engine: Any = None) -> Any:
    """A YOLOv10 detector with the same weights and numbers, which looks at a picture in these quarter turns.  engine:
    another than the detector's own."""
    from inference.backends.yolov10 import Yolov10Detector

    return Yolov10Detector(
        engine or detector._engine, detector.info, side=detector.side, threshold=detector.threshold,
        merge_iou=detector.merge_iou, apart=detector.apart, turns=turns, at_once=at_once,
    )  # fmt: skip
