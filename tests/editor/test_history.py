"""The History panel: steps in words, any version to look at, compare and go back to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import keep_screenshot
from tests.editor.conftest import CellPage


@pytest.fixture
def worked_on(cell: CellPage) -> CellPage:
    """Version 4: c03 moved to X, turned, and the turn taken back; the drawer shows the history."""
    cell.choose("c03")
    cell.press("x")
    cell.saved(2)
    cell.press("r")
    cell.saved(3)
    cell.press("z")
    cell.saved(4)
    cell.press("h")
    cell.page.locator(".step").nth(3).wait_for()
    return cell


def rows(cell: CellPage) -> list[list[str]]:
    return [
        [row.locator(part).inner_text() for part in (".step-version", ".step-what")]
        for row in cell.page.locator(".step").all()
    ]


def test_every_step_is_listed_in_words_newest_first(worked_on: CellPage) -> None:
    cell = worked_on
    listed = rows(cell)
    assert [version for version, _ in listed] == ["4", "3", "2", "1"]
    assert [what for _, what in listed] == [
        "undoX turned to 0°", "X turned to 90°", "8 → X", "Proposed by the machine",
    ]  # fmt: skip
    assert cell.page.locator(".step-who").nth(2).inner_text().startswith("Tess Okafor · ")
    cell.page.locator(".step[data-version='2']").hover()
    assert "marked" in cell.chromosome("c03").get_attribute("class")
    assert "marked" in cell.outline("c03").get_attribute("class")
    cell.choose("c05")
    cell.press("7")
    cell.page.locator(".step[data-version='5']", has_text="? (unclassified) → 7").wait_for()


def test_a_version_is_looked_at_and_left_again(worked_on: CellPage) -> None:
    cell = worked_on
    cell.page.locator(".step[data-version='1'] .step-main").click()
    bar = cell.page.locator("#version-bar")
    bar.get_by_text("Version 1 of 4").wait_for()
    assert cell.shown("8") == ["c03"]
    cell.choose("c05")
    cell.press("7")
    cell.says("You are looking at an earlier version")
    keep_screenshot(cell.page, "history-version")
    bar.get_by_role("button", name="Back to now").click()
    assert bar.is_hidden()
    assert cell.shown("X") == ["c04", "c03"]
    assert cell.stored()["version"] == 4


def test_going_back_is_one_step_that_undo_takes_back(worked_on: CellPage) -> None:
    cell = worked_on
    cell.page.locator(".step[data-version='1'] .step-main").click()
    cell.page.get_by_role("button", name="Go back to this version").click()
    cell.saved(5)
    assert cell.shown("8") == cell.stored_slot("8") == ["c03"]
    cell.page.locator(".step[data-version='5']", has_text="Back to version 1").wait_for()
    cell.page.keyboard.press("z")
    cell.saved(6)
    assert cell.stored_slot("X") == ["c04", "c03"]


def test_two_versions_are_compared(worked_on: CellPage) -> None:
    cell = worked_on
    first = cell.page.locator(".step[data-version='1']")
    first.hover()
    first.get_by_role("button", name="Compare").click()
    lines = cell.page.locator(".comparison-line")
    lines.first.wait_for()
    assert lines.all_inner_texts() == ["X\n8 → X, looked at"]
    assert "differs" in cell.chromosome("c03").get_attribute("class")
    keep_screenshot(cell.page, "history-comparison")
    cell.page.locator("[data-shows='1']").click()
    cell.page.locator("#version-bar", has_text="Version 1 of 4").wait_for()
    assert cell.shown("8") == ["c03"]
    assert "differs" in cell.chromosome("c03").get_attribute("class")
    cell.page.get_by_role("button", name="End the comparison").click()
    cell.page.get_by_role("button", name="Back to now").click()
    assert cell.page.locator(".differs").count() == 0


def test_where_a_chromosome_comes_from(worked_on: CellPage) -> None:
    cell = worked_on
    origin = cell.page.locator(".origin")
    origin.get_by_text("Named by Tess Okafor").wait_for()
    assert "The machine took it for 8 (71 %)" in origin.inner_text()
    cell.choose("c01")
    assert "Named by the machine, 80 % sure" in origin.inner_text()


def test_the_drawer_is_closed_by_default_remembered_and_left_by_escape(cell: CellPage, colleague: Any) -> None:
    from cases.actions.edit_karyogram import edit_karyogram

    panel = cell.page.locator("#drawer-panel")
    assert panel.is_hidden()
    cell.press("h")
    panel.get_by_role("heading", name="History").wait_for()
    cell.page.locator("[data-panel=history]").focus()
    cell.page.wait_for_timeout(600)  # what a person chose is sent after a moment
    cell.open()
    cell.page.locator(".step").first.wait_for()
    cell.page.locator(".step-main").first.focus()
    edit_karyogram(user=colleague, metaphase_id=cell.metaphase.pk, base_version=1, edit={"op": "flip", "id": "c01"})
    cell.page.locator(".step").nth(1).wait_for()
    assert cell.page.evaluate("document.activeElement.closest('.step').dataset.version") == "1", "listed anew"
    cell.press("Escape")
    assert panel.is_hidden()
    assert cell.page.evaluate("document.activeElement.dataset.panel") == "history"


def test_a_person_without_the_right_looks_and_does_not_touch(
    karyogram: Any, administrator: Any, technologist: Any, cell_page: Any, transactional_db: None
) -> None:
    from cases.actions.edit_karyogram import edit_karyogram

    edit_karyogram(
        user=technologist, metaphase_id=karyogram.metaphase_id, base_version=1, edit={"op": "flip", "id": "c01"}
    )
    page = cell_page(administrator, karyogram.metaphase).open()
    page.press("h")
    page.page.locator(".step[data-version='1'] .step-main").click()
    page.page.locator("#version-bar", has_text="Version 1 of 2").wait_for()
    assert page.page.get_by_role("button", name="Go back to this version").count() == 0
