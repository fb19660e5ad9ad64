"""Counting mode in Chromium: by pointer and by key, cell after cell without loading a page, through a server's blip."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cases.models import CellCount, Metaphase
from tests.browser import sign_in
from tests.cases.conftest import add_cell


class CountPage:
    def __init__(self, page: Any, cell: Any, server: str) -> None:
        self.page, self.cell, self.server = page, cell, server

    def open(self, cell: Any = None) -> CountPage:
        self.page.goto(f"{self.server}/cells/{(cell or self.cell).pk}/?count")
        return self.at(cell or self.cell)

    def at(self, cell: Any) -> CountPage:
        self.page.wait_for_selector(f"main[data-counting='{cell.pk}']")
        return self

    def number(self, number: int) -> None:
        self.page.locator("#count-number", has_text=str(number)).wait_for()

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the photograph is on the page."""
        at = self.page.evaluate(
            """([x, y]) => {
              const svg = document.getElementById("count-field");
              const point = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
              return [point.x, point.y];
            }""",
            [x, y],
        )
        return at[0], at[1]

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.on_screen(x, y))

    def stored(self) -> None:
        self.page.locator("#count-saving", has_text="").wait_for(state="attached")
        self.page.wait_for_selector("#count-saving:empty", state="attached")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture
def three(transactional_db: None, karyogram: Any, case: Any, technologist: Any) -> list[Any]:
    """Three analysed cells of five proposed chromosomes each, of one stored picture."""
    first = karyogram.metaphase
    cells = [first]
    for page in (1, 2):
        cell = add_cell(case, first.image, page)
        Metaphase.objects.filter(pk=cell.pk).update(analysis_state="succeeded")
        cells.append(cell)
    return cells


