"""A candidate judged again by what the others leave over, once each was judged by itself (inference.stages.presence).

A chromosome is what explains dark pixels that nothing else explains.  By itself, a faint candidate on such pixels looks
as doubtful as a second cut of a chromosome that is there already; and a cut that joins two looks as good as the two
it is made of.  Here every candidate is seen beside the others, each weighed by the chance that it is a chromosome.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.backends.boxes import overlap
from inference.labels import CHROMOSOMES
from inference.protocols import Mask

CONTEXT = (
    "log-odds of the chance by itself",
    "share of the mask that others explain",
    "the same, squared",
    "what is left of it to explain, by the logarithm of its size",
    "IoU of the mask with a likely other's",
    "the same, squared",
    "share of the mask within a likely other's",
    "share of a likely other's mask within it",
    "share of the mask made up of others that lie in it",
    "IoU of the box with a likely other's",
    "how many of what it looks like the cell lacks",
    "how many of what it looks like the cell has too many",
    "log-odds of the IoU that the segmenter expects",
    "IoU of the outline's extent with the box",
)
_EDGE, _MOST = 1e-3, 0.995  # chances are held this far from both ends
_INSIDE = 0.5  # share of a mask from which it lies in another
_X, _Y = CHROMOSOMES.index("X"), CHROMOSOMES.index("Y")


def context(
    chance: np.ndarray,
    boxes: np.ndarray,
    masks: Sequence[Mask],
    shared: np.ndarray,
    probabilities: np.ndarray,
) -> np.ndarray:
    """float (n, len(CONTEXT)).  chance: float (n,), of each by itself.  boxes: float (n, 4), the detector's.  shared:
    (n, n), as `shared_areas` gives it.  probabilities: float (n, 24), rows sum to 1."""
    count = len(chance)
    if count == 0:
        return np.zeros((0, len(CONTEXT)))
    held = np.clip(np.asarray(chance, np.float64), _EDGE, _MOST)
    areas = np.array([max(1, int(mask.bits.sum())) for mask in masks], np.float64)
    within = shared / areas[:, None]
    together = shared / np.maximum(areas[:, None] + areas[None] - shared, 1)
    framed = overlap(boxes, boxes)
    np.fill_diagonal(framed, 0)
    explained = _explained(held, masks)
    likest = (together * held).max(axis=1)
    lack = _lacking(held, np.asarray(probabilities, np.float64))
    expected = np.clip([mask.score for mask in masks], 0.01, 0.99)
    return np.stack(
        [
            np.log(held / (1 - held)),
            explained,
            explained**2,
            (1 - explained) * np.log(areas / np.median(areas) + 0.02),
            likest,
            likest**2,
            (within * held).max(axis=1),
            (within.T * held).max(axis=1),
            (np.where(within.T > _INSIDE, shared, 0) * held).sum(axis=1) / areas,
            (framed * held).max(axis=1),
            np.maximum(lack, 0),
            np.minimum(lack, 0),
            np.log(expected / (1 - expected)),
            np.array([fills(mask, box) for mask, box in zip(masks, boxes, strict=True)]),
        ],
        axis=1,
    )


def _explained(chance: np.ndarray, masks: Sequence[Mask]) -> np.ndarray:
    """float (n,): the share of each mask's pixels that the others explain, were they independent."""
    low = np.array([(mask.left, mask.top) for mask in masks])
    high = np.array([(mask.left + mask.bits.shape[1], mask.top + mask.bits.shape[0]) for mask in masks])
    origin = low.min(axis=0)
    width, height = (high.max(axis=0) - origin).tolist()
    missing = np.log(1 - chance).astype(np.float32)
    bare = np.zeros((height, width), np.float32)  # logarithm of the chance that nothing lies here
    windows = []
    for (left, top), mask, amount in zip((low - origin).tolist(), masks, missing, strict=True):
        window = bare[top : top + mask.bits.shape[0], left : left + mask.bits.shape[1]]
        window[mask.bits] += amount
        windows.append(window)
    return np.array(
        [
            float((1 - np.exp(window[mask.bits] - amount)).mean()) if mask.bits.any() else 1.0
            for window, mask, amount in zip(windows, masks, missing, strict=True)
        ]
    )


def _lacking(chance: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """float (n,): how many of what each looks like the cell lacks beside it of the usual number; below 0: has more."""
    there = chance[:, None] * probabilities
    others = there.sum(axis=0) - there
    lack = 2.0 - others
    sexes = 2.0 - others[:, _X] - others[:, _Y]
    lack[:, _X] = np.minimum(lack[:, _X], sexes)
    lack[:, _Y] = np.minimum(1.0 - others[:, _Y], sexes)
    return np.asarray((probabilities * np.clip(lack, -1.5, 2.0)).sum(axis=1))


def fills(mask: Mask, box: np.ndarray) -> float:
    """IoU of the outline's extent with a box; 0 without an outline.  box: float (4,) xyxy."""
    if not mask.bits.any():
        return 0.0
    rows, columns = mask.bits.shape
    extent = np.array([[mask.left, mask.top, mask.left + columns, mask.top + rows]], np.float64)
    return float(overlap(extent, np.asarray(box, np.float64)[None])[0, 0])
