"""Chromosomes turned upright on small equal fields: what the crop classifier is trained on, and what it is shown.

One function for both, so that training and use cannot drift apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from inference.protocols import Mask

HEIGHT, WIDTH = 128, 64
CHANNELS = 3
# Output pixels per square root of the cell's median mask area: the longest chromosome of most cells fits HEIGHT.
_REACH = 30.0
_SURE, _FEW = 0.25, 8


def long_axis(mask: Mask) -> float:
    """The direction of the mask's long axis, radians from +x."""
    rows, columns = np.nonzero(mask.bits)
    dx, dy = columns - columns.mean(), rows - rows.mean()
    return 0.5 * math.atan2(2 * float((dx * dy).mean()), float((dx * dx).mean() - (dy * dy).mean()))


def cell_scale(masks: list[Mask], areas: Sequence[float] = ()) -> float:
    """Output pixels per pixel of the original, one for all of a cell: relative size is evidence and is kept.

    areas: pixels, of the cell's chromosomes where the masks are not all of them.
    """
    areas = areas or [int(mask.bits.sum()) for mask in masks]
    areas = [area for area in areas if area >= 3]
    return _REACH / math.sqrt(float(np.median(areas))) if areas else 1.0


def surely_there(areas: Sequence[int], scores: np.ndarray) -> list[int]:
    """The areas of what is likely a chromosome, so that pieces and dirt among the candidates do not shift the scale;
    all of them where too few are sure.  scores: float (n,), the detector's."""
    sure = [area for area, score in zip(areas, scores.tolist(), strict=True) if score >= _SURE]
    return sure if len(sure) >= _FEW else list(areas)


def upright_crops(
    pixels: np.ndarray,
    boxes: np.ndarray,
    masks: list[Mask],
    areas: Sequence[float] = (),
    scores: np.ndarray | None = None,
) -> np.ndarray:
    """uint8 (n, CHANNELS, HEIGHT, WIDTH): density (ground at 0) of each field; what is meant by it: 255 in the mask,
    80 in the rest of the box, 0 outside; and what the others' masks explain, 255 where surely.

    pixels: uint8 (h, w), dark chromosomes on a light ground.  boxes: float (n, 4) xyxy, whose middles are the fields'
    (a mask may be a mere piece).  An empty mask gives an empty field.  areas: as `cell_scale` takes them.  scores:
    float (n,), the chance that each mask is a chromosome's; 1 where not given.
    """
    import cv2

    crops = np.zeros((len(masks), CHANNELS, HEIGHT, WIDTH), np.uint8)
    if not masks:
        return crops
    scale = cell_scale(masks, areas)
    ground = int(np.percentile(pixels[::4, ::4], 80))
    density = np.clip(ground - pixels.astype(np.int16), 0, 255).astype(np.uint8)
    weights = (np.ones(len(masks)) if scores is None else np.asarray(scores)).tolist()
    explained = np.zeros(pixels.shape, np.float32)
    for mask, weight in zip(masks, weights, strict=True):
        mask.window(explained)[mask.bits] += weight
    size = (WIDTH, HEIGHT)
    smooth = cv2.INTER_AREA if scale < 0.7 else cv2.INTER_LINEAR
    for index, mask in enumerate(masks):
        if int(mask.bits.sum()) < 3:
            continue
        left, top, right, bottom = (float(side) for side in boxes[index])
        x, y = (left + right) / 2, (top + bottom) / 2
        # Turns the long axis onto the vertical, scales, and puts the box's middle in the middle of the field.
        turn = math.pi / 2 - long_axis(mask)
        cos, sin = scale * math.cos(turn), scale * math.sin(turn)
        to_field = np.array(
            [[cos, -sin, WIDTH / 2 - cos * x + sin * y], [sin, cos, HEIGHT / 2 - sin * x - cos * y]], np.float64
        )
        inside = to_field.copy()
        inside[:, 2] += to_field[:, :2] @ (mask.left, mask.top)
        crops[index, 0] = cv2.warpAffine(density, to_field, size, flags=smooth)
        meant = cv2.warpAffine(mask.bits.astype(np.uint8) * 255, inside, size, flags=cv2.INTER_LINEAR)
        corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]) @ to_field.T
        boxed = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillConvexPoly(boxed, np.round(corners).astype(np.int32), 80)
        crops[index, 1] = np.maximum(meant, boxed)
        own = mask.window(explained)
        own[mask.bits] -= weights[index]
        others = cv2.warpAffine(explained, to_field, size, flags=smooth)
        own[mask.bits] += weights[index]
        crops[index, 2] = np.clip(others, 0, 1) * 255
    return crops
