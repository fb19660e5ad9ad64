"""The models of this process: chosen by configuration and hardware, loaded once, used by one caller at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar, cast

from inference.backends import weights
from inference.protocols import AnalysisError, Detector, Judge, ModelInfo, Prompter, Segmenter
from inference.stages.classify import Classifier
from inference.stages.confidence import Calibration

T = TypeVar("T")
_loaded: dict[tuple[Any, ...], Any] = {}
_lock = threading.RLock()
# For a detector that the manifest does not know; the shipped ones bring their own.
_THRESHOLD, _MERGE_IOU, _SIDE = 0.25, 0.5, 640
_MOST_OF_A_ROLE = 3


class Configuration(Protocol):
    """The part of karyosite.env.Environment that is read here."""

    device: str
    detector_weights: str
    classifier: str
    segmenter: str
    sam_checkpoint: str
    sam_model_type: str
    worker_threads: int


class Active(Protocol):
    """A version that a laboratory has activated.  files: by kind, the SHA-256 that it had then."""

    name: str
    version: str
    files: dict[str, str]


def activated(configuration: Configuration, active: Mapping[str, Active]) -> Configuration:
    """The configuration with the versions, by role, that a laboratory has activated instead of the first shipped."""
    given = {name: getattr(configuration, name) for name in Configuration.__annotations__}
    return cast(Configuration, SimpleNamespace(**given, active=dict(active)))


def entry(role: str, configuration: Configuration) -> dict[str, Any] | None:
    """The manifest's entry in use for a role; None where none of the role is shipped.  Raises AnalysisError."""
    listed = weights.entries(role)
    active: Active | None = getattr(configuration, "active", {}).get(role)
    if active is None:
        return listed[0] if listed else None
    named = f"{role} {active.name} {active.version}"
    for known in listed:
        if (known["name"], known["version"]) == (active.name, active.version):
            if {kind: file["sha256"] for kind, file in known["files"].items()} != dict(active.files):
                raise AnalysisError(
                    f"The {named} is not the one that was activated: its fingerprint in the manifest has changed. "
                    "It was not loaded. An administrator can look at it on the page Models and activate it anew."
                )
            return known
    raise AnalysisError(
        f"The {named}, which the laboratory has activated, is no longer installed. Nothing was analysed. "
        "An administrator can activate another version on the page Models."
    )


def calibration(detector: Detector, classifier: Classifier | None, segmenter: Segmenter | None = None) -> Calibration:
    """What the scores of this pair are worth, and how boxes are drawn around this segmenter's cut-outs, from the
    manifest; as the models say it where nothing was fitted."""
    fitted: dict[str, Any] = {}
    for model in (detector, classifier):
        for known in weights.entries(model.info.role) if model else ():
            if model and (known["name"], known["version"]) == (model.info.name, model.info.version):
                numbers = dict(known.get("calibration", {}))
                pair = numbers.pop("detector", f"{detector.info.name} {detector.info.version}")
                if pair == f"{detector.info.name} {detector.info.version}":
                    fitted |= numbers
    cut_by = f"{segmenter.info.name} {segmenter.info.version}" if segmenter else ""
    if fitted.get("frame", {}).get("segmenter", cut_by) != cut_by:
        del fitted["frame"]
    return Calibration.of(fitted)


def detector(configuration: Configuration) -> Detector:
    """The configured detector: torch, but ONNX Runtime on the CPU where the entry has an export.

    Raises AnalysisError in words for the one who set the file.
    """
    device = _device(configuration.device)
    threads = _threads(configuration.worker_threads)
    path = configuration.detector_weights
    chosen = None if path else entry("detector", configuration)
    key = (chosen["name"], chosen["version"]) if chosen else ()
    return _once(("detector", path, *key, device, threads), lambda: _load_detector(path, chosen, device, threads))


