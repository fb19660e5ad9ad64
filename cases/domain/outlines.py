"""Outlines that people send: drawn by hand or by a tool, and held to what an outline in a photograph can be.

What the machine proposed, and what an undo brings back, is not asked again.  The editor has the same in JavaScript
(outlines.js); both run the table tests/contracts/outlines.json.
"""

from __future__ import annotations

import math
from typing import Any

from cases.domain.karyogram_document import EditRefused, chromosome_fault, shape_fault

MAX_RINGS = 64
MAX_POINTS = 4000

Point = list[float]


def check_outlines(document: dict[str, Any], edit: Any) -> None:
    """Raises EditRefused, with a sentence, where an outline in the edit is empty, too fine, leaves the image or crosses
    itself.  An edit that is not even well-formed is left to the reducer."""
    for single in _singles(edit):
        op = single.get("op")
        if op == "reshape" and {"rings", "box"} <= set(single) and not shape_fault(single):
            _check(document["image"], single)
        elif op == "add" and not chromosome_fault(_complete(single.get("chromosome"))):
            _check(document["image"], single["chromosome"])


def _singles(edit: Any) -> list[dict[str, Any]]:
    if not isinstance(edit, dict):
        return []
    singles = edit.get("edits") if edit.get("op") == "batch" else [edit]
    return [single for single in singles if isinstance(single, dict)] if isinstance(singles, list) else []


def _complete(chromosome: Any) -> Any:
    return {**chromosome, "order": 0} if isinstance(chromosome, dict) else chromosome


def _check(image: dict[str, Any], shape: dict[str, Any]) -> None:
    rings, (x1, y1, x2, y2) = shape["rings"], shape["box"]
    if not rings:
        raise EditRefused("An outline has at least one ring. Nothing was changed; draw the chromosome's outline.")
    if len(rings) > MAX_RINGS or sum(map(len, rings)) > MAX_POINTS:
        most = f"{MAX_RINGS} rings and {MAX_POINTS} points"
        raise EditRefused(f"An outline has at most {most}. Nothing was changed; draw it more simply.")
    width, height = image["width"], image["height"]
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise EditRefused("The box of this outline leaves the photograph. Nothing was changed.")
    if not all(0 <= x <= width and 0 <= y <= height for ring in rings for x, y in ring):
        raise EditRefused("This outline leaves the photograph. Nothing was changed; draw it inside.")
    if any(crosses_itself(ring) for ring in rings):
        raise EditRefused("This outline crosses itself. Nothing was changed; draw it without a crossing.")


def crosses_itself(ring: list[Point]) -> bool:
    """Whether two edges of the closed polygon run through each other; that corners or edges touch does not count, since
    the tracing of pixels leaves such places."""
    size = len(ring)
    xs, ys = [point[0] for point in ring], [point[1] for point in ring]
    left, top = min(xs), min(ys)
    # Edges are compared within squares of a grid, so that outlines of thousands of points stay quick.
    side = max(max(xs) - left, max(ys) - top) / math.sqrt(size)
    if size < 4 or side == 0:
        return False
    squares: dict[tuple[int, int], list[int]] = {}
    for edge in range(size):
        for square in _squares((ring[edge], ring[(edge + 1) % size]), left, top, side):
            others = squares.setdefault(square, [])
            if any(_cross(ring, edge, other) for other in others):
                return True
            others.append(edge)
    return False


def _squares(edge: tuple[Point, Point], left: float, top: float, side: float) -> list[tuple[int, int]]:
    """The squares that an edge runs through, and no fewer: column by column, with a hair's breadth to spare."""
    (x1, y1), (x2, y2) = sorted(edge)
    found = []
    for column in range(math.floor((x1 - left) / side - 1e-6), math.floor((x2 - left) / side + 1e-6) + 1):
        begin, end = max(x1, left + column * side), min(x2, left + (column + 1) * side)
        heights = [y1, y2]
        if x2 - x1 > side * 1e-6:
            heights = [y1 + (y2 - y1) * (x - x1) / (x2 - x1) for x in (begin, end)]
        low, high = min(heights), max(heights)
        rows = range(math.floor((low - top) / side - 1e-6), math.floor((high - top) / side + 1e-6) + 1)
        found += [(column, row) for row in rows]
    return found


def _cross(ring: list[Point], one: int, other: int) -> bool:
    a, b = ring[one], ring[(one + 1) % len(ring)]
    c, d = ring[other], ring[(other + 1) % len(ring)]
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Point, b: Point, c: Point) -> int:
    """Which side of the line from a to b: 1, -1, or 0 for on it."""
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (area > 0) - (area < 0)
