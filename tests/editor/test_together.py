"""Two people at one cell at the same time, each in a browser of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.editor.conftest import CellPage


@pytest.fixture
def colleagues_page(browser: Any, cell: CellPage, cell_page: Any, colleague: Any) -> Iterator[CellPage]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    opened: CellPage = cell_page(colleague, cell.metaphase, context).open()
    yield opened
    context.close()


def test_each_sees_who_is_here_and_what_the_other_does(cell: CellPage, colleagues_page: CellPage) -> None:
    cell.page.locator(".here-now .person", has_text="CL").wait_for()
    colleagues_page.page.locator(".here-now .person", has_text="TO").wait_for()
    colleagues_page.choose("c03")
    colleagues_page.press("x")
    colleagues_page.saved(2)
    began = time.monotonic()
    cell.saved(2)
    assert time.monotonic() - began < 2 + 8, "within two seconds; more only because tests share their processors"
    assert cell.shown("X") == ["c04", "c03"]
    assert cell.page.locator(".here-now .did").text_content() == "8 → X"
    assert "marked" in cell.chromosome("c03").get_attribute("class")
    cell.choose("c05")
    cell.press("7")
    cell.saved(3)
    colleagues_page.saved(3)
    assert colleagues_page.shown("7") == ["c05"]


def test_undo_and_redo_mean_ones_own_steps(cell: CellPage, colleagues_page: CellPage) -> None:
    cell.choose("c03")
    cell.press("x")
    cell.saved(2)
    colleagues_page.saved(2)
    colleagues_page.choose("c05")
    colleagues_page.press("7")
    colleagues_page.saved(3)
    cell.saved(3)
    cell.press("z")
    cell.saved(4)
    assert (cell.stored_slot("8"), cell.stored_slot("7")) == (["c03"], ["c05"])
    cell.press("Shift+Z")
    cell.saved(5)
    assert (cell.stored_slot("X"), cell.stored_slot("7")) == (["c04", "c03"], ["c05"])
    cell.press("z")
    cell.saved(6)
    cell.press("z")
    cell.says("There is nothing more of yours to undo")
    assert cell.stored()["version"] == 6
    assert cell.stored_slot("7") == ["c05"]
    colleagues_page.saved(6)
    colleagues_page.press("z")
    colleagues_page.saved(7)
    assert (cell.stored_slot("8"), cell.stored_slot("unknown")) == (["c03"], ["c05"])


def test_changes_at_the_same_moment_lose_nothing(cell: CellPage, colleagues_page: CellPage) -> None:
    """Both work on, each on other chromosomes, as fast as they can."""
    cell.choose("c01")
    colleagues_page.choose("c02")
    for turn in range(6):
        (cell if turn % 2 else colleagues_page).press("r", "f")
    for page in (cell, colleagues_page):
        page.all_saved()
        assert page.page.locator("#conflict").is_hidden()
    stored = cell.stored()
    assert stored["version"] == 13
    for identifier in ("c01", "c02"):
        now = cell.stored_chromosome(identifier)
        # A flipped one turns the other way as seen: 90, back to 0, and 90 again.
        assert (now["angle"], now["flip"]) == (90.0, True)
    cell.saved(stored["version"])
    colleagues_page.saved(stored["version"])


def test_a_case_that_someone_submits_is_locked_on_the_others_page(cell: CellPage, colleague: Any) -> None:
    from cases.models import Case

    Case.objects.update(state="submitted")
    cell.page.locator("#locked", has_text="is under review").wait_for()
    cell.choose("c03")
    cell.press("x")
    cell.says("is under review")
    assert cell.stored()["version"] == 1


def test_whoever_leaves_is_no_longer_shown(cell: CellPage, colleagues_page: CellPage) -> None:
    import datetime

    from django.utils import timezone

    from cases.models import Presence

    chip = cell.page.locator(".here-now .person")
    chip.wait_for()
    colleagues_page.page.close()
    Presence.objects.update(seen_at=timezone.now() - datetime.timedelta(seconds=20))
    chip.wait_for(state="hidden")


def test_a_page_that_asks_in_vain_asks_less_and_catches_up(cell: CellPage, colleague: Any) -> None:
    from cases.actions.edit_karyogram import edit_karyogram

    cell.page.route("**/karyogram/changes/**", lambda route: route.abort())
    for base in (1, 2):
        edit_karyogram(
            user=colleague, metaphase_id=cell.metaphase.pk, base_version=base, edit={"op": "flip", "id": "c01"}
        )
    assert cell.page.locator("#say").is_hidden(), "nothing is lost, so nothing is said"
    cell.page.unroute("**/karyogram/changes/**")
    cell.page.evaluate("dispatchEvent(new Event('online'))")
    cell.saved(3)
