"""YOLOv10 in two engines: torch through ultralytics, and ONNX Runtime for the CPU.

Both give the same raw rows, one an anchor: box and the scores of all 24 classes, before any choice of the best
few; what follows is shared, so the engines can differ only by rounding.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.backends.boxes import Apart, Letterbox, letterbox, one_box_each
from inference.backends.side_by_side import side_by_side
from inference.backends.turned import Found, together, turned_back
from inference.labels import CHROMOSOMES, CIL_NAMES
from inference.protocols import AnalysisError, Detections, ModelInfo

_NOT_OURS = "Set another detector file (KARYOSITE_DETECTOR_WEIGHTS), or leave it empty for the shipped one."
# float32 (1, 3, side, side) in 0..1  →  float32 (anchors, 4 + 24): xyxy in the square, class scores 0..1
Engine = Callable[[np.ndarray], np.ndarray]


class Yolov10Detector:
    """A Detector over either engine."""

    def __init__(
        self,
        engine: Engine,
        info: ModelInfo,
        *,
        side: int,
        threshold: float,
        merge_iou: float,
        apart: Apart | None = None,
        turns: Sequence[int] = (0,),
        at_once: int = 1,
    ) -> None:
        """turns: the quarter turns in which a picture is looked at (inference.backends.turned).  at_once: how many of
        them may be asked of the engine beside each other."""
        self._engine, self.info, self.turns, self._at_once = engine, info, tuple(turns), at_once
        self.side, self.threshold, self.merge_iou, self.apart = side, threshold, merge_iou, apart

    def raw(self, pixels: np.ndarray, turns: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Every anchor's box, float32 (n, 4) xyxy in pixels of the original, and class scores, float32 (n, 24).
        turns: quarters that the picture is turned by before it is looked at."""
        return self._rows(pixels, letterbox(pixels, self.side), turns)

    def _rows(
        self, pixels: np.ndarray, laid: tuple[np.ndarray, Letterbox], turns: int
    ) -> tuple[np.ndarray, np.ndarray]:
        square, place = laid
        seen = np.rot90(square, turns)[None, None]
        grey = np.ascontiguousarray(np.broadcast_to(seen, (1, 3, *square.shape)), np.float32) / 255
        rows = self._engine(grey)
        boxes = turned_back(rows[:, :4], turns, self.side)
        return place.to_original(boxes, pixels.shape[1], pixels.shape[0]), rows[:, 4:]

    def detect(self, pixels: np.ndarray) -> Detections:
        """pixels: uint8 (h, w), dark chromosomes on a light ground."""
        laid = letterbox(pixels, self.side)
        views = side_by_side(lambda turns: self._found(*self._rows(pixels, laid, turns)), self.turns, self._at_once)
        return Detections(*(views[0] if len(views) == 1 else together(views, self.threshold)))

    def _found(self, boxes: np.ndarray, class_scores: np.ndarray) -> Found:
        sized = (boxes[:, 2] - boxes[:, 0] >= 2) & (boxes[:, 3] - boxes[:, 1] >= 2)
        return one_box_each(
            boxes[sized], class_scores[sized], threshold=self.threshold, merge_iou=self.merge_iou, apart=self.apart
        )


def torch_module(path: Path) -> Any:
    """The checkpoint as an evaluating torch module that gives raw rows (1, anchors, 4 + 24).  Raises AnalysisError."""
    # ultralytics looks for the internet and for packages to install unless it is told not to.
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    from ultralytics.nn.tasks import load_checkpoint

    try:
        model, _ = load_checkpoint(str(path))
        head = model.model[-1]
        names = tuple(str(model.names[index]) for index in range(len(model.names)))
        head.end2end = True  # the one-to-one head, whatever the file was saved with
        model = model.float().eval()
        model.fuse(verbose=False)
    except Exception as error:  # a pickle can fail in any way
        raise AnalysisError(f"The detector file {path.name} is not a YOLOv10 checkpoint. {_NOT_OURS}") from error
    if type(head).__name__ != "v10Detect" or names not in (CIL_NAMES, CHROMOSOMES):
        raise AnalysisError(
            f"The detector file {path.name} does not name the 24 chromosome classes with a YOLOv10 head. {_NOT_OURS}"
        )
    head.export = True
    head.postprocess = lambda rows: rows  # all classes of all anchors, not the best 300 rows
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def torch_engine(path: Path, device: str, threads: int = 0, bfloat16: bool = False) -> Engine:
    """device: "cpu" or "cuda".  bfloat16: whether a CPU multiplies in it, which one that has instructions for it does
    1.9 times as fast (YOLOv10n) and more.  The head's answers are decoded in float32 in any case: in bfloat16 boxes
    would snap to a grid of pixels; so they differ by 0.05 of one."""
    import torch

    model = torch_module(path).to(device)
    if device == "cpu" and bfloat16:  # in single precision planes one after the other are faster by a tenth
        model = model.to(memory_format=torch.channels_last)
    head = model.model[-1]
    decode = head._inference

    def in_float32(answer: dict[str, Any]) -> Any:
        with torch.autocast(device, enabled=False):
            return decode(
                {
                    name: [one.float() for one in part] if name == "feats" else part.float()
                    for name, part in answer.items()
                }
            )

    head._inference = in_float32

    def run(pixels: np.ndarray) -> np.ndarray:
        if threads and device == "cpu":
            torch.set_num_threads(
                threads
            )  # each time: it holds for the whole process, and another model may have set it
        given = torch.from_numpy(pixels).to(device)
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=bfloat16 and device == "cpu"):
            rows: np.ndarray = model(given)[0].float().cpu().numpy()
        return rows

    return run


def onnx_engine(path: Path, threads: int = 0) -> tuple[Engine, int]:
    """The engine, and the side of the square that the file was exported for.  Raises AnalysisError."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        (entrance,), (out,) = session.get_inputs(), session.get_outputs()
        side = int(entrance.shape[2])
        fits = entrance.shape[1] == 3 and entrance.shape[3] == side and out.shape[2] == 4 + len(CHROMOSOMES)
    except Exception as error:  # the runtime's own errors share no base class
        raise AnalysisError(f"The detector file {path.name} is not a detector in ONNX form. {_NOT_OURS}") from error
    if not fits:
        raise AnalysisError(f"The detector file {path.name} was not exported by this program. {_NOT_OURS}")

    def run(pixels: np.ndarray) -> np.ndarray:
        rows: np.ndarray = session.run([out.name], {entrance.name: pixels})[0][0]
        return rows

    return run, side
