"""What is seen of each cut beside the cuts that it meets, for one who looks at it a second time.

The first time a prompt's answer knows of its neighbours only where their boxes are.  Where two touch, both may take the
same edge or neither; where they cross, one may end that goes on below the other.  Once all are cut, each is looked at
again with what the others take (inference.backends.sam_beside).  One module for training and use.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from inference.backends.boxes import overlap
from inference.protocols import Mask
from inference.stages.edge import edge_levels
from inference.stages.window import view_of, window_of

FAINT = 0.03  # detection score from which a cut is looked at again
SURE = 0.3  # and from which it counts as another's
# Density 0..1, the cut's logits, the strongest of the others', how many take a pixel, the box, and how far the density
# lies above the level at which the cell's cuts have their edges, −1..1.
PLANES = 6
BOX = 4  # which of them is the box
MEETING = 40  # working pixels that cuts share from which they are looked at a third time
REACH = 8.0  # logits are told up to here
AROUND = 12  # working pixels around a box that are seen with it
STEP = 8  # the network's coarsest step
_RANGE = 64.0  # of density, 0..255, that the last plane tells
_SAME = 0.7  # IoU of two boxes from which the less sure one is the other once more
_RISE, _SOFT = 2.5, 0.6  # logits a working pixel from an outline; how softly that is drawn, working pixels
_MOST = 3.0  # takers of a pixel that are told apart

Answer = tuple[np.ndarray, tuple[int, int, int], float]  # logits, their window (left, top, side), expected IoU


def planes_of_crossing(
    density: np.ndarray, answers: Sequence[Answer], boxes: np.ndarray, sure: np.ndarray
) -> dict[int, np.ndarray]:
    """As `planes`, of those alone whose answers share MEETING working pixels or more with the others'."""
    seen = planes(density, answers, boxes, sure)
    return {row: one for row, one in seen.items() if crosses(one)}


def crosses(seen: np.ndarray) -> bool:
    """Whether a cut, by its planes, shares MEETING working pixels or more with the others'."""
    return int(((seen[1] > 0) & (seen[2] > 0)).sum()) >= MEETING


def answer_of(mask: Mask, box: np.ndarray, scale: float) -> Answer:
    """What a network would have answered whose cut is this mask, pixels of the original: logits that rise with the
    distance from the outline.  box: float (4,), around it, working pixels.  scale: working pixels a pixel."""
    import cv2

    window = left, top, side = window_of(
        float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2, float(max(box[2] - box[0], box[3] - box[1]))
    )
    room = math.ceil(3 * _SOFT / scale)
    soft = cv2.GaussianBlur(np.pad(mask.bits, room).astype(np.float32), (0, 0), _SOFT / scale)
    x, y = ((start - room + 0.5) * scale - 0.5 - corner for start, corner in ((mask.left, left), (mask.top, top)))
    move = np.array([[scale, 0, x], [0, scale, y]], np.float32)
    share = cv2.warpAffine(soft, move, (side, side), flags=cv2.INTER_LINEAR)
    inside = (share > 0.5).astype(np.uint8)
    if not inside.any():
        return np.full((side, side), -REACH, np.float32), window, 1.0
    within, beyond = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (inside, 1 - inside))
    # Beside the outline the share tells the distance by parts of a pixel; further away whole ones are enough.
    away = np.where(np.abs(share - 0.5) < 0.35, (share - 0.5) * _SOFT * math.sqrt(2 * math.pi), within - beyond)
    return np.clip(_RISE * away, -REACH, REACH).astype(np.float32), window, 1.0


def planes(
    density: np.ndarray, answers: Sequence[Answer], boxes: np.ndarray, sure: np.ndarray
) -> dict[int, np.ndarray]:
    """By row, of those that are looked at again: float32 (PLANES, side, side).

    density: uint8 (h, w) of the field, working pixels.  answers: one a box.  boxes: float (n, 4), working pixels.
    sure: float (n,) 0..1, the detector's scores."""
    told = met(density, answers, boxes, sure)
    levels = edge_levels(told, [row for row in told if sure[row] >= SURE], boxes)
    return {row: with_level(one, levels.get(row)) for row, one in told.items()}


def met(
    density: np.ndarray,
    answers: Sequence[Answer],
    boxes: np.ndarray,
    sure: np.ndarray,
    wanted: Collection[int] | None = None,
) -> dict[int, np.ndarray]:
    """As `planes`, all but the last of them.  wanted: of these rows alone, and only if they are looked at again."""
    same = overlap(boxes, boxes) > _SAME
    sure = np.asarray(sure, np.float64)
    rows, others = np.flatnonzero(sure >= FAINT).tolist(), np.flatnonzero(sure >= SURE).tolist()
    held = {row: np.clip(answers[row][0], -REACH, REACH) for row in rows}
    shares = {row: 1 / (1 + np.exp(-held[row])) for row in others}
    told = {}
    for row in rows if wanted is None else (row for row in rows if row in wanted):
        window = left, top, side = answers[row][1]
        strongest, taken = np.full((side, side), -REACH, np.float32), np.zeros((side, side), np.float32)
        for other in others:
            once_more = same[row, other] and sure[other] > sure[row]
            met = None if other == row or once_more else _met(window, answers[other][1])
            if met is not None:
                here, there = met
                strongest[here] = np.maximum(strongest[here], held[other][there])
                taken[here] += shares[other][there]
        box = np.zeros((side, side), np.float32)
        x1, y1, x2, y2 = (max(0, round(float(edge))) for edge in boxes[row] - [left, top, left, top])
        box[y1:y2, x1:x2] = 1
        told[row] = np.stack(
            [view_of(density, left, top, side) / 255, held[row], strongest, np.minimum(taken, _MOST), box]
        ).astype(np.float32)
    return told


def with_level(seen: np.ndarray, level: float | None) -> np.ndarray:
    """All planes.  seen: of `met`.  level: of `edge_levels`, None where no cut tells it."""
    density = seen[:1] * 255
    above = np.zeros_like(density) if level is None else np.clip((density - level) / _RANGE, -1, 1)
    return np.concatenate([seen, above])


def part_of(box: np.ndarray, side: int) -> tuple[slice, slice]:
    """What is looked at of a window: rows and columns around the box in it, (x1, y1, x2, y2), multiples of STEP."""
    x1, y1, x2, y2 = box.tolist()
    return _around(y1, y2, side), _around(x1, x2, side)


def _around(low: float, high: float, side: int) -> slice:
    low, high = max(0, math.floor(low) - AROUND), min(side, math.ceil(high) + AROUND)
    length = min(side, math.ceil(max(high - low, 1) / STEP) * STEP)
    start = min(max(0, low), side - length)
    return slice(start, start + length)


def _met(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where two windows lie over each other, in the one's pixels and in the other's; None where nowhere."""
    x1, y1 = max(one[0], other[0]), max(one[1], other[1])
    x2, y2 = min(one[0] + one[2], other[0] + other[2]), min(one[1] + one[2], other[1] + other[2])
    if x1 >= x2 or y1 >= y2:
        return None
    return (
        (slice(y1 - one[1], y2 - one[1]), slice(x1 - one[0], x2 - one[0])),
        (slice(y1 - other[1], y2 - other[1]), slice(x1 - other[0], x2 - other[0])),
    )
