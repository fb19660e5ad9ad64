"""How a segmenter sees a cell: one scale, one range of densities, windows around prompts.

One module for training and use, so that the two cannot drift apart.
"""

from __future__ import annotations

import numpy as np

LONG_SIDE = 68.0  # working pixels of the median box's long side: a chromosome is then some 16 wide
HALF_WIDTH = 6.4  # working pixels: the median of half the width of what is dark
SMALL, LARGE = 112, 224  # windows, working pixels; multiples of 16
_NEAR = 0.08  # a cell whose scale is this near to the working one is left as it is
NEIGHBOURS = 4  # boxes around its own that a prompt is told of
_REACH = 6.0  # working pixels: boxes so far apart are still neighbours
_SAME = 0.7  # IoU of two boxes from which the less sure one may be the other once more
MULTIPLE = 32  # the encoder's coarsest step


def scale_of_boxes(boxes: np.ndarray) -> float:
    """Working pixels per pixel of the original, from the boxes of (most of) a cell, float (n, 4)."""
    if len(boxes) == 0:
        return 1.0
    median = float(np.median(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])))
    scale = float(np.clip(LONG_SIDE / max(median, 1.0), 0.2, 4.0))
    return 1.0 if abs(scale - 1) < _NEAR else scale


def at_scale(picture: np.ndarray, scale: float, method: int | None = None) -> np.ndarray:
    """A picture (h, w), `scale` pixels for one of its own, the middle of the pixel at x at (x + 0.5) · scale − 0.5.

    Resized to whole numbers of pixels, as one usually does, it is stretched to fill them: what lies at its far sides is
    then half a pixel away from where boxes and masks say.  method: of OpenCV's, by default the mean over what a pixel
    covers where the picture gets smaller, linear where it gets larger."""
    import cv2

    size = [max(1, round(side * scale)) for side in picture.shape[::-1]]
    if scale == 1.0:
        return picture
    if size == list(picture.shape[::-1]):  # OpenCV would hand back the picture as it is
        move = np.array([[scale, 0, scale / 2 - 0.5], [0, scale, scale / 2 - 0.5]])
        return cv2.warpAffine(picture, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    method = (cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR) if method is None else method
    if min(picture.shape) * scale < 1:
        return cv2.resize(picture, size, interpolation=method)
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)


def seen_density(pixels: np.ndarray) -> np.ndarray:
    """uint8 (h, w), dark on light, to density: uint8, ground at 0, the darkest chromosomes near 255."""
    return densities(pixels, *levels(pixels))


def levels(pixels: np.ndarray) -> tuple[float, float]:
    """The greys of the ground and of the darkest chromosomes, uint8 (h, w), dark on light."""
    sample = pixels[::2, ::2]
    return float(np.percentile(sample, 80)), float(np.percentile(sample, 1.0))


def densities(pixels: np.ndarray, ground: float, dark: float) -> np.ndarray:
    """As `seen_density`, of some of a picture's pixels, uint8 of any shape, by the whole picture's `levels`."""
    density = (ground - pixels.astype(np.float32)) * (235.0 / max(ground - dark, 12.0))
    return np.asarray(np.clip(density, 0, 255).astype(np.uint8))


def scale_of_field(pixels: np.ndarray) -> float:
    """As `scale_of_boxes`, from the picture alone: by how wide its strokes are."""
    import cv2

    density = seen_density(pixels)
    small = cv2.GaussianBlur(density, (0, 0), 1.0)
    level, _ = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    inside = cv2.distanceTransform((small > level).astype(np.uint8), cv2.DIST_L2, 5)
    ridge = (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8)) - 1e-3) & (inside > 1.5)
    if int(ridge.sum()) < 40:
        return 1.0
    half = float(np.median(inside[ridge]))
    scale = float(np.clip(HALF_WIDTH / half, 0.2, 4.0))
    return 1.0 if abs(scale - 1) < _NEAR else scale


def told_of(boxes: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """What each box's prompt is told of the others: float32 (n, NEIGHBOURS, 5), x1, y1, x2, y2 and how sure the box
    is; nothing at 0.  Told are those that overlap it most, weighed by how sure they are.

    boxes: float (n, 4), working pixels.  sure: float (n,) 0..1.  A surer box of nearly the same place is not told:
    then this one is it once more."""
    boxes, sure = np.asarray(boxes, np.float32).reshape(-1, 4), np.asarray(sure, np.float32)
    told = np.zeros((len(boxes), NEIGHBOURS, 5), np.float32)
    if len(boxes) < 2:
        return told
    low, high = np.maximum(boxes[:, None, :2], boxes[None, :, :2]), np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    near = np.clip(high - low + _REACH, 0, None).prod(axis=2)
    shared, areas = np.clip(high - low, 0, None).prod(axis=2), (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1)
    same = shared / np.maximum(areas[:, None] + areas[None] - shared, 1e-6) > _SAME
    weight = near * sure[None] * ~(same & (sure[None] > sure[:, None]))
    np.fill_diagonal(weight, 0)
    order = np.argsort(-weight, axis=1, kind="stable")[:, :NEIGHBOURS]
    for row, others in enumerate(order):
        others = others[weight[row, others] > 0]
        told[row, : len(others), :4], told[row, : len(others), 4] = boxes[others], sure[others]
    return told


def in_window(told: np.ndarray, left: int, top: int) -> np.ndarray:
    """Rows of `told_of`, float32 (NEIGHBOURS, 5), as a window's prompt takes them: from its corner, pixels' middles at
    whole numbers, nothing at 0."""
    moved = told - np.array([left + 0.5, top + 0.5, left + 0.5, top + 0.5, 0], np.float32)
    return np.asarray(moved * (told[:, 4:] > 0))


def window_of(x: float, y: float, reach: float) -> tuple[int, int, int]:
    """(left, top, side) of the window around a point, working pixels, left and top multiples of 4.
    reach: the longer side of what should fit."""
    side = SMALL if reach <= SMALL - 14 else LARGE
    return round((x - side / 2) / 4) * 4, round((y - side / 2) / 4) * 4, side


def view_of(features: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """float32 (…, side, side) of features (…, h, w); what lies outside the picture is 0."""
    *channels, height, width = features.shape
    view = np.zeros((*channels, side, side), np.float32)
    y1, x1, y2, x2 = max(0, top), max(0, left), min(height, top + side), min(width, left + side)
    if y1 < y2 and x1 < x2:
        view[..., y1 - top : y2 - top, x1 - left : x2 - left] = features[..., y1:y2, x1:x2]
    return view
