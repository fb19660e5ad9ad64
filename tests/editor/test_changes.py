"""Every change a person can make, by key and by pointer: seen on the sheet and stored on the server."""

from __future__ import annotations

import pytest

from tests.editor.conftest import CellPage


def test_drag_to_another_class(cell: CellPage) -> None:
    cell.drag(cell.chromosome("c03"), cell.place("X"), x=0.95)
    assert cell.shown("X") == ["c04", "c03"]
    cell.saved(2)
    assert cell.stored_slot("X") == ["c04", "c03"]
    moved = cell.stored_chromosome("c03")
    assert (moved["reviewed"], moved["source"]) == (True, "person")


def test_drag_between_homologues_sets_the_order(cell: CellPage) -> None:
    cell.drag(cell.chromosome("c05"), cell.place("1"), x=0.5)
    cell.saved(2)
    assert cell.shown("1") == cell.stored_slot("1") == ["c01", "c05", "c02"]


def test_drag_an_outline_from_the_photograph(cell: CellPage) -> None:
    cell.drag(cell.outline("c05"), cell.place("21"))
    cell.saved(2)
    assert cell.stored_slot("21") == ["c05"]


def test_a_drag_shows_where_it_goes_and_escape_cancels_it(cell: CellPage) -> None:
    cell.drag(cell.chromosome("c03"), cell.place("Y"), release=False)
    assert "target" in cell.place("Y").get_attribute("class")
    assert cell.page.locator(".ghost").count() == 1
    cell.press("Escape")
    assert cell.page.locator(".ghost, .place.target").count() == 0
    cell.page.mouse.up()
    assert cell.shown("Y") == []
    assert cell.stored()["version"] == 1


def test_a_hand_that_trembles_moves_nothing(cell: CellPage) -> None:
    box = cell.chromosome("c03").bounding_box()
    mouse = cell.page.mouse
    mouse.move(box["x"] + 4, box["y"] + 4)
    mouse.down()
    mouse.move(box["x"] + 7, box["y"] + 6)
    mouse.up()
    cell.drag(cell.chromosome("c01"), cell.chromosome("c01"))
    assert cell.stored()["version"] == 1


def test_type_a_class(cell: CellPage) -> None:
    cell.choose("c05")
    cell.press("7")
    cell.saved(2)
    assert cell.stored_slot("7") == ["c05"]
    cell.press("x")
    cell.saved(3)
    cell.press("y")
    cell.saved(4)
    assert cell.stored_slot("Y") == ["c05"]
    cell.press("u")
    cell.saved(5)
    assert cell.stored_slot("unknown") == ["c05"]


@pytest.mark.parametrize(
    ("keys", "slot"),
    [
        (["1", "0"], "10"),
        (["1", "9"], "19"),
        (["2", "2"], "22"),
        (["2", "Enter"], "2"),
        (["1"], "1"),
        (["2", "f"], "2"),
    ],
)
def test_one_and_two_wait_for_a_second_digit(cell: CellPage, keys: list[str], slot: str) -> None:
    cell.choose("c05")
    cell.press(*keys)
    cell.page.locator(f"[data-slot='{slot}'] [data-id=c05]").wait_for()
    cell.saved(3 if "f" in keys else 2)
    assert "c05" in cell.stored_slot(slot)


def test_there_is_no_chromosome_23(cell: CellPage) -> None:
    cell.choose("c05")
    cell.press("2", "3")
    cell.says("There is no chromosome 23.")
    assert cell.stored()["version"] == 1


