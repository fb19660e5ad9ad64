"""Hands on the photograph, for the tests of its tools: strokes, clicks, keys in a row, and a cutter that answers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from cases.reports.geometry import ring_mask
from tests.editor.conftest import CellPage

FOUND = {
    "rings": [[[200, 30], [216, 30], [216, 90], [200, 90]]],
    "box": [200, 30, 216, 90],
    "angle": 12.5,
    "axis": [[208, 31], [208, 60], [208, 89]],
    "centromere": 0.4,
    "score": 0.9,
    "label": "9",
    "probabilities": {"9": 0.8, "11": 0.1},
    "segmenter": "threshold",
}


def mask(chromosome: dict[str, Any]) -> np.ndarray:
    return ring_mask(chromosome["rings"], 240, 320)


def spot(cell: CellPage, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the photograph lies on the page."""
    found = cell.page.eval_on_selector(
        "#spread",
        """(svg, [x, y]) => {
          const point = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
          return [point.x, point.y];
        }""",
        [x, y],
    )
    return float(found[0]), float(found[1])


def stroke(cell: CellPage, *points: tuple[float, float], release: bool = True) -> None:
    mouse = cell.page.mouse
    for index, point in enumerate(points):
        mouse.move(*spot(cell, *point), steps=6 if index else 1)
        if not index:
            mouse.down()
    if release:
        mouse.up()


def click(cell: CellPage, x: float, y: float, **how: Any) -> None:
    cell.page.mouse.click(*spot(cell, x, y), **how)


def drawn(cell: CellPage) -> int:
    """Outlines and lines that a tool shows at this moment."""
    return int(cell.page.locator(".tool-path").count())


def cutter(cell: CellPage, *answers: dict[str, Any] | int) -> list[dict[str, Any]]:
    """Answers the page's questions for a cut one after the other, the last one for ever; → what was asked.

    A number is a status without a body of ours; what a worker cuts is tested with the API.
    """
    asked: list[dict[str, Any]] = []

    def answer(route: Any) -> None:
        asked.append(json.loads(route.request.post_data))
        given = answers[min(len(asked), len(answers)) - 1]
        if isinstance(given, int):
            route.fulfill(status=given, body="")
        else:
            route.fulfill(status=200, content_type="application/json", body=json.dumps(given))

    cell.page.route("**/cut/", answer)
    return asked


def lead(cell: CellPage, *keys: str) -> None:
    """Keys in a row; "12×ArrowDown" is one key twelve times."""
    for key in keys:
        many, _, name = key.rpartition("×")
        cell.press(*[name] * int(many or 1))
