"""Ticks on a metaphase: one on each chromosome that is counted."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

Point = tuple[float, float]
MOST_TICKS = 400  # as many as a karyogram may hold


class TicksRefused(ValueError):
    """`sentence` is for the person who counted."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def checked(ticks: Any, width: int, height: int) -> list[list[float]]:
    """The ticks to a tenth of a pixel.  Raises TicksRefused unless they are points of the picture."""
    if not isinstance(ticks, list):
        raise TicksRefused("The ticks of a count are a list of points.")
    if len(ticks) > MOST_TICKS:
        raise TicksRefused(f"A count has at most {MOST_TICKS} ticks. Nothing was stored.")
    return [_checked(tick, width, height) for tick in ticks]


def _checked(tick: Any, width: int, height: int) -> list[float]:
    numbers = isinstance(tick, list) and len(tick) == 2 and all(type(value) in (int, float) for value in tick)
    if not numbers or not all(math.isfinite(value) for value in tick):
        raise TicksRefused("A tick is a point: two numbers, in pixels of the photograph.")
    x, y = tick
    if not (0 <= x <= width and 0 <= y <= height):
        raise TicksRefused("A tick lies outside the photograph. Nothing was stored.")
    return [round(float(x), 1), round(float(y), 1)]


def proposed(document: dict[str, Any]) -> list[list[float]]:
    """A tick on each chromosome that the karyogram holds as present: what a count starts from."""
    found = (middle(one) for one in document["chromosomes"] if one["state"] == "present")
    return [[round(x, 1), round(y, 1)] for x, y in found]


def middle(chromosome: dict[str, Any]) -> Point:
    """A point on the chromosome itself, near its middle: a bent one's centre of mass lies beside it."""
    rings = [ring for ring in chromosome["rings"] if len(ring) >= 3]
    if not rings:
        x1, y1, x2, y2 = chromosome["box"]
        return (x1 + x2) / 2, (y1 + y2) / 2
    x, y = _centroid(max(rings, key=lambda ring: abs(_area(ring))))
    spans = _spans(rings, y)
    if not spans:
        return x, y
    for left, right in spans:
        if left + 1 < x < right - 1:
            return x, y
    left, right = min(spans, key=lambda span: abs((span[0] + span[1]) / 2 - x))
    return (left + right) / 2, y


def _edges(ring: list[list[float]]) -> list[tuple[list[float], list[float]]]:
    return list(pairwise([*ring, ring[0]]))


def _area(ring: list[list[float]]) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in _edges(ring)) / 2


def _centroid(ring: list[list[float]]) -> Point:
    area = _area(ring)
    if abs(area) < 1e-6:
        return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
    moments = [(x0 + x1, y0 + y1, x0 * y1 - x1 * y0) for (x0, y0), (x1, y1) in _edges(ring)]
    return sum(x * part for x, _, part in moments) / (6 * area), sum(y * part for _, y, part in moments) / (6 * area)


def _spans(rings: list[list[list[float]]], y: float) -> list[tuple[float, float]]:
    """Where the horizontal line at y runs inside, even-odd."""
    crossings = sorted(
        x0 + (y - y0) * (x1 - x0) / (y1 - y0)
        for ring in rings
        for (x0, y0), (x1, y1) in _edges(ring)
        if (y0 > y) != (y1 > y)
    )
    return list(zip(crossings[::2], crossings[1::2], strict=False))
