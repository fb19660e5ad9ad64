"""Comments, and who is at a cell."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases import together
from cases.actions.add_comment import add_comment
from cases.actions.be_present import be_present
from cases.actions.edit_karyogram import edit_karyogram
from cases.actions.reopen_comment import reopen_comment
from cases.actions.resolve_comment import resolve_comment
from cases.actions.submit_case import submit_case
from cases.models import Case, Comment, Presence, Report
from karyosite.audit.models import AuditEntry
from karyosite.errors import Conflict, Forbidden, Invalid


@pytest.fixture
def say(karyogram: Any, technologist: Any) -> Any:
    def add(text: str = "Two chromosomes touch here.", user: Any = technologist, **where: Any) -> Comment:
        return add_comment(user=user, metaphase_id=karyogram.metaphase_id, text=text, **where)

    return add


def test_a_comment_is_pinned_to_a_chromosome_a_spot_or_the_cell(say: Any, case: Any) -> None:
    one, spot, cell = say(chromosome="c03"), say(spot=[12.5, 200]), say("  Good spread. \x07")
    assert (one.chromosome, one.x, one.y, one.version) == ("c03", 89.0, 34.0, 1)
    assert (spot.chromosome, spot.x, spot.y) == ("", 12.5, 200)
    assert (cell.chromosome, cell.x, cell.text, cell.author_name) == ("", None, "Good spread.", "Tess Okafor")
    entries = AuditEntry.objects.filter(verb="comment.added", case_id=case.pk)
    assert entries[0].summary == "Cell 1: comment on c03: Two chromosomes touch here."


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": " \n "},
        {"text": "x" * 2001},
        {"chromosome": "c99"},
        {"chromosome": "c01", "spot": [1, 1]},
        {"spot": [-1, 5]},
        {"spot": [5, 241]},
        {"spot": [float("nan"), 5]},
        {"spot": [5]},
        {"spot": [True, 5]},
    ],
)
def test_a_comment_that_points_nowhere_is_refused(say: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        say(**wrong)
    assert not Comment.objects.exists()
    assert not AuditEntry.objects.exists()


def test_resolving_is_for_the_author_and_for_those_who_may_edit(
    say: Any, technologist: Any, administrator: Any, integration: Any
) -> None:
    theirs = say(user=administrator)
    for user in (integration,):
        with pytest.raises(Forbidden):
            resolve_comment(user=user, comment_id=theirs.pk)
    done = resolve_comment(user=technologist, comment_id=theirs.pk)
    assert (done.resolved_by_name, done.resolved_at is not None) == ("Tess Okafor", True)
    assert resolve_comment(user=administrator, comment_id=theirs.pk).resolved_by_name == "Tess Okafor", "the first"
    reopened = reopen_comment(user=administrator, comment_id=theirs.pk)
    assert (reopened.resolved_at, reopened.resolved_by, reopened.resolved_by_name) == (None, None, "")
    reopen_comment(user=administrator, comment_id=theirs.pk)
    assert list(AuditEntry.objects.order_by("number").values_list("verb", flat=True)) == [
        "comment.added", "comment.resolved", "comment.reopened",
    ]  # fmt: skip


def test_review_goes_on_talking_and_a_signature_ends_it(say: Any, technologist: Any) -> None:
    before = say()
    Case.objects.update(state="submitted")
    say("The reviewer asks.")
    resolve_comment(user=technologist, comment_id=before.pk)
    Case.objects.update(state="signed")
    for refused in (say, lambda: resolve_comment(user=technologist, comment_id=before.pk),
                    lambda: reopen_comment(user=technologist, comment_id=before.pk)):  # fmt: skip
        with pytest.raises(Conflict) as conflict:
            refused()
        assert conflict.value.code == "case-locked"
    assert Comment.objects.count() == 2


def test_submitting_with_open_comments_asks_first(say: Any, accepted: Any, case: Any, technologist: Any) -> None:
    one = say()
    with pytest.raises(Conflict) as refused:
        submit_case(user=technologist, case_id=case.pk, result="46,XX")
    assert (refused.value.code, refused.value.extra["open_comments"]) == ("open-comments", 1)
    assert refused.value.sentence.startswith("1 comment is still open in this case.")
    assert not Report.objects.exists()
    submit_case(user=technologist, case_id=case.pk, result="46,XX", with_open_comments=True)
    told = AuditEntry.objects.get(verb="case.submitted").new
    assert told is not None
    assert told["open_comments"] == 1
    assert list(together.open_comments(technologist, case)) == [one]


def test_resolved_comments_do_not_hold_up_a_case(say: Any, accepted: Any, case: Any, technologist: Any) -> None:
    resolve_comment(user=technologist, comment_id=say().pk)
    assert submit_case(user=technologist, case_id=case.pk, result="46,XX").round == 1
    assert not together.open_comments(technologist, case).exists()


def test_presence_is_written_once_in_a_while_and_forgotten(karyogram: Any, technologist: Any, colleague: Any) -> None:
    cell = karyogram.metaphase_id
    be_present(user=technologist, metaphase_id=cell)
    with CaptureQueriesContext(connection) as caught:
        assert not be_present(user=technologist, metaphase_id=cell)
    assert not [query for query in caught.captured_queries if query["sql"].startswith(("INSERT", "UPDATE"))]
    assert [one.name for one in together.pulse(colleague, cell).here] == ["Tess Okafor"]
    assert together.pulse(technologist, cell).here == [], "not oneself"
    Presence.objects.update(seen_at=timezone.now() - datetime.timedelta(seconds=20))
    assert together.pulse(colleague, cell).here == [], "left without a word"
    Presence.objects.update(seen_at=timezone.now() - datetime.timedelta(hours=2))
    be_present(user=colleague, metaphase_id=cell)
    assert [row.user for row in Presence.objects.all()] == [colleague]


@pytest.mark.parametrize(("name", "initials"), [("Tess Okafor", "TO"), ("Ana Maria da Luz", "AL"), ("lis", "LI")])
def test_initials(name: str, initials: str) -> None:
    assert together.Person(1, name).initials == initials


def test_a_pulse_is_cheap_and_tells_every_change(
    karyogram: Any, technologist: Any, colleague: Any, say: Any, django_assert_num_queries: Any
) -> None:
    cell = karyogram.metaphase_id

    def read() -> str:
        with django_assert_num_queries(3) as caught:
            tag: str = together.pulse(colleague, cell).etag
        assert '"document"' not in "".join(query["sql"] for query in caught.captured_queries)
        return tag

    together.pulse(colleague, cell)  # the membership is read once a request
    tags = [read(), read()]
    assert tags[0] == tags[1]
    edit_karyogram(user=technologist, metaphase_id=cell, base_version=1, edit={"op": "flip", "id": "c01"})
    tags.append(read())
    comment = say()
    tags.append(read())
    resolve_comment(user=technologist, comment_id=comment.pk)
    tags.append(read())
    be_present(user=technologist, metaphase_id=cell)
    tags.append(read())
    Case.objects.update(state="submitted")
    tags.append(read())
    assert len(set(tags)) == 6
