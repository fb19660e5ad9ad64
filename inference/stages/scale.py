"""The cell at the size that the detector was trained on.

The detector sees the whole picture in a square of fixed side, so resizing a picture changes nothing: what counts is the
share of the field that the cell takes up.  In training the picture was cut close around the cell, and a chromosome was
some 7 to 18 of the square's pixels wide.  Of a cell in a large empty field the detector is therefore shown the part in
which the chromosomes lie, and a picture of a few large chromosomes is put on a wider ground.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.protocols import Detections, Detector

SIDE = 640.0  # of a square in which the widths below are counted, whatever the detector's is
LEAST, USUAL, MOST = (
    6.8,
    13.0,
    21.0,
)  # widths in the square: of 61 validation cells 5 in 100 lie below 8, none above 18.1
_PAD = 114  # the grey around pictures in training
_MEASURED = 1400  # longest side of the picture that is measured
_FEWEST = 40  # points on the middle lines of dark things, fewer than which say nothing about a width
_NEAR = 6.0  # widths: dark things this near to each other belong to one cell
_CELL = 0.3  # of all dark things' area; a group smaller than this is no cell of its own
_AROUND = 4.0  # widths of ground left around the cell
_WORTHWHILE = 0.7  # of the picture's side: cells fill at least that much of a picture cut around them
_SAME = 0.5  # intersection over union from which two detections are one


@dataclass(frozen=True)
class Part:
    """What the detector is shown: a window of the picture, xyxy, which may reach over its edge.  apart: dark things
    that may be chromosomes lie outside."""

    left: int
    top: int
    right: int
    bottom: int
    apart: bool = False


def detect_at_usual_scale(detector: Detector, pixels: np.ndarray) -> Detections:
    """Boxes in pixels of the original, whatever the detector was shown.  pixels: uint8 (h, w), dark on light."""
    part = usual_part(pixels)
    if part is None:
        return detector.detect(pixels)
    found = detector.detect(_shown(pixels, part))
    height, width = pixels.shape
    moved = found.boxes + np.array([part.left, part.top] * 2, np.float32)
    boxes = np.clip(moved, 0, [width, height, width, height]).astype(np.float32)
    kept = ((boxes[:, 2:] - boxes[:, :2]) >= 2).all(axis=1)
    inner = Detections(boxes[kept], found.scores[kept], found.probabilities[kept])
    return _together(inner, detector.detect(pixels), part) if part.apart else inner


def usual_part(pixels: np.ndarray) -> Part | None:
    """The window to show, or None where the whole picture shows chromosomes at their usual width."""
    import cv2

    height, width = pixels.shape
    shrink = min(1.0, _MEASURED / max(height, width))
    small = pixels
    if shrink < 1:
        small = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), 0.8)
    _, dark = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    across = _width(dark)
    if across is None:
        return None
    if across * SIDE / max(dark.shape) > MOST:
        side = across / shrink * SIDE / USUAL
        around_x, around_y = (max(0, round((side - extent) / 2)) for extent in (width, height))
        return Part(-around_x, -around_y, width + around_x, height + around_y)
    window = _cell(dark, across)
    if window is None:
        return None
    (left, top, right, bottom), apart = window
    if max(right - left, bottom - top) > _WORTHWHILE * max(dark.shape):
        return None
    corners = np.array([left, top, right, bottom]) / shrink
    low, high = np.floor(corners[:2]).astype(int), np.ceil(corners[2:]).astype(int)
    return Part(max(0, int(low[0])), max(0, int(low[1])), min(width, int(high[0])), min(height, int(high[1])), apart)


def _width(dark: np.ndarray) -> float | None:
    """The usual width of dark things, from the points of their middle lines; None where there is too little."""
    import cv2

    inner = cv2.distanceTransform(dark, cv2.DIST_L2, 3)
    middle = inner[(inner >= cv2.dilate(inner, np.ones((3, 3), np.uint8))) & (inner > 1.3)]
    return 2 * float(np.median(middle)) if len(middle) >= _FEWEST else None


def _cell(dark: np.ndarray, across: float) -> tuple[tuple[float, float, float, float], bool] | None:
    """xyxy around the largest groups of things that may be chromosomes, and whether some lie outside."""
    import cv2

    _, pieces, facts, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    likely = facts[:, cv2.CC_STAT_AREA] >= across**2
    likely[0] = False
    if not likely.any():
        return None
    # Nearness needs no fine grid: a pixel of it is half a width.
    step = max(1.0, across / 2)
    coarse = cv2.resize(likely[pieces].astype(np.float32), None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    reach = 2 * round(_NEAR * across / step / 2) + 1
    near = cv2.dilate((coarse > 0).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    _, groups = cv2.connectedComponents(near)
    sizes = np.bincount(groups.ravel(), weights=coarse.ravel())
    sizes[0] = 0
    chosen = sizes >= min(_CELL * sizes.sum(), sizes.max())
    rows, columns = np.nonzero(chosen[groups] & (coarse > 0))
    around = _AROUND * across
    window = (
        columns.min() * step - around, rows.min() * step - around,
        (columns.max() + 1) * step + around, (rows.max() + 1) * step + around,
    )  # fmt: skip
    outside = coarse > 0
    left, top, right, bottom = (round(value / step) for value in window)
    outside[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    return window, bool(outside.any())


def _shown(pixels: np.ndarray, part: Part) -> np.ndarray:
    height, width = pixels.shape
    inner = pixels[max(0, part.top) : min(height, part.bottom), max(0, part.left) : min(width, part.right)]
    if inner.shape == (part.bottom - part.top, part.right - part.left):
        return np.ascontiguousarray(inner)
    ground = np.full((part.bottom - part.top, part.right - part.left), _PAD, np.uint8)
    top, left = max(0, -part.top), max(0, -part.left)
    ground[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return ground


def _together(inner: Detections, whole: Detections, part: Part) -> Detections:
    """Those of the part, and from the whole picture those whose middle lies outside it and that are no repetition."""
    from inference.backends.boxes import overlap

    middles = (whole.boxes[:, :2] + whole.boxes[:, 2:]) / 2
    outside = (middles < [part.left, part.top]).any(axis=1) | (middles > [part.right, part.bottom]).any(axis=1)
    if len(inner):
        outside &= overlap(whole.boxes, inner.boxes).max(axis=1) < _SAME
    return Detections(
        np.concatenate([inner.boxes, whole.boxes[outside]]),
        np.concatenate([inner.scores, whole.scores[outside]]),
        np.concatenate([inner.probabilities, whole.probabilities[outside]]),
    )
