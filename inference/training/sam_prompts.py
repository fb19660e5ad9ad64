"""Prompts as they come in use, with the answer that is right: boxes with a detector's errors, boxes and clicks,
clicks alone, a present mask with clicks where it is wrong; and what a prompt is told of its neighbours."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.protocols import Mask
from inference.stages.window import NEIGHBOURS, in_window, told_of, window_of
from inference.training.scenes import Composed

SLOTS = 6  # points a prompt may have: two corners of a box, four clicks
SHARED_COUNTS, OTHERS_COUNT = 3.0, 0.5  # how much more than 1
_UNTOLD, _EXACT = 0.15, 0.25  # of the scenes
_MISSING = 0.06  # of the boxes
_TWICE, _JOINED, _PIECES = 0.15, 0.06, 0.06  # of the boxes have such a false one beside them


@dataclass(frozen=True)
class Prompt:
    """left, top, side: its window.  points: (x, y, label) in the window.  present: bool mask or None.
    neighbours: float32 (NEIGHBOURS, 5), in the window.  truth: the true bits.  counts: float32, how much each pixel
    counts: what two share most, then what is another's."""

    left: int
    top: int
    side: int
    points: list[tuple[float, float, int]]
    present: np.ndarray | None
    neighbours: np.ndarray
    truth: np.ndarray
    counts: np.ndarray


def corrupted(bits: np.ndarray, rng: random.Random) -> np.ndarray:
    """A mask with the errors that people correct: a part missing, too much, too thin or too fat."""
    import cv2

    wrong: Any = bits.astype(np.uint8)
    kind = rng.randrange(4)
    rows, columns = np.nonzero(bits)
    if len(rows) == 0:
        return bits
    at = rng.randrange(len(rows))
    y, x = int(rows[at]), int(columns[at])
    radius = rng.randint(6, 26)
    if kind in (0, 3):
        cv2.circle(wrong, (x, y), radius, 0, -1)
    if kind in (1, 3):
        angle = rng.uniform(0, 2 * math.pi)
        far = (int(x + 1.2 * radius * math.cos(angle)), int(y + 1.2 * radius * math.sin(angle)))
        cv2.line(wrong, (x, y), far, 1, rng.randint(6, 16))
    if kind == 2:
        size = rng.choice((3, 5))
        change = cv2.erode if rng.random() < 0.5 else cv2.dilate
        wrong = change(wrong, np.ones((size, size), np.uint8))
    return wrong.astype(bool)


