"""What the crop classifier is trained on: the detector's candidates in annotated cells, cut and turned upright.

They are made as the pipeline makes them (detector, segmenter, crops), down to candidates so faint that most are no
chromosome, so that the classifier learns what it will be asked: which class, and whether the box holds one whole
chromosome at all.  One file a cell in a git-ignored folder; cells that are there are skipped, so that an interrupted
run goes on, and several processes can share the work (`--part 1/2`, `--part 2/2`).

A cell has few heaps, and there most goes wrong.  `--laid` makes further files of the same cells, NAME-laid, with some
of their own chromosomes laid once more across and upon the others (inference.training.laid).

Cutting with the shipped segmenter takes a second and more a cell.  `--plain` takes a tenth: only annotated boxes,
jittered as a detector errs, cut by intensity.  It is for the cells for which there is no time.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tqdm import tqdm

from inference.backends.boxes import overlap
from inference.labels import CHROMOSOMES
from inference.stages.crops import surely_there, upright_crops
from inference.stages.framed import Frame
from inference.training.cil import AnnotatedCell, read_grey, read_split
from inference.training.laid import once_more

_JITTER = 0.025  # of a box's size, standard deviation of each side
FAINTEST = 0.002  # detector's score down to which candidates are taken


def looked_at(
    cell: AnnotatedCell, detector: Any, segmenter: Any, frame: Frame | None = None, pixels: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """One row a candidate: crops uint8 (n, CHANNELS, HEIGHT, WIDTH); boxes float32 (n, 4); scores float32 (n,);
    detector float32 (n, 24), its probabilities; classes int64 (n,), the annotated class of the chromosome whose box
    overlaps most, −1 where none overlaps by half; iou float32 (n,) with it; own bool (n,), whether this candidate is
    the one that stands for it; windows int32 (n, 4) left, top, rows, columns of the mask, areas int32 (n,), cuts
    float32 (n,), the mask's score.

    frame: how boxes are drawn around cut-outs before they are held against the annotated ones, so that "one whole
    chromosome" tells of a poor cut as of a poor box; without one the detector's are.  pixels: uint8 (h, w), where they
    are not the picture's own."""
    from inference.evaluation.cells import match
    from inference.stages.cut import cut_all
    from inference.stages.scale import detect_at_usual_scale

    pixels = read_grey(cell.image) if pixels is None else pixels
    found = detect_at_usual_scale(detector, pixels)
    found, masks = cut_all(pixels, found, segmenter, leftover=True)
    areas = [int(mask.bits.sum()) for mask in masks]
    drawn = found.boxes if frame is None else frame.around(found.boxes, masks, (pixels.shape[0], pixels.shape[1]))
    shared = overlap(drawn, cell.boxes)
    nearest = shared.argmax(axis=1) if len(found) else np.zeros(0, int)
    iou = shared.max(axis=1) if len(found) else np.zeros(0)
    own = np.zeros(len(found), bool)
    for row, column in match(drawn, cell.boxes):
        own[row], nearest[row], iou[row] = True, column, shared[row, column]
    return {
        "crops": upright_crops(pixels, found.boxes, masks, surely_there(areas, found.scores), found.scores),
        "boxes": found.boxes,
        "scores": found.scores,
        "detector": found.probabilities,
        "classes": np.where(iou >= 0.5, cell.classes[nearest], -1).astype(np.int64),
        "iou": iou.astype(np.float32),
        "own": own,
        "windows": np.array([[mask.left, mask.top, *mask.bits.shape] for mask in masks], np.int32).reshape(-1, 4),
        "areas": np.array(areas, np.int32),
        "cuts": np.array([mask.score for mask in masks], np.float32),
    }


