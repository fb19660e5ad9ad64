"""The models of this process: chosen by configuration and hardware, loaded once, used by one caller at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from inference.backends import weights
from inference.protocols import AnalysisError, Detector, ModelInfo, Prompter, Segmenter
from inference.stages.classify import Classifier

T = TypeVar("T")
_loaded: dict[tuple[Any, ...], Any] = {}
_lock = threading.RLock()
# For a detector that the manifest does not know; the shipped ones bring their own.
_THRESHOLD, _MERGE_IOU, _SIDE = 0.25, 0.5, 640


class Configuration(Protocol):
    """The part of karyosite.env.Environment that is read here."""

    device: str
    detector_weights: str
    classifier: str
    segmenter: str
    sam_checkpoint: str
    sam_model_type: str
    worker_threads: int


def detector(configuration: Configuration) -> Detector:
    """The configured detector: torch on CUDA, ONNX Runtime on the CPU where an export is there.

    Raises AnalysisError in words for the one who set the file.
    """
    device = _device(configuration.device)
    threads = _threads(configuration.worker_threads)
    path = configuration.detector_weights
    return _once(("detector", path, device, threads), lambda: _load_detector(path, device, threads))


def segmenter(configuration: Configuration) -> Segmenter:
    """The configured segmenter: "threshold", or "sam" with a checkpoint.  Raises AnalysisError."""
    kind = configuration.segmenter.strip().lower()
    if kind == "threshold":
        from inference.backends.threshold import ThresholdSegmenter

        return _once(("segmenter", kind), ThresholdSegmenter)
    if kind != "sam":
        raise AnalysisError(
            f"There is no segmenter called “{configuration.segmenter}”. Set KARYOSITE_SEGMENTER to threshold or sam."
        )
    device, threads = _device(configuration.device), _threads(configuration.worker_threads)
    checkpoint, model_type = configuration.sam_checkpoint, configuration.sam_model_type

    def load() -> Segmenter:
        from inference.backends.sam import SamSegmenter

        return SamSegmenter.load(checkpoint, model_type, device=device, threads=threads)

    return _once(("segmenter", kind, checkpoint, model_type, device, threads), load)


def prompter(configuration: Configuration) -> Prompter:
    """The configured segmenter, asked for one chromosome at a time.  Raises AnalysisError."""
    found = segmenter(configuration)
    if not isinstance(found, Prompter):
        raise AnalysisError(
            f"The segmenter {found.info.name} cannot cut by clicks. Choose another in KARYOSITE_SEGMENTER."
        )
    return found


def classifier(configuration: Configuration) -> Classifier | None:
    """The shipped crop classifier; None where it is switched off or none is shipped.  Raises AnalysisError."""
    wanted = configuration.classifier.strip().lower()
    if wanted not in ("shipped", "none"):
        raise AnalysisError(
            f"There is no classifier called “{configuration.classifier}”. Set KARYOSITE_CLASSIFIER to shipped or none."
        )
    listed = weights.entries("classifier")
    if wanted == "none" or not listed:
        return None
    entry, threads = listed[0], _threads(configuration.worker_threads)

    def load() -> Classifier:
        from inference.backends.crop_classifier import CropClassifier

        path, sha256 = weights.checked(entry, "onnx")
        info = ModelInfo("classifier", entry["name"], entry["version"], sha256)
        return CropClassifier(
            path,
            info,
            temperature=float(entry["temperature"]),
            detector_share=float(entry["detector_share"]),
            threads=threads,
        )

    return _once(("classifier", entry["name"], threads), load)


def forget() -> None:
    """Drop all loaded models: for tests, and before a fork."""
    with _lock:
        _loaded.clear()


def _once(key: tuple[Any, ...], load: Callable[[], T]) -> T:
    with _lock:
        if key not in _loaded:
            _loaded[key] = load()
        loaded: T = _loaded[key]
        return loaded


def _device(wanted: str) -> str:
    """ "cpu" or "cuda"; "auto" takes CUDA where there is one, without importing torch where there is none."""
    wanted = wanted.strip().lower()
    if wanted not in ("auto", "cpu", "cuda"):
        raise AnalysisError(f"There is no device called “{wanted}”. Set KARYOSITE_DEVICE to auto, cpu or cuda.")
    if wanted == "cpu" or (wanted == "auto" and not Path("/dev/nvidiactl").exists()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise AnalysisError(
            "A graphics card was asked for (KARYOSITE_DEVICE is cuda), but none can be used on this machine. "
            "Set it to auto or cpu, or look after the driver."
        )
    return "cpu"


def _threads(wanted: int) -> int:
    return wanted if wanted > 0 else min(len(os.sched_getaffinity(0)), 8)


def _load_detector(configured: str, device: str, threads: int) -> Detector:
    from inference.backends.yolov10 import Yolov10Detector, onnx_engine, torch_engine

    entry, path, sha256 = _chosen(configured, device)
    side = int(entry.get("imgsz", _SIDE))
    if path.suffix == ".onnx":
        engine, exported_side = onnx_engine(path, threads)
        if entry.get("imgsz", exported_side) != exported_side:
            raise AnalysisError(
                f"The model file {path.name} was exported for another picture size than the manifest says. "
                "Export it again (manage.py models export)."
            )
        side = exported_side
    else:
        engine = torch_engine(path, device, threads)
    info = ModelInfo("detector", entry.get("name", path.stem), entry.get("version", sha256[:8]), sha256)
    return Yolov10Detector(
        engine,
        info,
        side=side,
        threshold=float(entry.get("threshold", _THRESHOLD)),
        merge_iou=float(entry.get("merge_iou", _MERGE_IOU)),
    )


def _chosen(configured: str, device: str) -> tuple[dict[str, Any], Path, str]:
    """Manifest entry (empty for a file of the lab's own), verified path, SHA-256."""
    if not configured:
        entry = weights.entries("detector")[0]
        kind = "onnx" if device == "cpu" and "onnx" in entry["files"] else "torch"
        return entry, *weights.checked(entry, kind)
    path = Path(configured)
    if not path.is_file():
        raise AnalysisError(
            f"The detector file {path.name} (KARYOSITE_DETECTOR_WEIGHTS) is not there. "
            "Correct the setting, or leave it empty for the shipped detector."
        )
    sha256 = weights.fingerprint(path)
    for entry in weights.entries("detector"):
        if sha256 in (listed for _, listed in weights.files(entry)):
            return entry, path, sha256
    return {}, path, sha256
