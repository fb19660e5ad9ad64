"""The tools on the photograph: by pointer and by key, what the server is asked, what is stored, and one undo for each.

Chromosomes of these tests are upright bars of 14 by 48 pixels: c01 at x 34–48, c02 at x 58–72, both y 10–58.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.editor.conftest import CellPage
from tests.editor.hands import FOUND, click, cutter, drawn, lead, mask, spot, stroke

HINT = "#tool-hint-text"


def test_a_tool_is_lit_says_what_to_do_and_is_put_down(cell: CellPage) -> None:
    page = cell.page
    assert page.locator("#tool-hint").is_hidden()
    for key, name, words in (
        ("a", "Add", "Drag a box around a chromosome"),
        ("g", "Refine", "Click the chromosome to refine"),
        ("b", "Brush", "Click the chromosome to paint on"),
        ("e", "Erase", "Click the chromosome to erase from"),
        ("k", "Split", "draw across"),
    ):
        cell.press(key)
        page.locator(".tools [aria-pressed=true]", has_text=name).wait_for()
        assert page.locator(".tools [aria-pressed=true]").count() == 1
        page.locator(HINT, has_text=words).wait_for()
    cell.press("Escape")
    page.locator(".tools [aria-pressed=true]", has_text="Choose").wait_for()
    assert page.locator("#tool-hint").is_hidden()
    page.get_by_role("button", name="Brush").click()
    page.locator("#spread[data-tool=brush]").wait_for()
    page.get_by_role("button", name="Brush").click()
    assert page.locator("#spread[data-tool]").count() == 0


def test_brush_by_pointer(cell: CellPage) -> None:
    before = cell.stored_chromosome("c01")
    cell.choose("c01")
    cell.press("b")
    stroke(cell, (41, 50), (41, 80), release=False)
    cell.page.locator(".tool-path.brush").wait_for(state="attached")
    assert cell.stored()["version"] == 1
    cell.page.mouse.up()
    cell.saved(2)
    assert drawn(cell) == 0
    painted = cell.stored_chromosome("c01")
    assert not (mask(before) & ~mask(painted)).any()
    assert (mask(painted) & ~mask(before)).sum() == pytest.approx(8 * 22 + 25, rel=0.12)
    assert painted["box"][3] == pytest.approx(84, abs=1)
    assert {key: painted[key] for key in ("label", "order", "angle", "reviewed")} == {
        key: before[key] for key in ("label", "order", "angle", "reviewed")
    }
    cell.press("z")
    cell.saved(3)
    assert cell.stored_chromosome("c01")["rings"] == before["rings"]


def test_erase_by_pointer_cuts_a_notch_and_can_leave_two_pieces(cell: CellPage) -> None:
    before = cell.stored_chromosome("c02")
    cell.choose("c02")
    cell.press("e")
    stroke(cell, (50, 30), (80, 30))
    cell.saved(2)
    wiped = cell.stored_chromosome("c02")
    assert len(wiped["rings"]) == 2
    assert mask(before).sum() - mask(wiped).sum() == pytest.approx(14 * 8, rel=0.1)
    cell.press("z")
    cell.saved(3)
    assert cell.stored_chromosome("c02")["rings"] == before["rings"]


@pytest.mark.parametrize(("key", "change"), [("b", 1), ("e", -1)])
def test_brush_and_eraser_by_keys(cell: CellPage, key: str, change: int) -> None:
    """The crosshair starts in the middle of the chosen one; Space puts the brush down and lifts it."""
    before = cell.stored_chromosome("c01")
    cell.choose("c01")
    lead(cell, key, "4×]", "Space", "Space", "12×ArrowRight", "Space")
    cell.saved(2)
    after = cell.stored_chromosome("c01")
    assert (int(mask(after).sum()) - int(mask(before).sum())) * change > 60
    cell.press("z")
    cell.saved(3)
    assert cell.stored_chromosome("c01")["rings"] == before["rings"]


def test_a_stroke_is_given_up_and_a_click_paints_nothing(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press("b")
    click(cell, 80, 80)
    stroke(cell, (41, 50), (90, 80), release=False)
    cell.page.locator(".tool-path.brush").wait_for(state="attached")
    cell.press("Escape")
    assert drawn(cell) == 0
    cell.page.mouse.up()
    cell.page.locator("#spread[data-tool=brush]").wait_for()
    stroke(cell, (40, 20), (42, 40))  # inside already: nothing to store
    assert cell.stored()["version"] == 1


def test_without_a_chosen_one_the_first_press_chooses(cell: CellPage) -> None:
    cell.press("e")
    click(cell, 65, 30)
    cell.page.locator(".chromosome.selected[data-id=c02]").wait_for()
    cell.page.locator(HINT, has_text="Drag to wipe from it").wait_for()
    assert cell.stored()["version"] == 1


def test_nothing_can_be_wiped_away_altogether(cell: CellPage) -> None:
    cell.choose("c01")
    lead(cell, "e", "12×]")
    stroke(cell, (41, 0), (41, 70))
    cell.says("Nothing of this chromosome would be left")
    assert cell.stored()["version"] == 1


def test_the_width_of_the_brush(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press("b")
    read = cell.page.locator("#tool-options output")
    assert read.inner_text() == "8 px"
    lead(cell, "2×]", "[")
    assert read.inner_text() == "10 px"
    assert cell.stored_chromosome("c01")["angle"] == 0  # the same keys turn, without a brush in hand
    cell.page.mouse.move(*spot(cell, 100, 100))
    cell.page.keyboard.down("Alt")
    cell.page.mouse.wheel(0, -100)
    cell.page.keyboard.up("Alt")
    cell.page.locator("#tool-options output", has_text="12 px").wait_for()
    assert cell.page.eval_on_selector(".tool-ring.shown", "ring => ring.r.baseVal.value") == 6
    cell.open()
    cell.press("e")
    assert read.inner_text() == "12 px"


def test_add_by_a_box(cell: CellPage) -> None:
    asked = cutter(cell, FOUND)
    cell.press("a")
    stroke(cell, (196, 26), (222, 95))
    cell.saved(2)
    assert asked[0]["points"] == [] and asked[0]["rings"] is None
    assert asked[0]["box"] == pytest.approx([196, 26, 222, 95], abs=0.6)
    (added,) = cell.stored_slot("9")
    new = cell.stored_chromosome(added)
    assert added.startswith("p")
    assert new["rings"] == FOUND["rings"] and new["axis"] == FOUND["axis"]
    assert (new["angle"], new["source"], new["reviewed"], new["state"]) == (12.5, "person", True, "present")
    assert (new["score"], new["detection_score"], new["centromere"]) == (0.8, 0.9, 0.4)
    cell.page.locator(f".chromosome.selected[data-id={added}]").wait_for()
    assert drawn(cell) == 0
    cell.press("z")
    cell.saved(3)
    assert cell.stored_slot("9") == []


def test_add_by_a_click_and_by_keys(cell: CellPage) -> None:
    asked = cutter(cell, FOUND | {"label": None, "probabilities": {}, "axis": None, "centromere": None})
    cell.press("a")
    click(cell, 208, 60)
    cell.saved(2)
    ((x, y, this),) = asked[0]["points"]
    assert (x, y) == pytest.approx((208, 60), abs=0.6) and this == 1 and asked[0]["box"] is None
    assert len(cell.stored_slot("unknown")) == 2
    cell.press("z")
    cell.saved(3)
    cell.press("Escape", "a")
    lead(cell, "Enter", "3×ArrowRight", "Enter")
    cell.saved(4)
    ((x, y, _),) = asked[1]["points"]
    assert x == pytest.approx(
        160 + 24 / cell.page.evaluate("document.querySelector('#spread').getScreenCTM().a"), abs=2
    )
    lead(cell, "Space", "5×ArrowRight", "4×ArrowDown", "Space")
    cell.saved(5)
    x1, y1, x2, y2 = asked[2]["box"]
    assert x2 - x1 > y2 - y1 > 5


def test_a_click_on_an_outline_adds_nothing(cell: CellPage) -> None:
    asked = cutter(cell, FOUND)
    cell.press("a")
    click(cell, 41, 30)
    cell.says("has its outline already")
    stroke(cell, (150, 150), (152, 200))
    cell.says("too small")
    assert asked == [] and cell.stored()["version"] == 1


def test_a_click_on_debris_tells_how_to_bring_it_back(cell: CellPage) -> None:
    asked = cutter(cell, FOUND)
    before = cell.stored_slot("1")
    cell.choose("c01")
    cell.press("Delete")
    cell.saved(2)
    assert cell.stored_slot("debris") == ["c01"]
    cell.press("Escape", "a")
    click(cell, 41, 30)
    cell.says("put aside as debris")
    assert asked == []
    cell.press("1")
    cell.saved(3)
    assert sorted(cell.stored_slot("1")) == sorted(before), "it is chosen, so that its class can be typed"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (503, "Cutting on demand does not answer just now. Nothing was changed."),
        (404, "This server does not cut on demand."),
        (FOUND | {"rings": []}, "Nothing that looks like a chromosome was found there."),
    ],
)
def test_when_nothing_is_cut_the_person_is_told(cell: CellPage, answer: Any, sentence: str) -> None:
    cutter(cell, answer)
    cell.press("a")
    click(cell, 208, 60)
    cell.says(sentence)
    assert drawn(cell) == 0 and cell.page.locator("#spread.busy").count() == 0
    assert cell.stored()["version"] == 1


def test_escape_gives_up_an_answer_that_is_waited_for(cell: CellPage) -> None:
    held: list[Any] = []
    cell.page.route("**/cut/", lambda route: held.append(route))
    cell.press("a")
    click(cell, 208, 60)
    cell.page.locator(HINT, has_text="Cutting").wait_for()
    cell.press("Escape")
    cell.page.locator(HINT, has_text="Drag a box").wait_for()
    held[0].fulfill(status=200, content_type="application/json", body=json.dumps(FOUND))
    cell.choose("c01")
    cell.press("f")
    cell.saved(2)
    assert cell.stored_slot("9") == []


def test_refine_by_clicks(cell: CellPage) -> None:
    """Each click asks with the outline as it is by then; this too, and not this by Alt, right button or Q."""
    grown = FOUND | {"rings": [[[34, 10], [48, 10], [48, 70], [34, 70]]]}
    asked = cutter(cell, grown, FOUND)
    before = cell.stored_chromosome("c01")
    cell.choose("c01")
    cell.press("g")
    click(cell, 41, 65)
    cell.saved(2)
    assert asked[0]["rings"] == before["rings"]
    assert [point[2] for point in asked[0]["points"]] == [1]
    stored = cell.stored_chromosome("c01")
    assert stored["rings"] == grown["rings"] and stored["axis"] == FOUND["axis"]
    assert (stored["label"], stored["angle"]) == ("1", 0)
    click(cell, 100, 100, button="right")
    cell.saved(3)
    assert asked[1]["rings"] == grown["rings"]
    assert [point[2] for point in asked[1]["points"]] == [1, 0]
    cell.press("z")
    cell.saved(4)
    cell.press("z")
    cell.saved(5)
    assert cell.stored_chromosome("c01") == before
    cell.page.keyboard.down("Alt")
    click(cell, 41, 40)
    cell.page.keyboard.up("Alt")
    cell.saved(6)
    assert [point[2] for point in asked[2]["points"]] == [0]  # what was undone is not asked for again


def test_refine_by_keys(cell: CellPage) -> None:
    asked = cutter(cell, FOUND)
    cell.choose("c01")
    lead(cell, "g", "q", "Enter", "Enter")
    cell.saved(2)
    ((x, y, this),) = asked[0]["points"]
    assert (x, y, this) == (41, 34, 0)
    assert cell.page.get_by_role("button", name="Not this").get_attribute("aria-pressed") == "true"


def test_no_tools_where_nothing_may_be_changed(karyogram: Any, technologist: Any, cell_page: Any) -> None:
    case = karyogram.metaphase.case
    case.state = "signed"
    case.save()
    cell = cell_page(technologist, karyogram.metaphase).open()
    assert cell.page.get_by_role("button", name="Brush").is_disabled()
    cell.press("b")
    cell.says("This case is signed")
    assert cell.page.locator("#spread[data-tool]").count() == 0


def test_two_fingers_move_and_enlarge_and_leave_no_stroke(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press("b")
    x, y = spot(cell, 41, 34)
    before = cell.page.evaluate("document.querySelector('#spread').getScreenCTM().a")
    touch = cell.page.context.new_cdp_session(cell.page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    fingers("touchStart", (x, y))
    fingers("touchMove", (x, y + 30))
    cell.page.locator(".tool-path.brush").wait_for(state="attached")
    fingers("touchStart", (x, y + 30), (x + 100, y + 30))
    assert drawn(cell) == 0
    fingers("touchMove", (x - 50, y + 60), (x + 150, y + 60))
    fingers("touchEnd")
    cell.page.wait_for_timeout(50)
    after = cell.page.evaluate("document.querySelector('#spread').getScreenCTM().a")
    assert after / before == pytest.approx(2, rel=0.05)
    assert cell.page.locator(".chromosome.selected[data-id=c01]").count() == 1
    assert cell.stored()["version"] == 1
