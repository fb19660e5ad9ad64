"""Fitting how boxes are drawn around cut-outs (inference.stages.framed)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from inference.backends.boxes import overlap
from inference.evaluation.cells import match
from inference.protocols import Detector, Mask, Segmenter
from inference.stages.framed import fit
from inference.stages.scale import detect_at_usual_scale
from inference.training.cil import AnnotatedCell, read_grey


def choose(cells: Iterable[AnnotatedCell], detector: Detector, segmenter: Segmenter) -> dict[str, Any]:
    """The numbers for the manifest's detector, and the mean IoU of matched boxes before and after.  Raises ValueError
    where there is too little to fit."""
    found: list[np.ndarray] = []
    truth: list[np.ndarray] = []
    masks: list[Mask] = []
    for cell in cells:
        pixels = read_grey(cell.image)
        detections = detect_at_usual_scale(detector, pixels)
        rows = match(detections.boxes, cell.boxes)
        found.append(detections.boxes[rows[:, 0]])
        truth.append(cell.boxes[rows[:, 1]])
        cut = segmenter.segment(pixels, detections.boxes, detections.scores)  # all, as in use: each sees the others
        masks += [cut[row] for row in rows[:, 0]]
    before, wanted = np.concatenate([*found, np.zeros((0, 4))]), np.concatenate([*truth, np.zeros((0, 4))])
    frame = fit(before, masks, wanted)
    after = frame.around(before, masks, (1 << 20, 1 << 20))
    return {
        "frame": {
            "segmenter": f"{segmenter.info.name} {segmenter.info.version}",
            "pull": [round(share, 3) for share in frame.pull],
            "margin": [round(pixels, 2) for pixels in frame.margin],
        },
        "boxes": len(before),
        "iou_before": _mean_overlap(before, wanted),
        "iou_after": _mean_overlap(after, wanted),
    }


def _mean_overlap(boxes: np.ndarray, truth: np.ndarray) -> float:
    return round(
        float(np.mean([overlap(one[None], other[None])[0, 0] for one, other in zip(boxes, truth, strict=True)])), 4
    )
