"""Swapping, marking, losses, merging and the way back to the proposal: by key and by pointer, shown and stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.editor.conftest import CellPage


def item(cell: CellPage, words: str) -> Any:
    return cell.page.get_by_role("menuitem", name=words)


def test_two_chosen_by_shift_click_change_places(cell: CellPage) -> None:
    cell.choose("c03")
    cell.chromosome("c04").click(modifiers=["Shift"])
    assert cell.page.locator(".chromosome.selected, .chromosome.also").count() == 2
    assert cell.page.locator(".outline.selected, .outline.also").count() == 2
    cell.press("w")
    cell.saved(2)
    assert (cell.stored_slot("8"), cell.stored_slot("X")) == (["c04"], ["c03"])
    assert cell.shown("8") == ["c04"]
    assert cell.page.locator(".chromosome.also").count() == 0
    assert cell.stored_chromosome("c04")["source"] == "person"
    cell.press("z")
    cell.saved(3)
    assert cell.stored_slot("8") == ["c03"]


def test_two_change_places_by_keys_alone(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press("ArrowRight", "Space", "ArrowRight", "w")
    cell.saved(2)
    assert (cell.stored_slot("1"), cell.stored_slot("8")) == (["c01", "c03"], ["c02"])


def test_the_chosen_one_changes_places_with_the_one_pointed_at_or_with_its_homologue(cell: CellPage) -> None:
    cell.choose("c03")
    cell.chromosome("c05").hover()
    cell.press("w")
    cell.saved(2)
    assert (cell.stored_slot("8"), cell.stored_slot("unknown")) == (["c05"], ["c03"])
    cell.press("ArrowLeft", "ArrowLeft")  # keys were used last: what the pointer happens to lie on means nothing
    cell.choose("c01")
    cell.press("w")
    cell.saved(3)
    assert cell.stored_slot("1") == ["c02", "c01"]


def test_one_that_has_nobody_to_change_places_with_says_how(cell: CellPage) -> None:
    cell.choose("c04")
    cell.press("w")
    cell.says("Choose the other one as well")
    assert cell.stored()["version"] == 1


def test_a_marker_stands_among_the_unclassified_and_a_class_ends_it(cell: CellPage) -> None:
    cell.choose("c03")
    cell.press("m")
    cell.saved(2)
    assert cell.stored_slot("unknown") == cell.shown("unknown") == ["c05", "c03"]
    assert cell.stored_chromosome("c03")["role"] == "marker"
    assert cell.chromosome("c03").locator(".role-mark").text_content() == "mar"
    cell.press("8")
    cell.saved(3)
    assert "role" not in cell.stored_chromosome("c03")
    assert cell.stored_slot("8") == ["c03"]
    cell.press("z", "m")
    cell.saved(5)
    assert "role" not in cell.stored_chromosome("c03")
    assert cell.stored_slot("unknown") == ["c05", "c03"]


def test_a_derivative_stands_right_of_its_homologue(cell: CellPage) -> None:
    cell.choose("c01")
    cell.press("Shift+D")
    cell.saved(2)
    assert cell.stored_slot("1") == cell.shown("1") == ["c02", "c01"]
    assert cell.stored_chromosome("c01")["role"] == "derivative"
    assert cell.chromosome("c01").get_attribute("aria-label") == "Chromosome 1, copy 2, der (derivative)"
    handle, mark = (cell.page.locator(one).bounding_box() for one in ("#turn", ".role-mark"))
    assert handle["y"] + handle["height"] <= mark["y"] + 1, "the handle for turning hides the mark"
    cell.choose("c03")
    cell.press("1", "Enter")  # a normal one that is named later stands left of it all the same
    cell.saved(3)
    assert cell.stored_slot("1") == cell.shown("1") == ["c02", "c03", "c01"]


@pytest.mark.parametrize(
    ("keys", "lost"),
    [
        (["l", "Enter"], {"8": 1}),
        (["l", "7"], {"7": 1}),
        (["l", "1", "3"], {"13": 1}),
        (["l", "2", "Enter"], {"2": 1}),
        (["l", "y"], {"Y": 1}),
    ],
)
def test_a_lost_homologue_shows_as_a_dashed_place(cell: CellPage, keys: list[str], lost: dict[str, int]) -> None:
    cell.choose("c03")
    cell.press(*keys)
    cell.saved(2)
    assert cell.stored()["document"]["lost"] == lost
    (label,) = lost
    assert cell.place(label).locator(".lost-place").count() == 1
    assert cell.stored_slot("8") == ["c03"]
    back = ["Shift+L", *keys[1:]]
    cell.press(*back)
    cell.saved(3)
    assert "lost" not in cell.stored()["document"]
    assert cell.page.locator(".lost-place").count() == 0


def test_the_question_which_class_was_lost_ends_with_escape_or_another_key(cell: CellPage) -> None:
    cell.choose("c03")
    cell.press("l", "Escape", "l", "f", "7")
    cell.saved(3)
    assert cell.stored_slot("7") == ["c03"]
    assert "lost" not in cell.stored()["document"]


def test_fragments_become_one_and_undo_parts_them(cell: CellPage) -> None:
    before = cell.stored()["document"]
    cell.choose("c01")
    cell.outline("c02").click(modifiers=["Shift"])
    cell.chromosome("c05").click(modifiers=["Shift"])
    cell.press("Shift+M")
    cell.saved(2)
    assert [one["id"] for one in cell.stored()["document"]["chromosomes"]] == ["c01", "c03", "c04"]
    merged = cell.stored_chromosome("c01")
    assert len(merged["rings"]) == 3
    assert (merged["label"], merged["reviewed"]) == ("1", True)
    boxes = [one["box"] for one in before["chromosomes"] if one["id"] in ("c01", "c02", "c05")]
    around = [
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    ]
    assert merged["box"] == pytest.approx(around, abs=0.3)
    cell.press("z")
    cell.saved(3)
    assert cell.stored()["document"] == before


def test_several_are_named_or_thrown_away_together(cell: CellPage) -> None:
    cell.choose("c01")
    cell.chromosome("c05").click(modifiers=["Shift"])
    cell.press("9")
    cell.saved(2)
    assert cell.stored_slot("9") == ["c01", "c05"]
    cell.press("Delete")
    cell.saved(3)
    assert cell.stored_slot("debris") == ["c01", "c05"]
    cell.press("Escape")
    assert cell.page.locator(".chromosome.selected, .chromosome.also").count() == 0


def test_one_goes_back_to_what_the_machine_proposed(cell: CellPage) -> None:
    before = cell.stored()["document"]
    cell.choose("c03")
    cell.press("x", "f", "p")
    cell.saved(4)
    assert cell.stored()["document"] == before
    assert cell.shown("8") == ["c03"]
    cell.press("p")
    cell.says("This chromosome is as the machine proposed it already.")
    cell.press("z")
    cell.saved(5)
    assert cell.stored_slot("X") == cell.shown("X") == ["c04", "c03"]


def test_the_whole_cell_goes_back_and_undo_brings_the_work_back(cell: CellPage) -> None:
    before = cell.stored()["document"]
    cell.choose("c03")
    cell.press("x", "l", "7", "Shift+P")
    cell.says("The whole cell is back to the machine's proposal.")
    cell.saved(4)
    assert cell.stored()["document"] == before
    cell.press("z")
    cell.saved(5)
    assert cell.shown("X") == ["c04", "c03"]
    assert cell.stored()["document"]["lost"] == {"7": 1}


def test_a_chromosome_is_shown_straightened(cell: CellPage, karyogram: Any) -> None:
    cell.choose("c03")
    cell.press("s")
    cell.says("This chromosome cannot be straightened")
    document = karyogram.document
    document["chromosomes"][2]["axis"] = [[89, 10], [92, 30], [89, 58]]
    karyogram.save()
    cell.open()
    cell.choose("c03")
    cell.press("s")
    cell.saved(2)
    assert cell.stored_chromosome("c03")["straight"] is True
    cell.press("s")
    cell.saved(3)
    assert "straight" not in cell.stored_chromosome("c03")


def test_the_menu_lists_operations_with_their_keys(cell: CellPage) -> None:
    cell.chromosome("c03").click(button="right")
    menu = cell.page.get_by_role("menu")
    assert menu.locator(".operations-title").inner_text().startswith("Chromosome 8, copy 1")
    assert item(cell, "Marker").locator("kbd").text_content() == "M"
    item(cell, "Derivative").click()
    cell.saved(2)
    assert cell.stored_chromosome("c03")["role"] == "derivative"
    cell.page.keyboard.press("Shift+F10")
    menu.wait_for()
    cell.press("Escape")
    assert not menu.is_visible()
    assert cell.page.locator(".chromosome.selected").get_attribute("data-id") == "c03"
    cell.page.keyboard.press("Shift+F10")
    cell.press("ArrowDown", "m")  # the key that stands beside it does it here, too
    cell.saved(3)
    assert cell.stored_chromosome("c03")["role"] == "marker"


def test_the_menu_of_a_place_and_of_an_outline(cell: CellPage) -> None:
    cell.place("7").click(button="right")
    item(cell, "Count one 7 as lost").click()
    cell.saved(2)
    assert cell.stored()["document"]["lost"] == {"7": 1}
    cell.place("7").click(button="right")
    item(cell, "Not lost: take one 7 back").click()
    cell.saved(3)
    cell.outline("c01").click(button="right")
    cell.press("Delete")
    cell.saved(4)
    assert cell.stored_slot("debris") == ["c01"]


def test_a_long_press_opens_the_menu_and_moves_nothing(cell: CellPage) -> None:
    box = cell.chromosome("c03").bounding_box()
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger = cell.page.context.new_cdp_session(cell.page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    touch("touchStart", at)
    cell.page.get_by_role("menu").wait_for()
    touch("touchMove", {"x": at["x"] + 40, "y": at["y"] + 40})
    touch("touchEnd")
    assert cell.page.locator(".ghost").count() == 0
    assert cell.page.get_by_role("menu").is_visible()
    cell.place("2").click()
    assert not cell.page.get_by_role("menu").is_visible()
    assert cell.stored()["version"] == 1
