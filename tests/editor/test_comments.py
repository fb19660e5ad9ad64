"""Comments: written from the keyboard, pinned, resolved, and read only once the case is signed."""

from __future__ import annotations

from typing import Any

from tests.browser import keep_screenshot
from tests.editor.conftest import CellPage


def stored(cell: CellPage) -> list[dict[str, Any]]:
    answer = cell.page.request.get(f"{cell.server}/api/v1/metaphases/{cell.metaphase.pk}/comments/")
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_c_comments_on_the_chosen_chromosome(cell: CellPage) -> None:
    cell.choose("c03")
    cell.press("c")
    text = cell.page.get_by_role("textbox", name="Comment")
    text.press_sequentially("Is this an X? 8x")  # letters and digits here are words, not keys
    text.press("Control+Enter")
    entry = cell.page.locator(".comment")
    entry.get_by_text("Is this an X? 8x").wait_for()
    assert entry.locator(".comment-where").inner_text() == "8, copy 1"
    assert "commented" in cell.chromosome("c03").get_attribute("class")
    assert cell.page.locator(".pin").count() == 1
    assert cell.page.locator("[data-panel=comments] .drawer-badge").inner_text() == "1"
    assert [(one["chromosome"], one["text"]) for one in stored(cell)] == [("c03", "Is this an X? 8x")]
    assert cell.stored()["version"] == 1, "typing a comment changes no karyogram"
    keep_screenshot(cell.page, "comments")


def test_on_a_spot_and_on_the_cell(cell: CellPage) -> None:
    cell.press("c")
    panel = cell.page.locator(".drawer-comments")
    panel.get_by_role("button", name="a spot").click()
    box = cell.page.locator("#spread").bounding_box()
    cell.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    cell.page.keyboard.type("Something overlaps here.")
    cell.press("Control+Enter")
    panel.locator(".comment").wait_for()
    panel.get_by_role("button", name="the cell").click()
    cell.page.keyboard.type("Good spread.")
    cell.press("Control+Enter")
    panel.locator(".comment").nth(1).wait_for()
    spot, whole = stored(cell)
    assert abs(spot["x"] - 160) < 2
    assert abs(spot["y"] - 120) < 2
    assert (whole["x"], whole["chromosome"]) == (None, "")


def test_resolving_and_reopening(cell: CellPage, supervisor: Any) -> None:
    from cases.actions.add_comment import add_comment

    add_comment(user=supervisor, metaphase_id=cell.metaphase.pk, text="Look again.", chromosome="c01")
    cell.page.locator("[data-panel=comments] .drawer-badge").wait_for()  # heard of while the page is open
    cell.press("Shift+C")
    cell.page.get_by_role("button", name="Resolve").click()
    cell.page.get_by_text("1 resolved comment").click()
    cell.page.locator(".comment.resolved", has_text="Resolved by Tess Okafor").wait_for()
    assert cell.page.locator(".pin").count() == 0
    cell.page.get_by_role("button", name="Reopen").click()
    cell.page.locator(".comment:not(.resolved)").wait_for()
    assert stored(cell)[0]["resolved_at"] is None


def test_a_pin_leads_to_its_comment(cell: CellPage) -> None:
    from cases.actions.add_comment import add_comment

    add_comment(user=cell.metaphase.added_by, metaphase_id=cell.metaphase.pk, text="Here.", spot=[200, 200])
    cell.open()
    cell.page.locator(".pin").click()
    cell.page.locator(".comment.pinned", has_text="Here.").wait_for()


def test_a_comment_that_could_not_be_stored_is_still_there_to_send(cell: CellPage) -> None:
    cell.page.route("**/comments/", lambda route: route.abort())
    cell.press("c")
    cell.page.keyboard.type("Do not lose me.")
    cell.press("Control+Enter")
    cell.says("The comment was not stored.")
    assert cell.page.get_by_role("textbox", name="Comment").input_value() == "Do not lose me."
    cell.page.unroute("**/comments/")
    cell.press("Control+Enter")
    cell.page.locator(".comment").wait_for()


def test_in_a_signed_case_comments_are_only_read(cell: CellPage) -> None:
    from cases.actions.add_comment import add_comment
    from cases.models import Case

    add_comment(user=cell.metaphase.added_by, metaphase_id=cell.metaphase.pk, text="Before.", chromosome="c01")
    Case.objects.update(state="signed")
    cell.open()
    cell.press("Shift+C")
    cell.page.locator(".comment").wait_for()
    assert cell.page.get_by_role("textbox", name="Comment").count() == 0
    assert cell.page.get_by_role("button", name="Resolve").count() == 0
    cell.page.get_by_text("its comments can only be read").wait_for()
