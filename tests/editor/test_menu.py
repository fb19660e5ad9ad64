"""Every operation by the pointer alone: from the menu of a chromosome on the sheet or in the photograph, and back.

Their keys are pressed in test_changes.py and test_arranging.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.editor.conftest import CellPage


def menu(cell: CellPage, target: Any, words: str) -> None:
    """Right click, and a click on the operation whose name this is."""
    target.click(button="right")
    cell.page.get_by_role("menu").get_by_text(words, exact=True).click()


OPERATIONS = [
    ("c03", "Keep 8 as it is", {"reviewed": True, "label": "8", "source": "machine"}),
    ("c03", "Unclassified", {"label": "unknown", "order": 1, "source": "person"}),
    ("c03", "Marker", {"label": "unknown", "role": "marker"}),
    ("c01", "Derivative", {"label": "1", "order": 1, "role": "derivative"}),
    ("c03", "Debris", {"state": "debris", "order": 0}),
    ("c01", "Swap the two 1s", {"label": "1", "order": 1}),
    ("c03", "Upside down", {"angle": 180}),
    ("c03", "A quarter turn clockwise", {"angle": 90}),
    ("c03", "Flip left and right", {"flip": True}),
    ("c03", "Show it straightened", {"straight": True}),
]


@pytest.mark.parametrize("side", ["sheet", "photograph"])
@pytest.mark.parametrize(("identifier", "words", "changes"), OPERATIONS, ids=[one[1] for one in OPERATIONS])
def test_an_operation_from_the_menu_and_undone_by_the_button(
    cell: CellPage, karyogram: Any, identifier: str, words: str, changes: dict[str, Any], side: str
) -> None:
    if words == "Show it straightened":
        karyogram.document["chromosomes"][2]["axis"] = [[89, 12], [92, 34], [89, 56]]
        karyogram.save()
        cell.open()
    before = cell.stored()["document"]
    menu(cell, cell.chromosome(identifier) if side == "sheet" else cell.outline(identifier), words)
    cell.saved(2)
    stored = cell.stored_chromosome(identifier)
    assert {key: stored[key] for key in changes} == changes
    slot = "debris" if stored["state"] == "debris" else stored["label"]
    assert cell.shown(slot) == cell.stored_slot(slot)
    cell.page.click("#undo")
    cell.saved(3)
    assert cell.stored()["document"] == before
    # The way on is still there after the page was loaded anew.
    cell.open()
    cell.page.click("#redo")
    cell.saved(4)
    assert cell.stored_chromosome(identifier) == stored


def test_two_chosen_are_swapped_and_three_merged_from_the_menu(cell: CellPage) -> None:
    cell.choose("c03")
    cell.outline("c04").click(modifiers=["Shift"])
    menu(cell, cell.chromosome("c04"), "Swap the two chosen")
    cell.saved(2)
    assert (cell.stored_slot("8"), cell.stored_slot("X")) == (["c04"], ["c03"])
    cell.choose("c01")
    cell.chromosome("c02").click(modifiers=["Shift"])
    cell.chromosome("c05").click(modifiers=["Shift"])
    menu(cell, cell.outline("c02"), "Merge the 3 chosen into one")
    cell.saved(3)
    assert len(cell.stored_chromosome("c01")["rings"]) == 3
    assert cell.stored()["count"] == 3
    cell.page.click("#undo")
    cell.saved(4)
    assert cell.stored()["count"] == 5


def test_back_to_the_proposal_from_the_menu(cell: CellPage) -> None:
    before = cell.stored()["document"]
    menu(cell, cell.chromosome("c03"), "Flip left and right")
    menu(cell, cell.chromosome("c01"), "Debris")
    cell.saved(3)
    menu(cell, cell.outline("c03"), "As the machine proposed it")
    cell.saved(4)
    assert cell.stored_chromosome("c03") == before["chromosomes"][2]
    menu(cell, cell.place("2"), "The whole cell as the machine proposed it")
    cell.saved(5)
    assert cell.stored()["document"] == before
    assert cell.shown("1") == ["c01", "c02"]


def test_the_tools_from_the_menu_and_from_their_buttons(cell: CellPage) -> None:
    for words, tool in (("Refine the outline", "refine"), ("Split in two", "split")):
        menu(cell, cell.chromosome("c01"), words)
        cell.page.locator(f"#spread[data-tool={tool}]").wait_for()
        cell.press("Escape")
    for name in ("Add", "Refine", "Brush", "Erase", "Split"):
        cell.page.locator(".tools").get_by_role("button", name=name).click()
        cell.page.locator(f"#spread[data-tool={name.lower()}]").wait_for()
    assert cell.stored()["version"] == 1


def test_dragged_among_the_unclassified(cell: CellPage) -> None:
    cell.drag(cell.chromosome("c03"), cell.place("unknown"), x=0.05)
    cell.saved(2)
    assert cell.shown("unknown") == cell.stored_slot("unknown") == ["c03", "c05"]
