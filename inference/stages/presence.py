"""Which of the detector's candidates are chromosomes, once all of them have been cut and looked at.

A second box on one chromosome has the same outline as the first; a piece of one lies within another; dirt looks like
no class.  None of that is known while boxes are found, so the detector hands over more candidates than there are
chromosomes, and they are judged here: first each by what it looks like (a logistic regression, fitted on validation
cells), then all together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.backends.boxes import overlap
from inference.labels import CHROMOSOMES
from inference.protocols import Looks, Mask
from inference.stages.assign import FREE, SEXES

FEATURES = (
    "log-odds of the detector's score",
    "IoU of the box with a surer one's",
    "IoU of the mask with a surer one's",
    "share of the mask within a surer one's",
    "log-odds of the likeliest class",
    "distance of the area from the cell's median, logarithm",
    "area to the cell's median, logarithm",
    "share of the mask within another",
    "log-odds of one whole chromosome",
    "how much more a chromosome one looks that shares the mask",
    "shares of the mask within others, summed",
)
ASIDE = 0.1  # chance from which one that was left out is kept in sight, as debris
MOST_ASIDE = 8  # of them, the likeliest: where cuts are poor there may be dozens, which nobody looks through
# Natural logarithms of odds.  An empty first or second place, and a third one, are what they are in few cells; far
# less is charged than their rarity would allow, so that a cell that shows 45 or 47 clearly stays as it is.  Least for
# a second sex chromosome: 45,X is the commonest of all losses.
_MISSING, _FURTHER, _MISSING_SEX = 3.5, 3.5, 1.5
_SECOND_SEX = (("X", 2), ("Y", 1))
_SURE = 0.95  # chance from which a candidate is taken whatever the cell has
_PLACES = 4
_FLOOR = 0.002
_EDGE = 0.005
_RIVAL = 0.3  # share of a mask from which one that has it as well is a rival
_FAR = 4.0
_NEVER = 1e6


@dataclass(frozen=True)
class Presence:
    """A logistic regression over features (FEATURES, or these and CONTEXT), each brought to mean 0 and spread 1."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    offset: float

    @classmethod
    def of(cls, listed: Mapping[str, Any] | None, count: int = len(FEATURES)) -> Presence | None:
        """From the manifest; None where nothing was fitted, or for another number of features than `count`."""
        if not listed or any(len(listed[name]) != count for name in ("mean", "spread", "weights")):
            return None
        numbers = {name: tuple(map(float, listed[name])) for name in ("mean", "spread", "weights")}
        return cls(**numbers, offset=float(listed["offset"]))

    def chance(self, features: np.ndarray) -> np.ndarray:
        """float32 (n,), 0..1: that each candidate is a chromosome.  features: float (n, as many as were fitted)."""
        odds = (features - np.array(self.mean)) / np.array(self.spread) @ np.array(self.weights) + self.offset
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def features(
    scores: np.ndarray,
    boxes: np.ndarray,
    areas: np.ndarray,
    shared: np.ndarray,
    looks: Looks,
) -> np.ndarray:
    """float (n, len(FEATURES)).  scores: float (n,), the detector's.  areas: (n,) pixels of the masks.  shared: (n, n),
    pixels that two masks share, as `shared_areas` gives them."""
    count = len(scores)
    if count == 0:
        return np.zeros((0, len(FEATURES)))
    surer = np.empty(count, int)
    surer[np.argsort(-scores, kind="stable")] = np.arange(count)
    above = surer[None, :] < surer[:, None]
    areas = np.maximum(areas, 1).astype(np.float64)
    together = shared / np.maximum(areas[:, None] + areas[None] - shared, 1)
    within = np.where(np.eye(count, dtype=bool), 0, shared / areas[:, None])
    whole = log_odds(np.full(count, 0.5) if looks.whole is None else looks.whole, 0.01)
    better = np.where(within >= _RIVAL, whole[None] - whole[:, None], -_FAR).max(axis=1)
    size = np.log(areas / np.median(areas) + 0.02)
    return np.stack(
        [
            log_odds(scores, 1e-4),
            np.where(above, overlap(boxes, boxes), 0).max(axis=1),
            np.where(above, together, 0).max(axis=1),
            np.where(above, within, 0).max(axis=1),
            log_odds(looks.probabilities.max(axis=1), 1e-3),
            np.abs(size),
            size,
            within.max(axis=1),
            whole,
            np.clip(better, -_FAR, _FAR),
            np.minimum(within.sum(axis=1), 2.0),
        ],
        axis=1,
    )


def log_odds(share: np.ndarray, edge: float) -> np.ndarray:
    held = np.clip(share.astype(np.float64), edge, 1 - edge)
    return np.asarray(np.log(held / (1 - held)))


def shared_areas(masks: Sequence[Mask]) -> np.ndarray:
    """float (n, n): pixels that two masks share; the diagonal is 0."""
    shared = np.zeros((len(masks), len(masks)))
    for first, one in enumerate(masks):
        for second in range(first):
            shared[first, second] = shared[second, first] = int(one.common(masks[second]).bits.sum())
    return shared


def _price(label: str, copy: int, sex: Mapping[str, int]) -> float:
    """What it costs a cell of this sex that the copy-th place (1, 2, 3 …) of a class is taken; below 0: what it
    saves."""
    beyond = copy - sex.get(label, FREE)
    if beyond > 0:
        return beyond * _FURTHER
    return -_MISSING_SEX if (label, copy) in _SECOND_SEX else -_MISSING


def settle(chance: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """bool (n,): the candidates that are taken for chromosomes, decided for the whole cell at once.

    chance: float (n,), that each is one.  probabilities: float (n, 24), rows sum to 1.
    Pairs are a prior of finite weight: a doubtful candidate that looks like what the cell lacks is taken, one that
    looks like what it has twice is not; a sure one is always taken.
    """
    from scipy.optimize import linear_sum_assignment

    count = len(chance)
    if count == 0:
        return np.zeros(0, bool)
    places = [(index, copy) for index in range(len(CHROMOSOMES)) for copy in range(1, _PLACES + 1)]
    classes = np.array([index for index, _ in places])
    held = np.clip(chance.astype(np.float64), _EDGE, 1 - _EDGE)
    looked_at = -np.log(np.maximum(probabilities.astype(np.float64), _FLOOR))[:, classes] - np.log(held)[:, None]
    left = np.where(np.eye(count, dtype=bool), -np.log(1 - held)[:, None], _NEVER)
    cheapest, chosen = np.inf, np.zeros(count, bool)
    for sex in SEXES:
        taken = looked_at + np.array([_price(CHROMOSOMES[index], copy, sex) for index, copy in places])
        costs = np.concatenate([taken, left], axis=1)
        rows, columns = linear_sum_assignment(costs)
        if costs[rows, columns].sum() < cheapest:
            cheapest, chosen = costs[rows, columns].sum(), np.zeros(count, bool)
            chosen[rows] = columns < len(places)
    return chosen | (chance >= _SURE)
