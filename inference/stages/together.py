"""All candidates of a cell, described for one who judges them together (inference.backends.judge).

Which of sixty cuts are the cell's forty-six is one question, not sixty: of two cuts of one chromosome one is right, a
cut that joins two is wrong once both are there, and what explains dark pixels that nothing else explains is likely
right.  So besides each candidate stand its neighbours, and the regions that the same cuts cover, by which it can be
seen what the others explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.backends.boxes import overlap
from inference.protocols import Detections, Looks, Mask
from inference.stages.context import fills
from inference.stages.crops import surely_there
from inference.stages.presence import FEATURES, features, log_odds

ROWS = (
    *FEATURES,
    "log-odds of the IoU that the segmenter expects",
    "IoU of the outline's extent with the box",
    "area to the median of the sure ones, logarithm",
    "darkness to the cell's median",
    "area of the box to that median, logarithm",
    "log-odds of the detector's likeliest class",
    "chance that detector and classifier name it alike",
    "how far the likeliest class is before the second",
)
PAIRS = (
    "IoU of the masks",
    "share of the one's mask within the other's",
    "share of the other's mask within the one's",
    "IoU of the boxes",
    "share of the one's box within the other's",
    "share of the other's box within the one's",
    "chance that they are of one class",
    "how much surer the detector is of the other",
    "how much more the other looks like one whole chromosome",
    "how much darker what they share is than the cell",
)
SIZE = ROWS.index("area to the median of the sure ones, logarithm")
_TOUCHING = 0.02  # IoU of two boxes from which they are neighbours
_LEAST = 4  # pixels of a region that is told of


@dataclass(frozen=True)
class Described:
    """n candidates, r regions, each of the pixels that the same masks cover.

    rows: float32 (n, ROWS).  pairs: float32 (n, n, PAIRS), of the one (row) and the other (column).  near: float32
    (n, n), 1 where they are neighbours.  names: float32 (n, 24), rows sum to 1.  covers: float32 (r, n), 1 where a mask
    has the region.  sizes: float32 (r,), pixels.  dark: float32 (r,), density to the median of the regions.  areas:
    float32 (n,), pixels of the masks, at least 1."""

    rows: np.ndarray
    pairs: np.ndarray
    near: np.ndarray
    names: np.ndarray
    covers: np.ndarray
    sizes: np.ndarray
    dark: np.ndarray
    areas: np.ndarray


def describe(pixels: np.ndarray, found: Detections, masks: Sequence[Mask], looks: Looks) -> Described:
    """pixels: uint8 (h, w), dark chromosomes on a light ground.  One candidate at least."""
    covers, sizes, density = regions(pixels, masks)
    shared = (covers.T * sizes) @ covers
    areas = np.maximum(np.diag(shared), 1.0)
    np.fill_diagonal(shared, 0)
    told = sizes >= _LEAST
    usual = max(float(np.median(density[told])), 1.0) if told.any() else 1.0
    darkness = (covers.T @ (sizes * density)) / areas
    rows = np.column_stack(
        [features(found.scores, found.boxes, areas, shared, looks), _alone(found, masks, looks, areas)]
    )
    rows[:, ROWS.index("darkness to the cell's median")] = darkness / max(float(np.median(darkness)), 1.0)
    pairs = _pairs(found, looks, areas, shared)
    pairs[:, :, -1] = np.where(
        shared > 0, (covers.T * (sizes * density)) @ covers / np.maximum(shared, 1) / usual - 1, 0
    )
    near = (shared > 0) | (pairs[:, :, PAIRS.index("IoU of the boxes")] > _TOUCHING)
    np.fill_diagonal(near, False)
    arrays = rows, pairs, near, looks.probabilities, covers[told], sizes[told], density[told] / usual, areas
    return Described(*(np.ascontiguousarray(array, np.float32) for array in arrays))


def regions(pixels: np.ndarray, masks: Sequence[Mask]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """covers: float64 (r, n); sizes: float64 (r,), pixels; density: float64 (r,), mean grey below the ground."""
    count = len(masks)
    full = [mask for mask in masks if mask.bits.any()]
    if not full:
        return np.zeros((0, count)), np.zeros(0), np.zeros(0)
    low = np.array([(mask.left, mask.top) for mask in full]).min(axis=0)
    high = np.array([(mask.left + mask.bits.shape[1], mask.top + mask.bits.shape[0]) for mask in full]).max(axis=0)
    width, height = (high - low).tolist()
    # Each mask has a number drawn at random; sums of different sets of them are different but for one chance in 10^16.
    keys = np.random.default_rng(0).integers(1, 2**56, count)
    sums = np.zeros((height, width), np.int64)
    windows = []
    for mask, key in zip(masks, keys, strict=True):
        top, left = mask.top - low[1], mask.left - low[0]
        windows.append((slice(top, top + mask.bits.shape[0]), slice(left, left + mask.bits.shape[1])))
        if mask.bits.any():
            sums[windows[-1]][mask.bits] += key
    places = np.flatnonzero(sums)
    _, firsts, which, sizes = np.unique(
        sums.ravel()[places], return_index=True, return_inverse=True, return_counts=True
    )
    covers = np.zeros((len(sizes), count))
    rows, columns = np.divmod(places[firsts], width)
    for column, (mask, (down, across)) in enumerate(zip(masks, windows, strict=True)):
        inside = (rows >= down.start) & (rows < down.stop) & (columns >= across.start) & (columns < across.stop)
        held = np.flatnonzero(inside)
        covers[held, column] = mask.bits[rows[held] - down.start, columns[held] - across.start]
    ground = int(np.percentile(pixels[::4, ::4], 80))
    seen = pixels[low[1] : high[1], low[0] : high[0]].ravel()[places]
    density = np.bincount(which.ravel(), np.clip(ground - seen.astype(np.float64), 0, 255), len(sizes)) / sizes
    return covers, sizes.astype(np.float64), density


def _alone(found: Detections, masks: Sequence[Mask], looks: Looks, areas: np.ndarray) -> np.ndarray:
    """float (n, ROWS without FEATURES); darkness is left at 0."""
    sure = np.median(surely_there(areas.tolist(), found.scores))
    boxed = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    best = np.sort(looks.probabilities, axis=1)
    return np.column_stack(
        [
            log_odds(np.array([mask.score for mask in masks]), 0.01),
            [fills(mask, box) for mask, box in zip(masks, found.boxes, strict=True)],
            np.log(areas / sure + 0.02),
            np.zeros(len(areas)),
            np.log(boxed / sure + 0.1),
            log_odds(found.probabilities.max(axis=1), 0.01),
            (looks.probabilities * found.probabilities).sum(axis=1),
            best[:, -1] - best[:, -2],
        ]
    )


def _pairs(found: Detections, looks: Looks, areas: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """float (n, n, PAIRS); the darkness of what is shared is left at 0."""
    boxes = found.boxes.astype(np.float64)
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    boxed = (
        np.clip(high - low, 0, None).prod(axis=2) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1)[:, None]
    )
    framed = overlap(boxes, boxes)
    np.fill_diagonal(framed, 0)
    within = shared / areas[:, None]
    sure = log_odds(found.scores, 1e-4)
    whole = log_odds(np.full(len(areas), 0.5) if looks.whole is None else looks.whole, 0.01)
    return np.stack(
        [
            shared / np.maximum(areas[:, None] + areas[None] - shared, 1),
            within,
            within.T,
            framed,
            boxed,
            boxed.T,
            looks.probabilities @ looks.probabilities.T,
            np.clip(sure[None] - sure[:, None], -6, 6) / 3,
            np.clip(whole[None] - whole[:, None], -4, 4) / 2,
            np.zeros_like(shared),
        ],
        axis=2,
    )
