"""The tools on the photograph: by pointer and by key, what is drawn, what is stored, and one undo for each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cases.reports.geometry import ring_mask
from tests.editor.conftest import CellPage

# In the document of these tests c01 lies at x 34–48, y 10–58 and c02 at x 58–72, y 10–58.
HINT = "#tool-hint-text"


def area(chromosome: dict[str, Any]) -> int:
    return int(ring_mask(chromosome["rings"], 240, 320).sum())


def spot(cell: CellPage, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the photograph lies on the page."""
    found = cell.page.eval_on_selector(
        "#spread",
        "(svg, [x, y]) => { const p = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [p.x, p.y]; }",
        [x, y],
    )
    return float(found[0]), float(found[1])


def stroke(cell: CellPage, *points: tuple[float, float], release: bool = True) -> None:
    mouse = cell.page.mouse
    for index, point in enumerate(points):
        mouse.move(*spot(cell, *point), steps=1 if index == 0 else 6)
        if index == 0:
            mouse.down()
    if release:
        mouse.up()


def click(cell: CellPage, x: float, y: float, **how: Any) -> None:
    cell.page.mouse.click(*spot(cell, x, y), **how)


def test_brush_paints_and_one_undo_takes_it_back(cell: CellPage) -> None:
    before = cell.stored_chromosome("c01")
    cell.choose("c01")
    cell.press("b")
    stroke(cell, (41, 50), (41, 80))
    cell.saved(2)
    painted = cell.stored_chromosome("c01")
    assert area(painted) > area(before) + 150
    assert painted["box"][3] > 80
    assert (painted["label"], painted["angle"], painted["id"]) == ("1", 0.0, "c01")
    cell.press("z")
    cell.saved(3)
    assert cell.stored_chromosome("c01")["rings"] == before["rings"]
