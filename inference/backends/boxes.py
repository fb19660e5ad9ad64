"""Boxes: overlap, letterbox, and one box a chromosome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PAD = 114  # the grey that the detector was trained to see around a picture


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union, float (n, m), of xyxy boxes (n, 4) and (m, 4)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area_first, area_second = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second))
    return shared / np.maximum(area_first[:, None] + area_second[None] - shared, 1e-9)


@dataclass(frozen=True)
class Letterbox:
    """How a picture lies in the detector's square: columns by rows of it, from (left, top) on."""

    columns: int
    rows: int
    left: int
    top: int

    def to_original(self, boxes: np.ndarray, width: int, height: int) -> np.ndarray:
        """xyxy in the square to xyxy in the original, clipped to the picture; float32."""
        # The shorter side is stretched to whole pixels: by the longer one's scale a box was half a pixel off there.
        scale = [self.columns / width, self.rows / height] * 2
        moved = (boxes - [self.left, self.top, self.left, self.top]) / scale
        return np.clip(moved, 0, [width, height, width, height]).astype(np.float32)


def letterbox(pixels: np.ndarray, side: int) -> tuple[np.ndarray, Letterbox]:
    """uint8 (h, w) to uint8 (side, side), whole picture, shape kept, centred on grey."""
    import cv2

    height, width = pixels.shape
    scale = side / max(height, width)
    inner = columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (side - columns) // 2, (side - rows) // 2
    square = np.full((side, side), PAD, np.uint8)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square[top : top + rows, left : left + columns] = cv2.resize(pixels, inner, interpolation=method)
    return square, Letterbox(columns, rows, left, top)


@dataclass(frozen=True)
class Apart:
    """When two boxes in one place are two chromosomes: the fainter one's score is at least `score`, and they overlap
    by less than `iou`."""

    score: float
    iou: float


def one_box_each(
    boxes: np.ndarray, class_scores: np.ndarray, *, threshold: float, merge_iou: float, apart: Apart | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The detector's raw rows to chromosomes.

    YOLOv10 needs no suppression when it is sure; when it wavers between two classes it gives one chromosome twice,
    once for each.  Boxes that overlap by `merge_iou` or more are therefore one chromosome, and the classes they
    vote for are one row of probabilities.  Two chromosomes that cross have nearly the same box, too: with `apart`, what
    is likely enough stays a candidate of its own, to be judged once it has been cut (inference.stages.context).

    boxes: (n, 4) xyxy.  class_scores: (n, 24), each 0..1.  threshold: on the score that *some* chromosome is there,
    1 − ∏(1 − class score): a chromosome that could be any of six classes is still surely one.
    Returns boxes float32 (m, 4), scores float32 (m,), probabilities float32 (m, 24) whose rows sum to 1; best
    first.
    """
    likely = class_scores.max(axis=1, initial=0) * class_scores.shape[1] >= threshold  # others cannot reach it
    boxes, class_scores = boxes[likely], class_scores[likely]
    scores = 1 - np.prod(1 - class_scores.astype(np.float64), axis=1)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= threshold]
    boxes, class_scores, scores = boxes[order], class_scores[order], scores[order]
    shared = overlap(boxes, boxes)
    needed = np.full(len(boxes), merge_iou)
    if apart is not None:
        needed[scores >= apart.score] = max(apart.iou, merge_iou)
    free = np.ones(len(boxes), bool)
    kept, rows = [], []
    for index in range(len(boxes)):
        if not free[index]:
            continue
        group = free & (shared[index] >= needed)
        group[index] = True
        free &= ~group
        kept.append(index)
        rows.append(class_scores[group].max(axis=0))
    votes = np.asarray(rows, np.float64).reshape(-1, class_scores.shape[1])
    probabilities = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-12)
    return boxes[kept].astype(np.float32), scores[kept].astype(np.float32), probabilities.astype(np.float32)
