"""Back to the machine's proposal: one chromosome or the whole cell, one step of the history."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions.edit_karyogram import edit_karyogram
from cases.actions.restore_proposal import restore_proposal
from cases.actions.undo_karyogram import undo_karyogram
from cases.models import EditKind
from karyosite.audit.models import AuditEntry
from karyosite.errors import Conflict, Invalid
from tests.conftest import chromosome

pytestmark = pytest.mark.django_db
SQUARE = [[1, 1], [9, 1], [9, 9], [1, 9]]


def entry(karyogram: Any, identifier: str) -> dict[str, Any]:
    karyogram.refresh_from_db()
    return next(one for one in karyogram.document["chromosomes"] if one["id"] == identifier)


def edited(karyogram: Any, user: Any, *edits: dict[str, Any]) -> int:
    for edit in edits:
        karyogram.refresh_from_db()
        edit_karyogram(user=user, metaphase_id=karyogram.metaphase_id, base_version=karyogram.version, edit=edit)
    karyogram.refresh_from_db()
    version: int = karyogram.version
    return version


def test_one_chromosome_goes_back_and_the_others_stay(karyogram: Any, technologist: Any) -> None:
    before = karyogram.document
    version = edited(
        karyogram,
        technologist,
        {"op": "move", "id": "c03", "label": "X", "index": 0},
        {"op": "rotate", "id": "c03", "angle": 77},
        {"op": "reshape", "id": "c03", "rings": [SQUARE], "box": [1, 1, 9, 9], "axis": None, "centromere": None},
        {"op": "flip", "id": "c01"},
    )
    mine = karyogram.document
    applied = restore_proposal(
        user=technologist, metaphase_id=karyogram.metaphase_id, base_version=version, id="c03", client_key="k1"
    )
    assert entry(karyogram, "c03") == before["chromosomes"][2]
    assert entry(karyogram, "c01")["flip"] is True
    assert (applied.step.kind, karyogram.doubts) == (EditKind.EDIT, 1)
    told = AuditEntry.objects.filter(verb="karyogram.proposal-restored").get()
    assert told.summary == "Cell 1: c03 put back as the machine proposed it."
    again = restore_proposal(
        user=technologist, metaphase_id=karyogram.metaphase_id, base_version=version, id="c03", client_key="k1"
    )
    assert (again.repeated, again.step.version) == (True, version + 1)
    undo_karyogram(user=technologist, metaphase_id=karyogram.metaphase_id, base_version=version + 1)
    karyogram.refresh_from_db()
    assert karyogram.document == mine


def test_one_that_was_merged_away_comes_back(karyogram: Any, technologist: Any) -> None:
    version = edited(karyogram, technologist, {"op": "remove", "id": "c01"})
    restore_proposal(user=technologist, metaphase_id=karyogram.metaphase_id, base_version=version, id="c01")
    karyogram.refresh_from_db()
    assert karyogram.document == karyogram.proposal


def test_the_whole_cell_goes_back_in_one_step(karyogram: Any, technologist: Any) -> None:
    version = edited(
        karyogram,
        technologist,
        {"op": "debris", "id": "c04"},
        {"op": "lost", "label": "8", "count": 1},
        {"op": "remove", "id": "c02"},
    )
    mine = karyogram.document
    cell = karyogram.metaphase_id
    applied = restore_proposal(user=technologist, metaphase_id=cell, base_version=version)
    karyogram.refresh_from_db()
    assert karyogram.document == karyogram.proposal
    assert (applied.step.kind, applied.step.restores, karyogram.count) == (EditKind.RESTORE, 1, 5)
    undo_karyogram(user=technologist, metaphase_id=cell, base_version=version + 1)
    karyogram.refresh_from_db()
    assert karyogram.document == mine


def test_nothing_to_put_back_is_said_and_makes_no_step(karyogram: Any, technologist: Any) -> None:
    new = chromosome("c06", "9", 0)
    del new["order"]
    version = edited(karyogram, technologist, {"op": "add", "chromosome": new, "index": 0})
    cell = karyogram.metaphase_id
    with pytest.raises(Conflict, match="already"):
        restore_proposal(user=technologist, metaphase_id=cell, base_version=version, id="c01")
    for stranger in ("c06", "c99"):
        with pytest.raises(Invalid, match="did not propose"):
            restore_proposal(user=technologist, metaphase_id=cell, base_version=version, id=stranger)
    with pytest.raises(Conflict) as stale:
        restore_proposal(user=technologist, metaphase_id=cell, base_version=1)
    assert stale.value.code == "stale-version"
    undo_karyogram(user=technologist, metaphase_id=cell, base_version=version)
    with pytest.raises(Conflict, match="already"):
        restore_proposal(user=technologist, metaphase_id=cell, base_version=version + 1)
    karyogram.refresh_from_db()
    assert karyogram.version == version + 1
