"""Editing, undoing, accepting: through the database."""

from __future__ import annotations

import copy
import random
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from cases import selectors
from cases.actions.accept_karyogram import accept_karyogram
from cases.actions.accept_proposal import accept_proposal
from cases.actions.cancel_analysis import cancel_analysis
from cases.actions.edit_karyogram import edit_karyogram
from cases.actions.mirror_analysis import mirror_analysis
from cases.actions.redo_karyogram import redo_karyogram
from cases.actions.reopen_karyogram import reopen_karyogram
from cases.actions.request_analysis import request_analysis
from cases.actions.undo_karyogram import undo_karyogram
from cases.domain import karyogram as domain
from cases.domain.likely import expected_corrections
from cases.models import Case, Karyogram, KaryogramEdit, Metaphase
from inference.models import InferenceJob
from inference.stages.quality import BLURRED
from karyosite.audit.models import AuditEntry
from karyosite.audit.record import broken_links
from karyosite.errors import Conflict, Invalid, NotFound
from tests.conftest import karyogram_document

MOVE = {"op": "move", "id": "c03", "label": "X", "index": 1}


@pytest.fixture
def edit(karyogram: Any, technologist: Any) -> Any:
    def apply(change: Any = None, base: int | None = None, **more: Any) -> Any:
        base = Karyogram.objects.get(pk=karyogram.pk).version if base is None else base
        return edit_karyogram(
            user=technologist,
            metaphase_id=karyogram.metaphase_id,
            base_version=base,
            edit=MOVE if change is None else change,
            **more,
        )

    return apply


@pytest.fixture
def undo(karyogram: Any, technologist: Any) -> Any:
    def apply(action: Any = undo_karyogram, **more: Any) -> Any:
        base = Karyogram.objects.get(pk=karyogram.pk).version
        return action(user=technologist, metaphase_id=karyogram.metaphase_id, **({"base_version": base} | more))

    return apply


def stored(karyogram: Any) -> Karyogram:
    return Karyogram.objects.get(pk=karyogram.pk)


def test_an_edit_makes_a_version_a_step_and_an_entry(edit: Any, karyogram: Any, technologist: Any, case: Any) -> None:
    applied = edit()
    assert (applied.repeated, applied.step.version, applied.step.author, applied.step.author_name) == (
        False, 2, technologist, "Tess Okafor",
    )  # fmt: skip
    now = stored(karyogram)
    assert (now.version, now.count, now.doubts) == (2, 5, 0)
    assert domain.sex_complement(now.document) == "XX"
    assert now.proposal == karyogram.proposal, "what the machine said stays"
    assert domain.apply(now.document, applied.step.inverse).document == karyogram.document
    entry = AuditEntry.objects.get(verb="karyogram.edited")
    assert (entry.case_id, entry.actor, entry.new["version"]) == (case.pk, technologist, 2)
    assert entry.summary == "Cell 1: c03 moved to X, place 2."


@pytest.mark.parametrize(
    "change",
    [
        {"op": "move", "id": "c99", "label": "X", "index": 0},
        {"op": "rotate", "id": "c01", "angle": float("nan")},
        {"op": "batch", "edits": [MOVE, {"op": "flip", "id": "c99"}]},
        {"op": "replace", "document": karyogram_document()},
        "flip",
        [],
        {"op": ["flip"]},
    ],
)
def test_a_refused_edit_changes_nothing(edit: Any, karyogram: Any, change: Any) -> None:
    before = (stored(karyogram).document, KaryogramEdit.objects.count(), AuditEntry.objects.count())
    with pytest.raises(Invalid) as refused:
        edit(change)
    assert refused.value.code == "edit-refused"
    assert (stored(karyogram).document, KaryogramEdit.objects.count(), AuditEntry.objects.count()) == before


def test_a_stale_base_gets_the_newest_document(edit: Any, karyogram: Any) -> None:
    edit()
    with pytest.raises(Conflict) as refused:
        edit({"op": "flip", "id": "c01"}, base=1)
    extra = refused.value.extra
    assert (refused.value.code, extra["version"], extra["can_undo"], extra["can_redo"]) == (
        "stale-version",
        2,
        True,
        False,
    )
    assert extra["document"] == stored(karyogram).document
    for base in (3, 0, -1):
        with pytest.raises(Conflict):
            edit({"op": "flip", "id": "c01"}, base=base)
    for base in ("2", 2.0, True, None):
        with pytest.raises(Invalid):
            edit_karyogram(user=karyogram.metaphase.added_by, metaphase_id=karyogram.metaphase_id,
                           base_version=base, edit=MOVE)  # fmt: skip
    assert stored(karyogram).version == 2