def _pick(bits: np.ndarray, rng: random.Random) -> tuple[float, float] | None:
    """A pixel of the bits, rather inside than at the rim."""
    import cv2

    if not bits.any():
        return None
    inner = cv2.erode(bits.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rows, columns = np.nonzero(inner if inner.any() else bits)
    at = rng.randrange(len(rows))
    return float(columns[at]), float(rows[at])


def prompt_for(composed: Composed, index: int, box: np.ndarray, around: np.ndarray, rng: random.Random) -> Prompt:
    """One of the prompts that chromosome `index` of the scene may get.  around: its row of `told`."""
    target = composed.placed[index].mask
    kind = rng.choices(("box", "box+points", "points", "refine"), (0.6, 0.13, 0.12, 0.15))[0]
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    reach = float(max(box[2] - box[0], box[3] - box[1]))
    if kind == "points":
        rows, columns = np.nonzero(target.bits)
        at = rng.randrange(len(rows))
        middle, reach = (target.left + float(columns[at]), target.top + float(rows[at])), 999.0
    middle = (middle[0] + rng.uniform(-4, 4), middle[1] + rng.uniform(-4, 4))
    left, top, side = window_of(*middle, reach)
    truth = window_bits(target, left, top, side)
    points: list[tuple[float, float, int]] = []
    present = None
    if kind in ("box", "box+points") or (kind == "refine" and rng.random() < 0.5):
        points += [
            (box[0] - left - 0.5, box[1] - top - 0.5, 2),
            (box[2] - left - 0.5, box[3] - top - 0.5, 3),
        ]
    others = np.zeros_like(truth)
    for other, one in enumerate(composed.placed):
        if other != index:
            others |= window_bits(one.mask, left, top, side)
    counts = 1 + SHARED_COUNTS * (others & truth) + OTHERS_COUNT * (others & ~truth)
    others &= ~truth
    if kind == "refine":
        present = corrupted(truth, rng)
        missing, extra = _pick(truth & ~present, rng), _pick(present & ~truth, rng)
        points += [(*missing, 1)] if missing else []
        points += [(*extra, 0)] if extra else []
        if rng.random() < 0.3:
            inside = _pick(truth, rng)
            points += [(*inside, 1)] if inside else []
    elif kind != "box":
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            inside = _pick(truth, rng)
            points += [(*inside, 1)] if inside else []
        for _ in range(rng.choice((0, 0, 1, 2))):
            outside = _pick(others if rng.random() < 0.7 and others.any() else ~truth, rng)
            points += [(*outside, 0)] if outside and len(points) < SLOTS else []
    neighbours = in_window(around, left, top)
    return Prompt(left, top, side, points[:SLOTS], present, neighbours, truth, counts.astype(np.float32))


def told(boxes: np.ndarray, others: np.ndarray, rng: random.Random) -> np.ndarray:
    """float32 (n, NEIGHBOURS, 5): what the prompts of a scene's chromosomes are told of the rest, as a detector errs,
    or nothing at all, as to a click.  boxes: (n, 4), of the chromosomes; others: of the scene's other ones."""
    if rng.random() < _UNTOLD:
        return np.zeros((len(boxes), NEIGHBOURS, 5), np.float32)
    return told_of(*as_detected(boxes, others, rng))[: len(boxes)]


def as_detected(boxes: np.ndarray, others: np.ndarray, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """Boxes float32 (m, 4), those of a scene's chromosomes first, its other ones then, and how sure each is, float32
    (m,), as a detector errs: now and then one is missing (0), now and then a box is there twice or holds two, less
    sure than most."""
    exact = rng.random() < _EXACT
    there = np.concatenate([boxes, others]).astype(np.float32)
    sure = np.array([1.0 if exact else _how_sure(rng) for _ in there], np.float32)
    added = []
    if not exact:
        for row, box in enumerate(there):
            wide, high = float(box[2] - box[0]), float(box[3] - box[1])
            chance = rng.random()
            if chance < _TWICE:
                added.append(box + np.array([rng.gauss(0, 0.07) * side for side in (wide, high, wide, high)]))
            elif chance < _TWICE + _JOINED and len(there) > 1:
                middles = (there[:, :2] + there[:, 2:]) / 2
                away = np.abs(middles - middles[row]).sum(1)
                near = there[int(np.argsort(away)[1])]
                added.append(np.concatenate([np.minimum(box[:2], near[:2]), np.maximum(box[2:], near[2:])]))
            elif chance < _TWICE + _JOINED + _PIECES:
                piece = box.copy()
                side, share = rng.randrange(4), rng.uniform(0.35, 0.65)
                piece[side] += (wide if side % 2 == 0 else high) * share * (1 if side < 2 else -1)
                added.append(piece)
    unsure = np.array([0.6 * rng.random() ** 2 for _ in added], np.float32)
    every = np.concatenate([there, np.asarray(added, np.float32).reshape(-1, 4)])
    return every, np.concatenate([sure, unsure])


def _how_sure(rng: random.Random) -> float:
    """Of a true box; 0: the detector missed it.  It is still to be cut when a person points at it."""
    return 0.0 if rng.random() < _MISSING else 1 - 0.7 * rng.random() ** 3


def window_bits(mask: Mask, left: int, top: int, side: int) -> np.ndarray:
    bits = np.zeros((side, side), bool)
    rows, columns = mask.bits.shape
    y1, x1 = max(top, mask.top), max(left, mask.left)
    y2, x2 = min(top + side, mask.top + rows), min(left + side, mask.left + columns)
    if y1 < y2 and x1 < x2:
        bits[y1 - top : y2 - top, x1 - left : x2 - left] = mask.bits[
            y1 - mask.top : y2 - mask.top, x1 - mask.left : x2 - mask.left
        ]
    return bits
