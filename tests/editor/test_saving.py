"""Nothing that a person did is lost or done twice: two people at one cell, no network, a lost session, a lost right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.editor.conftest import CellPage


def edit_as(user: Any, cell: CellPage, edit: dict[str, Any]) -> int:
    """Somebody else changes the cell through the same action; → the version made."""
    from cases.actions.edit_karyogram import edit_karyogram
    from cases.models import Karyogram

    base = Karyogram.objects.get(metaphase=cell.metaphase).version
    return edit_karyogram(user=user, metaphase_id=cell.metaphase.pk, base_version=base, edit=edit).karyogram.version


def steps(cell: CellPage) -> list[tuple[str, dict[str, Any]]]:
    from cases.models import KaryogramEdit

    found = KaryogramEdit.objects.filter(karyogram__metaphase=cell.metaphase, version__gt=1).order_by("version")
    return [(step.kind, step.edit) for step in found]


@pytest.fixture
def unaware(cell: CellPage) -> CellPage:
    """A page that does not hear of others' changes until one of its own is refused, and not what they were either."""
    cell.page.route(re.compile(r"/karyogram/changes/"), lambda route: route.abort("connectionrefused"))
    return cell


def test_two_changes_at_the_same_moment_both_stand(cell: CellPage, colleague: Any) -> None:
    edit_as(colleague, cell, {"op": "move", "id": "c05", "label": "21", "index": 0})
    cell.choose("c03")
    cell.press("x")
    cell.saved(3)
    assert cell.page.locator("#conflict").is_hidden()
    assert cell.shown("21") == cell.stored_slot("21") == ["c05"]
    assert cell.shown("X") == cell.stored_slot("X") == ["c04", "c03"]
    cell.press("z")
    cell.saved(4)
    assert cell.stored_slot("8") == ["c03"]
    assert cell.stored_slot("21") == ["c05"], "not what the other did"


def test_two_changes_of_the_same_chromosome_are_asked_about(cell: CellPage, colleague: Any) -> None:
    cell.page.route(re.compile(r"/karyogram/changes/"), lambda route: route.abort())
    edit_as(colleague, cell, {"op": "move", "id": "c03", "label": "21", "index": 0})
    cell.page.unroute(re.compile(r"/karyogram/changes/"))
    cell.choose("c03")
    cell.press("x")
    cell.page.locator("#conflict").wait_for()
    assert cell.stored_slot("21") == ["c03"]


def test_someone_else_was_faster_theirs_with_mine_again(unaware: CellPage, colleague: Any) -> None:
    cell = unaware
    edit_as(colleague, cell, {"op": "move", "id": "c05", "label": "21", "index": 0})
    cell.choose("c03")
    cell.press("x")
    bar = cell.page.locator("#conflict")
    bar.get_by_text("Someone else changed this cell (version 2). Your change has not been saved.").wait_for()
    assert cell.stored()["version"] == 2
    bar.get_by_role("button", name="Load theirs and apply mine again").click()
    cell.saved(3)
    assert bar.is_hidden()
    assert cell.shown("21") == cell.stored_slot("21") == ["c05"]
    assert cell.shown("X") == cell.stored_slot("X") == ["c04", "c03"]


def test_someone_else_was_faster_theirs_alone(unaware: CellPage, colleague: Any) -> None:
    cell = unaware
    edit_as(colleague, cell, {"op": "move", "id": "c05", "label": "21", "index": 0})
    cell.choose("c03")
    cell.press("x")
    cell.page.get_by_role("button", name="Load theirs", exact=True).click()
    cell.saved(2)
    assert cell.shown("21") == ["c05"]
    assert cell.shown("8") == ["c03"]
    cell.choose("c03")
    cell.press("x")
    cell.saved(3)
    assert cell.stored_slot("X") == ["c04", "c03"]


def test_while_a_conflict_is_open_nothing_more_is_changed(unaware: CellPage, colleague: Any) -> None:
    cell = unaware
    edit_as(colleague, cell, {"op": "flip", "id": "c01"})
    cell.choose("c03")
    cell.press("x")
    cell.page.locator("#conflict").wait_for()
    cell.choose("c01")
    cell.press("y")
    cell.says("First choose which version to go on with")
    assert cell.shown("Y") == []


def test_my_undo_never_takes_back_what_someone_else_did(unaware: CellPage, colleague: Any) -> None:
    cell = unaware
    cell.choose("c03")
    cell.press("x")
    cell.saved(2)
    edit_as(colleague, cell, {"op": "move", "id": "c05", "label": "21", "index": 0})
    cell.press("z")
    cell.page.get_by_role("button", name="Load theirs and apply mine again").click()
    cell.saved(4)
    assert cell.stored_slot("21") == ["c05"]
    assert cell.stored_slot("8") == ["c03"]


