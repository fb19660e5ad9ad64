"""What the tools have made is undone and redone from a page that was loaded since."""

from __future__ import annotations

from tests.editor.conftest import CellPage
from tests.editor.hands import FOUND, click, cutter, stroke


def test_everything_the_tools_made_is_undone_and_redone_after_a_reload(cell: CellPage) -> None:
    """Brushed, split, refined, added, merged, erased: back to the beginning and forth again, each on a fresh page."""
    wider = {**FOUND, "rings": [[[86, 8], [100, 8], [100, 60], [86, 60]]], "box": [86, 8, 100, 60], "label": "8"}
    untouched = cell.stored()["document"]
    cutter(cell, 503, wider, FOUND)
    cell.choose("c01")
    cell.press("b")
    stroke(cell, (41, 40), (41, 100))
    cell.saved(2)
    cell.press("k")
    stroke(cell, (25, 70), (60, 70))
    cell.saved(3)
    cell.press("Escape")
    cell.choose("c03")
    cell.press("g")
    click(cell, 93, 30)
    cell.saved(4)
    cell.press("a")
    stroke(cell, (195, 25), (220, 95))
    cell.saved(5)
    cell.press("Escape", "Escape")
    cell.choose("c02")
    cell.chromosome("c04").click(modifiers=["Shift"])
    cell.press("Shift+M")
    cell.saved(6)
    cell.choose("c02")
    cell.press("e")
    stroke(cell, (50, 20), (80, 20))
    cell.saved(7)
    made = cell.stored()["document"]

    cell.open()
    cell.press(*["z"] * 6)
    cell.saved(13)
    assert cell.stored()["document"] == untouched
    assert cell.page.locator("#undo").is_disabled()

    cell.open()
    cell.press(*["Shift+Z"] * 6)
    cell.saved(19)
    assert cell.stored()["document"] == made
    assert cell.shown("1") == cell.stored_slot("1")
    assert cell.page.locator("#redo").is_disabled()
