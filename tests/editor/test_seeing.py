"""Looking closer on both panes, picture settings, and the Chromosome panel."""

from __future__ import annotations

from typing import Any

import pytest

from karyosite.accounts.preferences import preferences
from tests.editor.conftest import CellPage

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

GREY = """(selector) => {
  const canvas = document.querySelector(selector);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let [sum, many] = [0, 0];
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200) { sum += data[at]; many += 1; }
  return sum / many;
}"""
ON_SHEET = ".chromosome[data-id=c01] canvas"


def grey(cell: CellPage, selector: str) -> float:
    return float(cell.page.evaluate(GREY, selector))


def test_picture_settings_change_both_panes_and_follow_the_person(
    cell: CellPage, technologist: Any, browser: Any, cell_page: Any
) -> None:
    cell.page.locator("canvas.spread-image").wait_for()
    before = [grey(cell, selector) for selector in (".spread-image", ON_SHEET)]
    cell.page.click("#view")
    with cell.page.expect_response("**/me/preferences/") as kept:
        cell.page.locator("#brightness").fill("30")
    assert kept.value.ok
    after = [grey(cell, selector) for selector in (".spread-image", ON_SHEET)]
    assert all(late > early + 5 for early, late in zip(before, after, strict=True))
    technologist.refresh_from_db()
    assert preferences(technologist)["view"]["brightness"] == 30
    # The same person at another computer.
    elsewhere = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        other = cell_page(technologist, cell.metaphase, elsewhere).open()
        other.page.locator("canvas.spread-image").wait_for()
        assert grey(other, ".spread-image") == pytest.approx(after[0], abs=1)
        assert "changed" in other.page.get_attribute("#view", "class")
        other.page.click("#view")
        with other.page.expect_response("**/me/preferences/"):
            other.page.locator("#brightness").dblclick()
        assert other.page.locator("#brightness").input_value() == "0"
        assert grey(other, ".spread-image") == pytest.approx(before[0], abs=1)
    finally:
        elsewhere.close()


def test_the_sheet_is_looked_at_closely_and_a_drop_still_lands(cell: CellPage) -> None:
    cell.page.locator("canvas.spread-image").wait_for()
    box = cell.chromosome("c03").bounding_box()
    cell.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    cell.page.mouse.wheel(0, -900)
    cell.page.locator(".chromosome[data-id=c03] canvas.single-pixels").wait_for()
    closer = cell.chromosome("c03").bounding_box()
    assert closer["width"] > box["width"] * 3
    drawn = "canvas => canvas.width / canvas.offsetWidth"
    assert cell.page.eval_on_selector(".chromosome[data-id=c03] canvas", drawn) > 3
    cell.press("-", "-", "-")  # the pane under the pointer
    assert cell.chromosome("c03").bounding_box()["width"] < closer["width"]
    cell.press("0")
    assert cell.chromosome("c03").bounding_box()["width"] == pytest.approx(box["width"], abs=0.5)
    cell.drag(cell.chromosome("c01"), cell.place("5"))
    cell.saved(2)
    assert cell.stored_chromosome("c01")["label"] == "5"


def test_the_photograph_shows_single_pixels_from_twice_its_size(cell: CellPage) -> None:
    cell.page.locator("canvas.spread-image:not(.single-pixels)").wait_for()
    cell.page.hover("#spread")
    for _ in range(12):
        cell.press("+")
    cell.page.locator("canvas.spread-image.single-pixels").wait_for()
    lies = cell.page.evaluate(
        """() => [".spread-image", "#spread .outline[data-id=c01]"].map((one) => {
          const { left, top, width } = document.querySelector(one).getBoundingClientRect();
          return [left, top, width];
        })"""
    )
    scale = lies[0][2] / cell.metaphase.width
    rings = cell.stored_chromosome("c01")["rings"][0]
    assert lies[1][0] - lies[0][0] == pytest.approx(min(x for x, _ in rings) * scale, abs=3)
    assert lies[1][1] - lies[0][1] == pytest.approx(min(y for _, y in rings) * scale, abs=3)


def test_the_panel_shows_homologues_ideogram_and_likelihoods(cell: CellPage, technologist: Any) -> None:
    cell.choose("c01")
    cell.press("i")
    panel = cell.page.locator(".drawer-chromosome")
    panel.locator(".homologue").nth(1).wait_for()
    panel.get_by_role("img", name="Ideogram of chromosome 1, 550 bands").wait_for()
    assert panel.locator(".density-measured").count() == 1
    with cell.page.expect_response("**/me/preferences/"):
        panel.get_by_role("button", name="850").click()
    panel.get_by_role("img", name="Ideogram of chromosome 1, 850 bands").wait_for()
    panel.locator(".homologue").nth(1).click()
    cell.page.locator(".chromosome.selected[data-id=c02]").wait_for()
    technologist.refresh_from_db()
    assert (preferences(technologist)["bands"], preferences(technologist)["drawer"]) == (850, "chromosome")


def test_a_scale_bar_on_both_panes_where_the_size_of_a_pixel_is_known(
    karyogram: Any, lab: Any, technologist: Any, cell_page: Any, transactional_db: None
) -> None:
    without = cell_page(technologist, karyogram.metaphase).open()
    assert without.page.locator(".scale-bar").count() == 0
    lab.micrometres_per_pixel = 0.1
    lab.save()
    cell = cell_page(technologist, karyogram.metaphase).open()
    cell.page.locator("canvas.spread-image").wait_for()
    bars = cell.page.locator(".scale-bar")
    assert bars.count() == 2

    def shown(number: int) -> tuple[float, float]:
        """Micrometres, and the CSS pixels that they take."""
        bar = bars.nth(number)
        micrometres, unit = bar.locator("span").inner_text().split()
        assert unit == "µm"
        return float(micrometres), bar.locator("i").bounding_box()["width"]

    photograph = cell.page.evaluate("document.querySelector('#spread').getScreenCTM().a")
    micrometres, px = shown(0)
    assert px == pytest.approx(micrometres / 0.1 * photograph, abs=1)
    # Chromosomes of 48 pixels stand on the sheet: 4.8 µm.
    micrometres, px = shown(1)
    tall = cell.chromosome("c01").bounding_box()["height"]
    assert px / micrometres == pytest.approx(tall / 4.8, rel=0.08)
    cell.page.hover("#spread")
    cell.press("+", "+", "+")
    micrometres, px = shown(0)
    photograph = cell.page.evaluate("document.querySelector('#spread').getScreenCTM().a")
    assert px == pytest.approx(micrometres / 0.1 * photograph, abs=1)


def test_the_ideogram_at_every_number_of_bands_and_the_agreement_of_the_pattern(cell: CellPage) -> None:
    cell.choose("c03")
    cell.press("i")
    panel = cell.page.locator(".drawer-chromosome")
    bands = []
    for level in ("400", "550", "850"):
        panel.get_by_role("button", name=level).click()
        panel.get_by_role("img", name=f"Ideogram of chromosome 8, {level} bands").wait_for()
        bands.append(panel.locator("svg.ideogram g rect").count())
    assert bands == sorted(set(bands)), "more bands at each level"
    panel.get_by_text("Agreement").wait_for()
    panel.get_by_text("between 8 (71 %) and X (26 %)").wait_for()
    # Another class to compare with, by a click on its likelihood.
    panel.get_by_text("26 %", exact=True).click()
    panel.get_by_role("img", name="Ideogram of chromosome X, 850 bands").wait_for()
    assert cell.stored()["version"] == 1, "comparing names nothing"