def segmenter(configuration: Configuration) -> Segmenter:
    """The configured segmenter: the shipped compact SAM, "threshold", or "sam" with a checkpoint.

    Raises AnalysisError.
    """
    kind = configuration.segmenter.strip().lower()
    shipped = entry("segmenter", configuration) if kind == "shipped" else None
    if shipped is not None:
        return _once(
            ("segmenter", shipped["name"], shipped["version"], configuration.worker_threads),
            lambda: _load_compact_sam(shipped, _threads(configuration.worker_threads)),
        )
    if kind in ("threshold", "shipped"):
        from inference.backends.threshold import ThresholdSegmenter

        return _once(("segmenter", "threshold"), ThresholdSegmenter)
    if kind != "sam":
        raise AnalysisError(
            f"There is no segmenter called “{configuration.segmenter}”. Set KARYOSITE_SEGMENTER to shipped, "
            "threshold or sam."
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
    chosen = None if wanted == "none" else entry("classifier", configuration)
    if chosen is None:
        return None
    threads = _threads(configuration.worker_threads)

    def load() -> Classifier:
        from inference.backends.crop_classifier import CropClassifier

        path, sha256 = weights.checked(chosen, "onnx")
        info = ModelInfo("classifier", chosen["name"], chosen["version"], sha256)
        return CropClassifier(
            path,
            info,
            temperature=float(chosen["temperature"]),
            detector_share=float(chosen["detector_share"]),
            threads=threads,
        )

    return _once(("classifier", chosen["name"], chosen["version"], threads), load)


def judge(
    configuration: Configuration, detector: Detector, segmenter: Segmenter, classifier: Classifier | None
) -> Judge | None:
    """The judge that was trained on the candidates of just these three; None where there is none.

    Raises AnalysisError.
    """
    with_these = {model.info.role: f"{model.info.name} {model.info.version}" for model in (detector, segmenter)}
    if classifier is not None:
        with_these["classifier"] = f"{classifier.info.name} {classifier.info.version}"
    active: Active | None = getattr(configuration, "active", {}).get("judge")
    chosen = entry("judge", configuration) if active is not None else None
    fitting = [known for known in weights.entries("judge") if known["of"] == with_these]
    if active is not None and chosen not in fitting:
        return None
    chosen = chosen or next(iter(fitting), None)
    if chosen is None:
        return None
    found, threads = chosen, _threads(configuration.worker_threads)

    def load() -> Judge:
        from inference.backends.judge import CellJudge

        path, sha256 = weights.checked(found, "onnx")
        info = ModelInfo("judge", found["name"], found["version"], sha256)
        return CellJudge(path, info, temperature=float(found["temperature"]), threads=threads)

    return _once(("judge", found["name"], found["version"], threads), load)


def forget() -> None:
    """Drop all loaded models: for tests, and before a fork."""
    with _lock:
        _loaded.clear()


def _once(key: tuple[Any, ...], load: Callable[[], T]) -> T:
    with _lock:
        if key not in _loaded:
            # Laboratories may have activated different versions; what was loaded longest ago makes room.
            of_role = [known for known in _loaded if known[0] == key[0]]
            _loaded[key] = load()
            for known in of_role[: len(of_role) + 1 - _MOST_OF_A_ROLE]:
                del _loaded[known]
        loaded: T = _loaded[key]
        return loaded


def _load_compact_sam(entry: dict[str, Any], threads: int) -> Segmenter:
    from inference.backends.compact_sam import CompactSam

    field, sha256 = weights.checked(entry, "field")
    prompt, _ = weights.checked(entry, "prompt")
    beside = weights.checked(entry, "beside")[0] if "beside" in entry["files"] else None
    info = ModelInfo("segmenter", entry["name"], entry["version"], sha256)
    return CompactSam(field, prompt, info, beside=beside, threads=threads)


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


def _load_detector(configured: str, shipped: dict[str, Any] | None, device: str, threads: int) -> Detector:
    from inference.backends.boxes import Apart
    from inference.backends.processor import multiplies_bfloat16
    from inference.backends.yolov10 import Yolov10Detector, onnx_engine, torch_engine

    entry, path, sha256 = _chosen(configured, shipped, device)
    side, turns = int(entry.get("imgsz", _SIDE)), entry.get("turns", (0,))
    # On a CPU whole views beside each other, each on one thread, waste less than one after the other on all; and where
    # other processes compute too, threads of one view wait for each other many times longer than the view takes.
    at_once = len(turns) if device == "cpu" and threads > 1 else 1
    each = max(1, threads // at_once)
    if path.suffix == ".onnx":
        engine, exported_side = onnx_engine(path, each)
        if entry.get("imgsz", exported_side) != exported_side:
            raise AnalysisError(
                f"The model file {path.name} was exported for another picture size than the manifest says. "
                "Export it again (manage.py models export)."
            )
        side = exported_side
    else:
        engine = torch_engine(path, device, each, multiplies_bfloat16())
    info = ModelInfo("detector", entry.get("name", path.stem), entry.get("version", sha256[:8]), sha256)
    return Yolov10Detector(
        engine,
        info,
        side=side,
        threshold=float(entry.get("threshold", _THRESHOLD)),
        merge_iou=float(entry.get("merge_iou", _MERGE_IOU)),
        apart=Apart(**entry["apart"]) if entry.get("apart") else None,
        turns=turns,
        at_once=at_once,
    )


def _chosen(configured: str, shipped: dict[str, Any] | None, device: str) -> tuple[dict[str, Any], Path, str]:
    """Manifest entry (empty for a file of the lab's own), verified path, SHA-256."""
    if not configured:
        if shipped is None:
            raise AnalysisError(
                "No detector is installed. Install the program again, or set KARYOSITE_DETECTOR_WEIGHTS."
            )
        kind = "onnx" if device == "cpu" and "onnx" in shipped["files"] else "torch"
        return shipped, *weights.checked(shipped, kind)
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