def test_what_no_longer_fits_is_left_out_and_said(unaware: CellPage, colleague: Any) -> None:
    cell = unaware
    edit_as(colleague, cell, {"op": "debris", "id": "c02"})
    cell.choose("c01")
    cell.press("Shift+ArrowRight")  # to the second place, which is gone
    cell.page.get_by_role("button", name="Load theirs and apply mine again").click()
    cell.says("1 of your changes no longer fit and was left out.")
    cell.saved(2)
    assert cell.shown("1") == ["c01"]


def unreachable(cell: CellPage) -> Callable[[], None]:
    """From now on changes do not reach the server; → ends that."""
    pattern = re.compile(r"/karyogram/(edits|undo|redo|accept)/")
    cell.page.route(pattern, lambda route: route.abort("connectionrefused"))
    return lambda: cell.page.unroute(pattern)


def test_offline_changes_are_kept_and_sent_in_order_once(cell: CellPage) -> None:
    back = unreachable(cell)
    cell.choose("c05")
    cell.press("7", "f", "x")
    cell.page.locator("#saving-text", has_text="not saved yet: will be sent when the server is back").wait_for()
    assert cell.shown("X") == ["c04", "c05"]
    assert cell.stored()["version"] == 1
    back()
    cell.page.get_by_role("button", name="Try now").click()
    cell.saved(4)
    assert [edit["op"] for _, edit in steps(cell)] == ["move", "flip", "move"]
    assert cell.stored_slot("X") == ["c04", "c05"]


def test_it_tries_again_by_itself(cell: CellPage) -> None:
    back = unreachable(cell)
    cell.choose("c05")
    cell.press("7")
    cell.page.locator("#saving[data-save=unsaved]").wait_for()
    back()
    cell.saved(2)


def test_offline_changes_outlive_the_page(cell: CellPage) -> None:
    back = unreachable(cell)
    cell.choose("c05")
    cell.press("7", "f")
    cell.page.locator("#saving[data-save=unsaved]").wait_for()
    cell.page.on("dialog", lambda dialog: dialog.accept())  # "Leave this page?"
    back()
    cell.open()
    cell.saved(3)
    assert cell.shown("7") == cell.stored_slot("7") == ["c05"]
    assert cell.stored_chromosome("c05")["flip"]
    cell.open()
    cell.saved(3)  # and only once


def test_an_answer_that_got_lost_counts_once(cell: CellPage) -> None:
    """The server has stored the change, its answer never came: sent again under the same key."""
    pattern = re.compile(r"/karyogram/edits/")
    sent: list[str] = []

    def swallow(route: Any) -> None:
        sent.append(json.loads(route.request.post_data)["client_key"])
        if len(sent) == 1:
            assert route.fetch().status == 200
            route.abort("connectionreset")
        else:
            route.continue_()

    cell.page.route(pattern, swallow)
    cell.choose("c05")
    cell.press("7", "f")
    cell.page.locator("#saving[data-save=unsaved]").wait_for()
    cell.all_saved()
    cell.saved(3)
    assert sent[0] == sent[1] != sent[2]
    assert [edit["op"] for _, edit in steps(cell)] == ["move", "flip"]


def test_a_lost_answer_with_someone_elses_change_after_it(cell: CellPage, colleague: Any) -> None:
    """Stored as version 2, answer lost, then a colleague's version 3: mine is not sent as new, theirs is loaded."""
    pattern = re.compile(r"/karyogram/edits/")
    cell.page.route(pattern, lambda route: (route.fetch(), route.abort("connectionreset")), times=1)
    cell.choose("c05")
    cell.press("7")
    cell.page.locator("#saving[data-save=unsaved]").wait_for()
    edit_as(colleague, cell, {"op": "flip", "id": "c01"})
    cell.page.get_by_role("button", name="Try now").click()
    cell.all_saved()
    cell.choose("c05")
    cell.press("f")
    # The page may learn of version 3 only now: both ways end with both people's changes.
    theirs = cell.page.get_by_role("button", name="Load theirs and apply mine again")
    cell.page.locator("#saving[data-save=conflict], #saving-text:text('version 4')").wait_for()
    if theirs.is_visible():
        theirs.click()
    cell.saved(4)
    assert cell.stored_chromosome("c01")["flip"] and cell.stored_chromosome("c05")["flip"]
    assert [edit["op"] for _, edit in steps(cell)] == ["move", "flip", "flip"]