def test_shift_arrows_order_the_homologues(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press("Shift+ArrowRight")
    cell.saved(2)
    assert cell.shown("1") == cell.stored_slot("1") == ["c02", "c01"]
    cell.press("Shift+ArrowRight")  # the end already
    cell.press("Shift+ArrowLeft")
    cell.saved(3)
    assert cell.stored_slot("1") == ["c01", "c02"]


def test_turn_by_keys(cell: CellPage) -> None:
    cell.choose("c01")
    for key, angle in (("r", 90), ("Shift+R", 0), ("t", 180), ("]", 185), ("[", 180)):
        cell.press(key)
        cell.all_saved()
        assert cell.stored_chromosome("c01")["angle"] == angle


def test_a_flipped_one_turns_as_it_is_seen(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press("f", "r")
    cell.saved(3)
    chromosome = cell.stored_chromosome("c01")
    assert (chromosome["flip"], chromosome["angle"]) == (True, 270)


def test_many_small_turns_in_a_row_are_one_change(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press(*["]"] * 10)
    cell.all_saved()
    assert cell.stored_chromosome("c01")["angle"] == 50
    assert cell.stored()["version"] <= 6


def test_turn_by_the_handle(cell: CellPage) -> None:
    cell.choose("c01")
    handle, canvas = cell.page.locator("#turn").bounding_box(), cell.chromosome("c01").bounding_box()
    x, y = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2
    mouse = cell.page.mouse
    mouse.move(handle["x"] + 5, handle["y"] + 5)
    mouse.down()
    mouse.move(x + 60, y, steps=5)  # from above to the right: a quarter turn clockwise
    mouse.up()
    cell.saved(2)
    assert cell.stored_chromosome("c01")["angle"] == pytest.approx(90, abs=3)


def test_the_canvas_shows_the_turn(cell: CellPage) -> None:
    before = cell.chromosome("c01").bounding_box()
    cell.choose("c01")
    cell.press("r")
    cell.saved(2)
    after = cell.chromosome("c01").bounding_box()
    assert before["height"] > before["width"]
    assert after["width"] > after["height"]


def test_debris_and_back(cell: CellPage) -> None:
    cell.choose("c04")
    cell.press("Delete")
    cell.saved(2)
    assert cell.shown("debris") == cell.stored_slot("debris") == ["c04"]
    assert cell.page.locator("#fact-count").inner_text() == "4"
    cell.drag(cell.chromosome("c04"), cell.place("8"), x=0.95)
    cell.saved(3)
    assert cell.stored_slot("8") == ["c03", "c04"]
    cell.drag(cell.chromosome("c04"), cell.place("debris"))
    cell.saved(4)
    cell.choose("c04")
    cell.press("x")
    cell.saved(5)
    assert cell.stored_slot("X") == ["c04"]
    assert cell.stored_slot("debris") == []


def test_undo_and_redo(cell: CellPage) -> None:
    cell.choose("c03")
    cell.press("x")
    cell.saved(2)
    cell.press("z")
    cell.saved(3)
    assert cell.shown("8") == cell.stored_slot("8") == ["c03"]
    assert not cell.stored_chromosome("c03")["reviewed"]
    cell.press("Shift+Z")
    cell.saved(4)
    assert cell.shown("X") == cell.stored_slot("X") == ["c04", "c03"]
    cell.press("Control+z")
    cell.saved(5)
    cell.press("Control+y")
    cell.saved(6)
    assert cell.stored_slot("X") == ["c04", "c03"]
    cell.page.click("#undo")
    cell.saved(7)
    assert cell.stored_slot("8") == ["c03"]


def test_undo_of_what_an_earlier_visit_did(cell: CellPage) -> None:
    cell.choose("c03")
    cell.press("x")
    cell.saved(2)
    cell.open()
    cell.press("z")
    cell.saved(3)
    assert cell.shown("8") == cell.stored_slot("8") == ["c03"]


def test_a_burst_of_changes_arrives_in_order(cell: CellPage) -> None:
    cell.choose("c05")
    cell.press("7", "x", "z", "y", "f", "z", "3")
    cell.all_saved()
    cell.saved(8)
    assert cell.shown("3") == cell.stored_slot("3") == ["c05"]
    assert not cell.stored_chromosome("c05")["flip"]


def test_keep_a_doubtful_one(cell: CellPage) -> None:
    assert cell.page.locator("#fact-doubts").inner_text() == "1"
    cell.press("n")
    assert cell.page.evaluate("document.activeElement.dataset.id") == "c03"
    cell.press("Enter")
    cell.saved(2)
    assert cell.page.locator("#fact-doubts").inner_text() == "0"
    kept = cell.stored_chromosome("c03")
    assert (kept["reviewed"], kept["label"], kept["source"]) == (True, "8", "machine")
    cell.page.locator("#doubts-title", has_text="No doubts left").wait_for()


def test_the_doubts_bar_offers_the_other_class(cell: CellPage) -> None:
    cell.page.get_by_role("button", name="between 8 (71 %) and X (26 %)").filter(has_not_text="Keep").last.click()
    cell.page.get_by_role("button", name="Make it X").click()
    cell.saved(2)
    assert cell.stored_slot("X") == ["c04", "c03"]


def test_accept_withdraw_and_reopen(cell: CellPage) -> None:
    cell.press("Control+Enter")
    cell.page.locator("#decide.accepted").wait_for()
    assert cell.stored()["accepted"] is True
    assert "accepted" in cell.page.locator(".cell-square[aria-current]").get_attribute("class")
    cell.choose("c01")
    cell.press("f")
    cell.saved(2)
    assert cell.stored()["accepted"] is False
    cell.page.locator("#decide", has_text="Accept cell").click()
    cell.page.locator("#decide.accepted").wait_for()
    cell.page.locator("#decide").click()
    cell.page.locator("#decide", has_text="Accept cell").wait_for()
    assert cell.stored()["accepted"] is False


def test_one_scale_for_the_sheet_that_comes_back(cell: CellPage) -> None:
    """Five of one length, four lying flat in one place leave less room: all shrink alike, and grow back."""

    def longest() -> set[int]:
        boxes = [cell.chromosome(f"c0{number}").bounding_box() for number in range(1, 6)]
        return {round(max(box["width"], box["height"])) for box in boxes}

    before = longest()
    assert len(before) == 1
    for identifier in ("c01", "c02", "c03", "c04", "c05"):
        cell.choose(identifier)
        cell.press("r", "1", "2")
    cell.saved(11)
    shrunk = longest()
    assert len(shrunk) == 1
    assert max(shrunk) < max(before)
    for _ in range(10):
        cell.press("z")
    cell.saved(21)
    assert longest() == before