def test_the_same_key_counts_once(edit: Any, undo: Any, karyogram: Any) -> None:
    first = edit(base=1, client_key="k1")
    again = edit(base=1, client_key="k1")
    assert (first.repeated, again.repeated) == (False, True)
    assert again.step == first.step
    assert stored(karyogram).version == 2
    edit({"op": "flip", "id": "c01"}, client_key="k2")
    late = edit(base=1, client_key="k1")
    assert (late.repeated, late.step.version, late.karyogram.version) == (True, 2, 3)
    with pytest.raises(Conflict) as refused:
        edit({"op": "flip", "id": "c02"}, client_key="k1")
    assert refused.value.code == "client-key-reused"
    with pytest.raises(Conflict):
        undo(client_key="k1")
    assert undo(client_key="k3").step == undo(client_key="k3").step
    assert stored(karyogram).version == 4
    assert edit(client_key="").repeated is False
    assert edit({"op": "flip", "id": "c01"}, client_key="").repeated is False
    for key in ("x" * 65, None, 7, "a\x00"):
        with pytest.raises(Invalid):
            edit(client_key=key)


def test_undo_and_redo_are_steps_of_their_own(edit: Any, undo: Any, karyogram: Any) -> None:
    start = karyogram.document
    edit()
    moved = stored(karyogram).document
    edit({"op": "rotate", "id": "c01", "angle": 33.333})
    turned = stored(karyogram).document
    assert undo().step.undoes == 3
    assert stored(karyogram).document == moved
    assert undo().step.undoes == 2
    assert stored(karyogram).document == start
    with pytest.raises(Conflict) as refused:
        undo()
    assert refused.value.code == "nothing-to-undo"
    undo(redo_karyogram)
    assert stored(karyogram).document == moved
    undo(redo_karyogram)
    assert stored(karyogram).document == turned
    with pytest.raises(Conflict):
        undo(redo_karyogram)
    undo()
    assert stored(karyogram).document == moved
    edit({"op": "flip", "id": "c02"})
    with pytest.raises(Conflict):
        undo(redo_karyogram)
    assert [step.kind for step in karyogram.edits.all()] == [
        "proposal", "edit", "edit", "undo", "undo", "redo", "redo", "undo", "edit",
    ]  # fmt: skip
    assert stored(karyogram).version == karyogram.edits.count() == 9
    assert set(AuditEntry.objects.values_list("verb", flat=True)) == {
        "karyogram.edited", "karyogram.undone", "karyogram.redone",
    }  # fmt: skip


def test_a_walk_of_edits_undos_and_redos_keeps_to_a_plain_stack(edit: Any, undo: Any, karyogram: Any) -> None:
    chance = random.Random(7)
    past, future, now = [], [], karyogram.document
    for _ in range(60):
        what = chance.choice(["edit", "edit", "undo", "redo"])
        if what == "edit":
            changes = [
                {"op": "flip", "id": chance.choice(["c01", "c02"])},
                {"op": "rotate", "id": "c03", "angle": chance.uniform(-400, 400)},
                {"op": "debris", "id": chance.choice(["c04", "c05"])},
                {
                    "op": "move",
                    "id": chance.choice(["c03", "c04"]),
                    "label": chance.choice(["X", "Y", "8"]),
                    "index": 0,
                },
            ]
            edit(chance.choice(changes))
            past.append(now)
            future.clear()
        elif what == "undo" and past:
            undo()
            future.append(now)
            now = past.pop()
            assert stored(karyogram).document == now
        elif what == "redo" and future:
            undo(redo_karyogram)
            past.append(now)
            now = future.pop()
            assert stored(karyogram).document == now
        now = stored(karyogram).document
        state = selectors.karyogram_state(stored(karyogram))
        assert (state["can_undo"], state["can_redo"]) == (bool(past), bool(future))
        domain.check(now)
    assert broken_links(karyogram.metaphase.case.laboratory) == []


