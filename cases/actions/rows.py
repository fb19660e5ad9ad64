"""Fetching a row for change: locked, and allowed to the user, or refused.

Locks are taken in one order everywhere: case, then cell, then karyogram, then (by the audit log) the laboratory.
NO KEY UPDATE, because a plain lock would also hold up everybody whose new rows merely point at the locked one.
"""

from __future__ import annotations

import uuid
from typing import Any

from cases import policies
from cases.domain import states
from cases.models import Case, Karyogram, Metaphase, Patient
from karyosite.accounts.models import Membership, User
from karyosite.errors import Conflict, NotFound

NOTHING_HERE = "There is nothing here under this address."


def as_uuid(value: Any) -> uuid.UUID:
    """Raises NotFound for what cannot be an id at all."""
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        raise NotFound(NOTHING_HERE) from None


def locked_patient(user: User, right: str, patient_id: Any) -> tuple[Membership, Patient]:
    row = Patient.objects.select_for_update(no_key=True).filter(pk=as_uuid(patient_id)).first()
    if row is None:
        raise NotFound(NOTHING_HERE)
    return policies.require(user, right, row.laboratory), row


def locked_case(user: User, right: str, case_id: Any, *, editable: bool = True) -> tuple[Membership, Case]:
    """Raises NotFound, Forbidden, or Conflict where the case must be editable and is not."""
    row = (
        Case.objects.select_for_update(no_key=True, of=("self",))
        .select_related("laboratory", "patient")
        .filter(pk=as_uuid(case_id))
        .first()
    )
    if row is None:
        raise NotFound(NOTHING_HERE)
    membership = policies.require(user, right, row.laboratory)
    if editable:
        must_be_editable(row)
    return membership, row


def must_be_editable(case: Case) -> None:
    sentence = states.locked_because(case.state)
    if sentence:
        raise Conflict(sentence, code="case-locked", state=case.state)


def next_state(case: Case, transition: str) -> str:
    try:
        return states.after(case.state, transition)
    except states.TransitionRefused as refused:
        raise Conflict(refused.sentence, code="wrong-state", state=case.state) from None


def locked_metaphase(user: User, right: str, metaphase_id: Any, *, editable: bool = True) -> Metaphase:
    """The cell with its case and laboratory, both locked.  Raises as locked_case does."""
    case_id = Metaphase.objects.filter(pk=as_uuid(metaphase_id)).values_list("case_id", flat=True).first()
    if case_id is None:
        raise NotFound(NOTHING_HERE)
    _, case = locked_case(user, right, case_id, editable=editable)
    return metaphase_of(case, metaphase_id)


def metaphase_of(case: Case, metaphase_id: Any) -> Metaphase:
    """The cell, locked, under a case that is locked already."""
    row = Metaphase.objects.select_for_update(no_key=True, of=("self",)).select_related("image").get(pk=metaphase_id)
    row.case = case
    return row


def locked_karyogram(metaphase: Metaphase) -> Karyogram:
    row = Karyogram.objects.select_for_update(no_key=True).filter(metaphase=metaphase).first()
    if row is None:
        raise NotFound("This cell has no karyogram yet. It appears when the analysis has finished.")
    row.metaphase = metaphase
    return row
