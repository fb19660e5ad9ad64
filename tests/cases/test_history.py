"""Every version that ever was can be had again, and who decided what is known."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cases import history, selectors
from cases.actions.accept_karyogram import accept_karyogram
from cases.actions.accept_proposal import accept_proposal
from cases.actions.edit_karyogram import edit_karyogram
from cases.actions.redo_karyogram import redo_karyogram
from cases.actions.restore_version import restore_version
from cases.actions.undo_karyogram import undo_karyogram
from cases.models import Case, Karyogram, Metaphase
from karyosite.audit.models import AuditEntry
from karyosite.errors import Conflict, NotFound
from tests.conftest import karyogram_document


class Hand:
    """Changes one cell, each step on the newest version."""

    def __init__(self, karyogram: Any) -> None:
        self.cell = karyogram.metaphase_id

    @property
    def now(self) -> Karyogram:
        return Karyogram.objects.get(metaphase=self.cell)

    def __call__(self, action: Any, user: Any, **given: Any) -> Any:
        return action(user=user, metaphase_id=self.cell, base_version=self.now.version, **given)

    def edit(self, user: Any, **edit: Any) -> Any:
        return self(edit_karyogram, user, edit=edit)


@pytest.fixture
def hand(karyogram: Any) -> Hand:
    return Hand(karyogram)


def test_every_version_of_a_long_history_is_as_it_was(hand: Hand, technologist: Any) -> None:
    """Edits, undo, redo, a new analysis and returns to earlier versions, in any order."""
    chance = random.Random(11)
    seen = {1: hand.now.document}
    for _ in range(60):
        what = chance.choice(["edit", "edit", "edit", "undo", "redo", "proposal", "restore"])
        try:
            if what == "edit":
                hand.edit(
                    technologist, op="move", id=chance.choice(["c03", "c04", "c05"]),
                    label=chance.choice(["8", "X", "unknown"]), index=0,
                )  # fmt: skip
            elif what == "proposal":
                document = karyogram_document(seen[1]["image"]["sha256"])
                document["chromosomes"][0]["angle"] = float(chance.randrange(360))
                accept_proposal(metaphase_id=hand.cell, document=document)
            elif what == "restore":
                hand(restore_version, technologist, version=chance.choice(list(seen)))
            else:
                hand(undo_karyogram if what == "undo" else redo_karyogram, technologist)
        except Conflict:
            continue
        seen[hand.now.version] = hand.now.document
    assert len(seen) > 40
    for version, document in seen.items():
        found = history.version_document(technologist, hand.cell, version)
        assert (found.document, found.step.version, found.newest) == (document, version, len(seen))


def test_a_version_that_never_was_is_not_found(hand: Hand, technologist: Any, stranger: Any) -> None:
    for version in (0, 2, -1, 10**9):
        with pytest.raises(NotFound) as refused:
            history.version_document(technologist, hand.cell, version)
    assert refused.value.sentence.startswith("This karyogram has versions 1 to 1;")
    with pytest.raises(NotFound) as hidden:
        history.version_document(stranger, hand.cell, 1)
    assert "versions" not in hidden.value.sentence


def test_going_back_is_one_step_that_can_be_undone(hand: Hand, technologist: Any, colleague: Any) -> None:
    start = hand.now.document
    hand.edit(technologist, op="move", id="c03", label="X", index=0)
    hand.edit(technologist, op="flip", id="c01")
    mine = hand.now.document
    accept_karyogram(user=technologist, metaphase_id=hand.cell, base_version=3)
    done = hand(restore_version, colleague, version=1, client_key="k1")
    assert (hand.now.document, hand.now.version, hand.now.doubts) == (start, 4, 1)
    assert (done.step.kind, done.step.restores, done.step.author_name) == ("restore", 1, "Cole Lindqvist")
    assert Metaphase.objects.get(pk=hand.cell).accepted_at is None
    assert AuditEntry.objects.get(verb="karyogram.restored").summary == "Cell 1: taken back to version 1."
    again = restore_version(user=colleague, metaphase_id=hand.cell, base_version=3, version=1, client_key="k1")
    assert (again.repeated, hand.now.version) == (True, 4)
    hand(undo_karyogram, technologist)
    assert hand.now.document == mine
    hand(redo_karyogram, technologist)
    assert hand.now.document == start


def test_going_back_to_what_stands_or_from_a_stale_page_or_when_locked_is_refused(
    hand: Hand, technologist: Any
) -> None:
    hand.edit(technologist, op="flip", id="c01")
    hand.edit(technologist, op="flip", id="c01")
    for base, version, code in ((3, 1, "nothing-to-restore"), (2, 2, "stale-version")):
        with pytest.raises(Conflict) as refused:
            restore_version(user=technologist, metaphase_id=hand.cell, base_version=base, version=version)
        assert refused.value.code == code
    Case.objects.update(state="signed")
    with pytest.raises(Conflict) as refused:
        hand(restore_version, technologist, version=2)
    assert refused.value.code == "case-locked"
    assert hand.now.version == 3


def decided(user: Any, hand: Hand) -> dict[str, list[tuple[str, str, int]]]:
    found = history.origins(user, hand.cell)
    return {one: [(each.what, each.by, each.version) for each in made] for one, made in found.items()}


def test_who_decided_what(hand: Hand, technologist: Any, colleague: Any) -> None:
    assert decided(technologist, hand) == {}, "all the machine's"
    hand.edit(technologist, op="move", id="c03", label="X", index=0)
    hand.edit(colleague, op="batch", edits=[{"op": "rotate", "id": "c03", "angle": 90}, {"op": "debris", "id": "c05"}])
    hand.edit(colleague, op="move", id="c03", label="8", index=0)
    assert decided(technologist, hand) == {
        "c03": [("turned", "Cole Lindqvist", 3), ("named", "Cole Lindqvist", 4)],
        "c05": [("named", "Cole Lindqvist", 3)],
    }
    hand(undo_karyogram, technologist)
    assert decided(technologist, hand)["c03"][0] == ("named", "Tess Okafor", 2), "not the one who pressed undo"
    hand(redo_karyogram, technologist)
    assert decided(technologist, hand)["c03"][1] == ("named", "Cole Lindqvist", 4)
    hand(restore_version, colleague, version=2)
    assert decided(technologist, hand) == {"c03": [("named", "Tess Okafor", 2)]}
    accept_proposal(metaphase_id=hand.cell, document=hand.now.document)
    assert decided(technologist, hand) == {}


def test_what_is_put_back_as_proposed_is_the_machines_again(hand: Hand, technologist: Any) -> None:
    from cases.actions.restore_proposal import restore_proposal

    hand.edit(technologist, op="move", id="c03", label="X", index=0)
    hand.edit(technologist, op="flip", id="c01")
    hand(restore_proposal, technologist, id="c03")
    assert decided(technologist, hand) == {"c01": [("turned", "Tess Okafor", 3)]}
    hand(undo_karyogram, technologist)
    assert set(decided(technologist, hand)) == {"c01", "c03"}


def test_the_newest_steps_come_first(hand: Hand, technologist: Any) -> None:
    hand.edit(technologist, op="flip", id="c01")
    assert [step.version for step in history.newest_steps(technologist, hand.cell)] == [2, 1]


def test_reading_a_version_reads_no_more_steps_than_it_must(
    hand: Hand, technologist: Any, django_assert_num_queries: Any
) -> None:
    for _ in range(12):
        hand.edit(technologist, op="flip", id="c01")
    selectors.metaphase(technologist, hand.cell)
    with django_assert_num_queries(4):
        history.version_document(technologist, hand.cell, 3)