def test_any_change_withdraws_acceptance(
    edit: Any, undo: Any, karyogram: Any, technologist: Any, colleague: Any
) -> None:
    cell = karyogram.metaphase_id
    done = accept_karyogram(user=technologist, metaphase_id=cell, base_version=1)
    assert (done.accepted_by, Metaphase.objects.get(pk=cell).accepted_by) == (technologist, technologist)
    again = accept_karyogram(user=colleague, metaphase_id=cell, base_version=1)
    assert again.accepted_by == technologist, "whoever accepted first"
    edit()
    assert Metaphase.objects.get(pk=cell).accepted_at is None
    with pytest.raises(Conflict) as refused:
        accept_karyogram(user=technologist, metaphase_id=cell, base_version=1)
    assert refused.value.code == "stale-version"
    accept_karyogram(user=colleague, metaphase_id=cell, base_version=2)
    undo()
    assert Metaphase.objects.get(pk=cell).accepted_by is None
    accept_karyogram(user=colleague, metaphase_id=cell, base_version=3)
    reopen_karyogram(user=technologist, metaphase_id=cell, base_version=3)
    assert Metaphase.objects.get(pk=cell).accepted_at is None
    reopen_karyogram(user=technologist, metaphase_id=cell, base_version=3)
    assert AuditEntry.objects.filter(verb="karyogram.reopened").count() == 1
    assert AuditEntry.objects.filter(verb="karyogram.accepted").count() == 3


def test_a_cell_under_analysis_is_not_accepted(karyogram: Any, technologist: Any) -> None:
    Metaphase.objects.filter(pk=karyogram.metaphase_id).update(analysis_state="running")
    with pytest.raises(Conflict):
        accept_karyogram(user=technologist, metaphase_id=karyogram.metaphase_id, base_version=1)


def test_a_cell_without_karyogram_cannot_be_edited(metaphase: Any, technologist: Any) -> None:
    with pytest.raises(NotFound):
        edit_karyogram(user=technologist, metaphase_id=metaphase.pk, base_version=1, edit=MOVE)
    with pytest.raises(NotFound):
        accept_karyogram(user=technologist, metaphase_id=metaphase.pk, base_version=1)


def test_a_first_proposal_makes_version_one(metaphase: Any) -> None:
    document = karyogram_document(metaphase.image.sha256)
    document["chromosomes"][0]["angle"] = 12.3456
    made = accept_proposal(metaphase_id=metaphase.pk, document=document)
    assert (made.version, made.count, made.doubts) == (1, 5, 1)
    assert stored(made).document["chromosomes"][0]["angle"] == 12.35
    step = made.edits.get()
    assert (step.kind, step.author, step.author_name, step.edit["document"]) == (
        "proposal", None, "Karyosite", stored(made).document,
    )  # fmt: skip
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor_name, entry.new["models"]) == (
        "karyogram.proposed",
        "Karyosite",
        document["models"],
    )
    assert selectors.standing_steps(made) == ([], [])


def test_what_is_to_be_known_of_the_photograph_stands_beside_for_lists(metaphase: Any, technologist: Any) -> None:
    document = karyogram_document(metaphase.image.sha256) | {"note": BLURRED}
    made = accept_proposal(metaphase_id=metaphase.pk, document=document)
    assert stored(made).note == BLURRED
    accept_proposal(metaphase_id=metaphase.pk, document=document | {"note": ""})
    assert stored(made).note == ""
    undo_karyogram(user=technologist, metaphase_id=metaphase.pk, base_version=2)
    assert stored(made).note == BLURRED
    # What was stored before there was a place for it is copied there.
    Karyogram.objects.update(note="")
    import_module("cases.migrations.0004_karyogram_note").copy_from_documents(apps, None)
    assert stored(made).note == BLURRED


def test_what_a_cell_is_likely_to_need_stands_beside_for_lists(metaphase: Any, technologist: Any) -> None:
    document = karyogram_document(metaphase.image.sha256)
    made = accept_proposal(metaphase_id=metaphase.pk, document=document)
    needs = expected_corrections(document)
    assert stored(made).expected_corrections == needs > 0
    one = next(entry["id"] for entry in document["chromosomes"] if not entry["reviewed"])
    edit_karyogram(
        user=technologist,
        metaphase_id=metaphase.pk,
        base_version=1,
        edit={"op": "review", "id": one, "reviewed": True},
    )
    assert stored(made).expected_corrections < needs
    undo_karyogram(user=technologist, metaphase_id=metaphase.pk, base_version=2)
    assert stored(made).expected_corrections == needs
    # Of what was stored before there was a place for it, it is counted.
    Karyogram.objects.update(expected_corrections=0)
    import_module("cases.migrations.0005_karyogram_expected_corrections").count_from_documents(apps, None)
    assert stored(made).expected_corrections == needs