def plain(cell: AnnotatedCell, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """As `looked_at`, of the annotated boxes alone, jittered, cut by intensity."""
    from inference.backends.threshold import ThresholdSegmenter

    pixels = read_grey(cell.image)
    sizes = np.tile(cell.boxes[:, 2:] - cell.boxes[:, :2], 2)
    boxes = (cell.boxes + rng.normal(0, _JITTER, sizes.shape) * sizes).astype(np.float32)
    masks = ThresholdSegmenter().segment(pixels, boxes)
    count = len(boxes)
    return {
        "crops": upright_crops(pixels, boxes, masks),
        "boxes": boxes,
        "scores": np.ones(count, np.float32),
        "detector": np.full((count, len(CHROMOSOMES)), 1 / len(CHROMOSOMES), np.float32),
        "classes": cell.classes,
        "iou": overlap(boxes, cell.boxes).diagonal().astype(np.float32),
        "own": np.ones(count, bool),
        "windows": np.array([[mask.left, mask.top, *mask.bits.shape] for mask in masks], np.int32).reshape(-1, 4),
        "areas": np.array([int(mask.bits.sum()) for mask in masks], np.int32),
        "cuts": np.array([mask.score for mask in masks], np.float32),
    }


def make(
    data: Path,
    split: str,
    out: Path,
    *,
    part: int = 1,
    parts: int = 1,
    most: int = 0,
    threads: int = 0,
    without_models: bool = False,
    laid: bool = False,
    marked_off: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Writes out/SPLIT/NAME.npz for every parts-th of the first `most` cells (0: all) in an order drawn once.  laid,
    marked_off: NAME-laid.npz instead, as `laid.once_more` takes it."""
    import cv2

    cv2.setNumThreads(1)
    cells = read_split(data, split)
    random.Random(11).shuffle(cells)
    folder = out / split
    folder.mkdir(parents=True, exist_ok=True)
    look = (lambda cell, rng, _: plain(cell, rng)) if without_models else _by_models(threads)
    rng = np.random.default_rng(part)
    for cell in tqdm(cells[: most or None][part - 1 :: parts], desc=split, mininterval=60):
        path = folder / f"{cell.name}{'-laid' * laid}.npz"
        if path.exists():
            continue
        seen, pixels = once_more(cell, marked_off) if laid else (cell, None)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **look(seen, rng, pixels))  # type: ignore[arg-type]
        temporary.replace(path)


def _by_models(
    threads: int,
) -> Callable[[AnnotatedCell, np.random.Generator, np.ndarray | None], dict[str, np.ndarray]]:
    from inference import registry

    configuration: Any = SimpleNamespace(
        device="cpu", detector_weights="", classifier="none", segmenter="shipped", sam_checkpoint="",
        sam_model_type="vit_b", worker_threads=threads,
    )  # fmt: skip
    detector: Any = registry.detector(configuration)
    detector.threshold = FAINTEST
    segmenter = registry.segmenter(configuration)
    frame = registry.calibration(detector, None, segmenter).frame
    return lambda cell, _, pixels: looked_at(cell, detector, segmenter, frame, pixels)


def load(folder: Path, split: str) -> dict[str, np.ndarray]:
    """Every cell that is there, joined: as `looked_at`, and cells int64 (n,), the number of each row's cell."""
    joined: dict[str, list[np.ndarray]] = {}
    files = sorted(path for path in (folder / split).glob("*.npz") if not path.name.endswith(".tmp.npz"))
    if not files:
        raise FileNotFoundError(f"There are no candidates in {folder / split}.")
    for number, path in enumerate(files):
        with np.load(path) as rows:
            for name in rows.files:
                joined.setdefault(name, []).append(rows[name])
            joined.setdefault("cells", []).append(np.full(len(rows["scores"]), number))
    return {name: np.concatenate(parts) for name, parts in joined.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("training-runs/candidates"))
    parser.add_argument("--part", default="1/1", metavar="K/N", help="this process's share of the cells")
    parser.add_argument("--split", default="train")
    parser.add_argument("--most", type=int, default=0, help="cells; 0 for all")
    parser.add_argument("--threads", type=int, default=1)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--plain", action="store_true", help="annotated boxes cut by intensity, without models")
    instead.add_argument("--laid", action="store_true", help="with some of a cell's own chromosomes laid once more")
    parser.add_argument(
        "--marked-off", type=float, nargs=2, default=(0.0, 0.0), metavar=("X", "Y"),
        help="pixels that annotated boxes lie to the left of and above what they mark, for --laid",
    )  # fmt: skip
    arguments = parser.parse_args()
    part, parts = (int(number) for number in arguments.part.split("/"))
    make(
        arguments.data, arguments.split, arguments.out,
        part=part, parts=parts, most=arguments.most, threads=arguments.threads, without_models=arguments.plain,
        laid=arguments.laid, marked_off=tuple(arguments.marked_off),
    )  # fmt: skip


if __name__ == "__main__":
    main()