@pytest.fixture(autouse=True)
def _one_picture_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stored picture has one page; the cells here share it."""
    from cases.api import pixels

    shown = copy.copy(pixels.view)

    def first_page(request: Any, metaphase: Any) -> Any:
        metaphase.page = 0
        return shown(request, metaphase)

    monkeypatch.setattr(pixels, "view", first_page)


@pytest.fixture
def counting(three: list[Any], technologist: Any, unhurried_server: Any, browser_context: Any) -> CountPage:
    sign_in(browser_context, technologist, unhurried_server.url)
    return CountPage(browser_context.new_page(), three[0], unhurried_server.url).open()


def tally(cell: Any) -> CellCount:
    return CellCount.objects.get(metaphase=cell)


def test_clicks_add_and_take_away_ticks_and_enter_stores_and_goes_on(counting: CountPage, three: list[Any]) -> None:
    counting.number(5)
    counting.page.get_by_text("Proposed by the models, not counted yet").wait_for()
    counting.click(200, 200)
    counting.number(6)
    counting.page.get_by_text("The karyogram holds 5.").wait_for()
    counting.click(41, 34)  # the machine's tick on the first chromosome
    counting.click(65, 34)
    counting.number(4)
    counting.press("z")
    counting.number(5)
    counting.press("Shift+Z", "s")
    counting.number(4)
    loaded = counting.page.evaluate("performance.timeOrigin")
    counting.press("Enter")
    counting.at(three[1]).number(5)
    counting.stored()
    assert (tally(three[0]).number, tally(three[0]).sure) == (4, False)
    assert tally(three[0]).ticks[-1] == pytest.approx([200, 200], abs=1)
    assert counting.page.url.endswith(f"/cells/{three[1].pk}/?count")
    assert counting.page.evaluate("performance.timeOrigin") == loaded
    row = counting.page.locator("#count-cells tr").first
    assert row.inner_text().split() == ["Cell", "1", "4", "?", "counted"]
    assert "1 of 3 counted" in counting.page.locator("#count-sum").inner_text()


def test_the_next_photograph_is_fetched_ahead(counting: CountPage, three: list[Any]) -> None:
    """Going on asks for no picture: it is there already."""
    context, asked = counting.page.context, []
    context.on("request", lambda request: asked.append(request.url) if "/view/" in request.url else None)
    counting.page.close()
    again = CountPage(context.new_page(), three[0], counting.server).open()
    for _ in range(200):
        if any(str(three[1].pk) in url for url in asked):
            break
        again.page.wait_for_timeout(20)
    assert any(str(three[1].pk) in url for url in asked)
    assert not any(str(three[2].pk) in url for url in asked)
    again.page.wait_for_load_state("networkidle")
    context.route(f"**/{three[1].pk}/view/**", lambda route: route.abort())
    again.press(".")
    again.at(three[1]).number(5)
    assert again.page.locator("#count-field").is_visible()
    for _ in range(200):
        if any(str(three[2].pk) in url for url in asked):
            return
        again.page.wait_for_timeout(20)
    pytest.fail("The third photograph was not fetched ahead.")


def test_a_case_by_keyboard_alone(counting: CountPage, three: list[Any]) -> None:
    counting.press("ArrowRight", "ArrowRight", "Shift+ArrowDown", " ")
    counting.number(6)
    counting.press("Backspace", "Enter")
    counting.at(three[1])
    counting.press("a")
    counting.at(three[2])
    counting.press("e", "ArrowDown", "Enter")
    counting.page.get_by_text("Excluded: Incomplete or broken spread").wait_for()
    counting.stored()
    cells = list(Metaphase.objects.order_by("ordinal"))
    assert [cell.standing for cell in cells] == ["counted", "analysed", "excluded"]
    assert cells[2].exclusion_reason == "Incomplete or broken spread"
    counting.press(",", ",")
    counting.at(three[0]).number(5)
    counting.press(",")
    counting.page.get_by_text("This is the first cell of the case.").wait_for()
    counting.page.go_back()
    counting.at(three[1])
    counting.press("Escape")
    counting.page.wait_for_selector("main[data-opened]:not(.counting-mode)")
    assert counting.page.url.endswith(f"/cells/{three[1].pk}/")


def test_the_editors_keys_do_nothing_meanwhile(counting: CountPage, three: list[Any]) -> None:
    counting.page.wait_for_selector("main[data-opened]", state="attached")
    counting.press("x", "d", "t", "f", "Control+Enter", "Delete")
    counting.press("#")
    counting.page.wait_for_selector("main:not(.counting-mode)")
    three[0].refresh_from_db()
    assert three[0].karyogram.version == 1 and three[0].accepted_at is None
    counting.press("#")
    counting.at(three[0]).number(5)


def test_there_and_back_with_a_chromosome_chosen(counting: CountPage, three: list[Any]) -> None:
    """The handle over the chosen one goes away with the sheet, and comes back to its place."""
    counting.press("#")
    counting.page.wait_for_selector("main[data-opened]:not(.counting-mode)")
    counting.page.locator(".chromosome[data-id=c03]").click()
    handle = counting.page.locator("#turn")
    before = handle.bounding_box()
    counting.press("#")
    counting.at(three[0])
    assert handle.is_hidden()
    counting.press("#")
    counting.page.wait_for_selector("main:not(.counting-mode)")
    handle.wait_for()
    assert handle.bounding_box() == before


def test_counts_survive_a_blip_and_a_closed_page(counting: CountPage, three: list[Any]) -> None:
    context = counting.page.context
    context.route("**/count/", lambda route: route.abort() if route.request.method == "PUT" else route.continue_())
    counting.click(200, 200)
    counting.press("Enter")
    counting.at(three[1])
    counting.page.get_by_text("1 change not stored yet").wait_for()
    counting.click(220, 200)  # a draft, not stored by anybody
    assert not CellCount.objects.exists()
    counting.page.close()
    context.unroute("**/count/")
    again = CountPage(context.new_page(), three[1], counting.server).open(three[1])
    again.number(6)
    again.stored()
    assert tally(three[0]).number == 6
    assert not CellCount.objects.filter(metaphase=three[1]).exists()


def test_someone_elses_count_is_not_overwritten(counting: CountPage, three: list[Any], colleague: Any) -> None:
    from cases.actions.record_count import record_count

    record_count(user=colleague, metaphase_id=three[0].pk, ticks=[[5, 5]], sure=True, base_version=0)
    counting.click(200, 200)
    counting.press("Enter")
    counting.page.get_by_text("Cole Lindqvist counted 1").wait_for()
    assert tally(three[0]).number == 1
    counting.press(",")
    counting.at(three[0]).number(6)  # what was ticked here is kept as a draft
    counting.press("Enter")
    counting.at(three[1])
    counting.stored()
    assert tally(three[0]).number == 6


def test_a_locked_case_is_shown_and_not_counted(counting: CountPage, three: list[Any], case: Any) -> None:
    case.state = "signed"
    case.save()
    counting.open(three[1])
    counting.page.locator("#count-say-text", has_text="signed").wait_for()
    counting.click(200, 200)
    counting.number(5)
    assert counting.page.locator("#count-store").is_disabled()


def test_the_count_stands_against_the_other_cells(counting: CountPage, three: list[Any]) -> None:
    counting.press("Enter")
    counting.at(three[1])
    counting.click(200, 200)
    counting.press("Enter")
    counting.at(three[2])
    counting.stored()
    counting.page.goto(f"{counting.server}/cells/{three[1].pk}/")
    line = counting.page.locator("#others")
    line.wait_for()
    assert line.inner_text().replace("\xa0", " ") == "counted 6, 5 here; others 5 ×1"
    assert "doubtful" in line.get_attribute("class")
    counting.page.locator(".chromosome[data-id=c03]").click()
    line.click()
    counting.page.wait_for_url("**/across/?class=8")