def test_a_new_proposal_lies_on_top_and_can_be_undone(edit: Any, undo: Any, karyogram: Any, technologist: Any) -> None:
    edit()
    mine = stored(karyogram).document
    accept_karyogram(user=technologist, metaphase_id=karyogram.metaphase_id, base_version=2)
    new = copy.deepcopy(karyogram.document)
    new["chromosomes"] = new["chromosomes"][:3]
    made = accept_proposal(metaphase_id=karyogram.metaphase_id, document=new)
    assert (made.version, made.count) == (3, 3)
    assert stored(karyogram).proposal == stored(karyogram).document
    assert Metaphase.objects.get(pk=karyogram.metaphase_id).accepted_at is None
    undo()
    assert stored(karyogram).document == mine, "a person's work is not lost to a new analysis"
    undo(redo_karyogram)
    assert stored(karyogram).count == 3


def test_an_empty_karyogram_is_a_karyogram(metaphase: Any) -> None:
    document = karyogram_document(metaphase.image.sha256) | {"chromosomes": [], "note": "No chromosomes were found."}
    assert accept_proposal(metaphase_id=metaphase.pk, document=document).count == 0


def test_a_proposal_of_another_image_or_form_is_refused(metaphase: Any) -> None:
    other = karyogram_document("f" * 64)
    broken = karyogram_document(metaphase.image.sha256)
    broken["chromosomes"][0]["order"] = 5
    page = karyogram_document(metaphase.image.sha256)
    page["image"]["page"] = 1
    for document in (other, broken, page, {}, None):
        with pytest.raises(Invalid):
            accept_proposal(metaphase_id=metaphase.pk, document=document)
    assert not Karyogram.objects.exists()


@pytest.mark.parametrize("state", ["submitted", "signed"])
def test_a_locked_case_takes_no_change_of_its_cells(
    karyogram: Any, technologist: Any, edit: Any, undo: Any, state: str
) -> None:
    edit()
    Case.objects.update(state=state)
    cell = karyogram.metaphase_id
    entries = AuditEntry.objects.count()
    for refused in (
        edit,
        undo,
        lambda: undo(redo_karyogram),
        lambda: accept_karyogram(user=technologist, metaphase_id=cell, base_version=2),
        lambda: reopen_karyogram(user=technologist, metaphase_id=cell, base_version=2),
        lambda: accept_proposal(metaphase_id=cell, document=karyogram.document),
        lambda: request_analysis(user=technologist, metaphase_id=cell),
        lambda: cancel_analysis(user=technologist, metaphase_id=cell),
    ):
        with pytest.raises(Conflict) as conflict:
            refused()
        assert conflict.value.code == "case-locked"
    assert (stored(karyogram).version, AuditEntry.objects.count()) == (2, entries)


def test_analysis_is_asked_for_and_cancelled(metaphase: Any, technologist: Any) -> None:
    with pytest.raises(Conflict):
        cancel_analysis(user=technologist, metaphase_id=metaphase.pk)
    assert request_analysis(user=technologist, metaphase_id=metaphase.pk).analysis_state == "queued"
    with pytest.raises(Conflict):
        request_analysis(user=technologist, metaphase_id=metaphase.pk)
    assert InferenceJob.objects.count() == 1
    assert cancel_analysis(user=technologist, metaphase_id=metaphase.pk).analysis_state == "cancelled"
    assert InferenceJob.objects.get().state == "cancelled"
    assert request_analysis(user=technologist, metaphase_id=metaphase.pk).analysis_state == "queued"
    assert list(AuditEntry.objects.values_list("verb", flat=True)) == [
        "analysis.requested", "analysis.cancel-requested", "analysis.requested",
    ]  # fmt: skip


def test_the_mirror_hears_only_the_newest_job(metaphase: Any) -> None:
    old, new = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"

    def mirror(job: str, state: str, **more: str) -> tuple[str, str, str]:
        mirror_analysis(metaphase_id=metaphase.pk, job_id=job, state=state, **more)
        metaphase.refresh_from_db()
        return metaphase.analysis_state, metaphase.analysis_stage, metaphase.analysis_error

    assert mirror(old, "queued") == ("queued", "", "")
    assert mirror(old, "running", stage="detect") == ("running", "detect", "")
    assert mirror(new, "queued") == ("queued", "", "")
    assert mirror(old, "failed", error="Late.") == ("queued", "", "")
    assert not AuditEntry.objects.exists()
    assert mirror(new, "failed", error="The picture could not be read.")[0] == "failed"
    assert AuditEntry.objects.get().summary == "Cell 1: the analysis failed. The picture could not be read."
    with pytest.raises(ValueError, match="state"):
        mirror(new, "exploded")
