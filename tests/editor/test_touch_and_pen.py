"""A finger and a pen do what a mouse does: lead chromosomes to other places, paint, turn, and choose."""

from __future__ import annotations

from typing import Any

import pytest

from cases.reports.geometry import ring_mask
from tests.editor.conftest import CellPage

Point = tuple[float, float]


def middle(target: Any, x: float = 0.5, y: float = 0.5) -> Point:
    box = target.bounding_box()
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def led(cell: CellPage, by: str, start: Point, end: Point, *, release: bool = True) -> Any:
    """From one point to another, as the browser is told of fingers and pens; → the session that tells it."""
    inspector = cell.page.context.new_cdp_session(cell.page)
    way = [(start[0] + (end[0] - start[0]) * part / 8, start[1] + (end[1] - start[1]) * part / 8) for part in range(9)]
    kinds = ["Start", *["Move"] * 8] if by == "touch" else ["Pressed", *["Moved"] * 8]
    for kind, (x, y) in zip(kinds, way, strict=True):
        if by == "touch":
            inspector.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [{"x": x, "y": y}]})
        else:
            pen = {"type": f"mouse{kind}", "x": x, "y": y, "pointerType": "pen", "button": "left", "buttons": 1}
            inspector.send("Input.dispatchMouseEvent", pen | {"clickCount": 1, "force": 0.5})
    if release and by == "touch":
        inspector.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    elif release:
        up = {
            "type": "mouseReleased",
            "x": end[0],
            "y": end[1],
            "pointerType": "pen",
            "button": "left",
            "clickCount": 1,
        }
        inspector.send("Input.dispatchMouseEvent", up)
    return inspector


@pytest.fixture(params=["touch", "pen"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_chromosome_is_led_to_another_place(cell: CellPage, by: str) -> None:
    cell.page.evaluate("addEventListener('pointerdown', (event) => (globalThis.kind = event.pointerType), true)")
    led(cell, by, middle(cell.chromosome("c03")), middle(cell.place("X"), x=0.95))
    cell.saved(2)
    assert cell.page.evaluate("globalThis.kind") == by
    assert cell.shown("X") == cell.stored_slot("X") == ["c04", "c03"]
    assert cell.page.locator(".ghost").count() == 0


def test_an_outline_is_led_from_the_photograph(cell: CellPage, by: str) -> None:
    led(cell, by, middle(cell.outline("c05")), middle(cell.place("21")))
    cell.saved(2)
    assert cell.stored_slot("21") == ["c05"]


def test_a_touch_that_hardly_moves_only_chooses(cell: CellPage, by: str) -> None:
    x, y = middle(cell.chromosome("c03"))
    led(cell, by, (x, y), (x + 3, y + 2))
    cell.page.locator(".chromosome.selected[data-id=c03]").wait_for()
    assert cell.stored()["version"] == 1


def test_a_stroke_of_the_brush(cell: CellPage, by: str) -> None:
    cell.choose("c01")
    cell.press("b")
    before = ring_mask(cell.stored_chromosome("c01")["rings"], 240, 320)
    outline = cell.outline("c01")
    led(cell, by, middle(outline), middle(outline, y=1.6))
    cell.saved(2)
    painted = ring_mask(cell.stored_chromosome("c01")["rings"], 240, 320)
    assert (painted & ~before).sum() > 100 and not (before & ~painted).any()


def test_the_handle_turns_the_chosen_one(cell: CellPage, by: str) -> None:
    cell.choose("c01")
    x, y = middle(cell.chromosome("c01"))
    led(cell, by, middle(cell.page.locator("#turn")), (x + 60, y))
    cell.saved(2)
    assert cell.stored_chromosome("c01")["angle"] == pytest.approx(90, abs=8)


def test_a_drag_that_the_browser_takes_away_moves_nothing(cell: CellPage) -> None:
    """A palm on the screen, a call: the system cancels the touch."""
    finger = led(cell, "touch", middle(cell.chromosome("c03")), middle(cell.place("X")), release=False)
    assert cell.page.locator(".ghost").count() == 1
    finger.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})
    cell.page.locator(".ghost").wait_for(state="detached")
    assert cell.stored()["version"] == 1