def test_giving_up_unsent_changes_shows_what_the_server_has(cell: CellPage) -> None:
    back = unreachable(cell)
    cell.choose("c05")
    cell.press("7")
    cell.page.locator("#saving[data-save=unsaved]").wait_for()
    back()
    cell.page.get_by_role("button", name="Give up my changes").click()
    cell.all_saved()
    assert cell.shown("unknown") == ["c05"]
    assert cell.shown("7") == []


def test_offline_nothing_is_accepted(cell: CellPage) -> None:
    unreachable(cell)
    cell.press("Control+Enter")
    cell.says("The server cannot be reached.")
    assert cell.stored()["accepted"] is False


def test_signed_out_in_between(cell: CellPage, technologist: Any) -> None:
    """The change waits until the same person is back."""
    from tests.browser import sign_in

    cell.page.context.clear_cookies(name="sessionid")
    cell.choose("c05")
    cell.press("7")
    cell.page.locator("#saving-text", has_text="you have been signed out").wait_for()
    assert (
        cell.page.get_by_role("link", name="Sign in")
        .get_attribute("href")
        .endswith(f"?next=/cells/{cell.metaphase.pk}/")
    )
    sign_in(cell.page.context, technologist, cell.server)
    cell.page.on("dialog", lambda dialog: dialog.accept())
    cell.open()
    cell.saved(2)
    assert cell.stored_slot("7") == ["c05"]


def test_the_next_person_at_this_computer_does_not_send_them(cell: CellPage, colleague: Any) -> None:
    from tests.browser import sign_in

    unreachable(cell)
    cell.choose("c05")
    cell.press("7")
    cell.page.locator("#saving[data-save=unsaved]").wait_for()
    cell.page.on("dialog", lambda dialog: dialog.accept())
    sign_in(cell.page.context, colleague, cell.server)
    cell.page.unroute_all()
    cell.open()
    cell.saved(1)
    assert cell.shown("7") == []


@pytest.mark.parametrize("how", ["right", "case"])
def test_the_right_or_the_case_is_gone(unaware: CellPage, technologist: Any, how: str) -> None:
    from cases.models import Case
    from karyosite.accounts.models import Membership

    cell = unaware
    if how == "right":
        Membership.objects.filter(user=technologist).update(role="administrator")
        sentence = "Only technologists and supervisors may change a karyogram."
    else:
        Case.objects.filter(pk=cell.metaphase.case_id).update(state="submitted")
        sentence = "is under review"
    cell.choose("c05")
    cell.press("7")
    cell.says(sentence)
    cell.says("taken back")
    cell.page.locator("#locked", has_text=sentence).wait_for()
    assert cell.shown("7") == []
    assert cell.shown("unknown") == ["c05"]
    assert cell.page.locator("#undo").is_hidden()


def test_an_edit_that_the_server_refuses_is_taken_back_with_its_sentence(cell: CellPage) -> None:
    cell.page.route(
        re.compile(r"/karyogram/edits/"),
        lambda route: route.continue_(
            post_data=json.dumps(
                json.loads(route.request.post_data) | {"edit": {"op": "move", "id": "c05", "label": "7", "index": 9}}
            )
        ),
        times=1,
    )
    cell.choose("c05")
    cell.press("7")
    cell.says("There is no such place in this position of the sheet.")
    cell.saved(1)
    assert cell.shown("7") == []
    cell.press("7")
    cell.saved(2)
    assert cell.stored_slot("7") == ["c05"]


def test_two_windows_of_one_person(cell: CellPage, cell_page: Any, technologist: Any) -> None:
    other = cell_page(technologist, cell.metaphase).open()
    other.choose("c05")
    other.press("7")
    other.saved(2)
    cell.choose("c03")
    cell.press("x")
    cell.saved(3)
    assert cell.stored_slot("7") == ["c05"]
    assert cell.stored_slot("X") == ["c04", "c03"]


def test_a_link_followed_at_once_waits_for_the_answer(cell: CellPage) -> None:
    asked: list[str] = []
    cell.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))

    def slowly(route: Any) -> None:
        cell.page.wait_for_timeout(150)
        route.continue_()

    cell.page.route(re.compile(r"/karyogram/edits/"), slowly)
    cell.choose("c05")
    cell.press("7", "f")
    cell.page.get_by_role("link", name="26-01842").click()
    cell.page.wait_for_url(f"**/cases/{cell.metaphase.case_id}/")
    assert [edit["op"] for _, edit in steps(cell)] == ["move", "flip"]
    assert asked == []
