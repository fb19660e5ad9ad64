from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.checks import apply_changes, save_checked
from cases.actions.create_patient import TAKEN, facts
from cases.models import Patient
from karyosite.accounts.models import User
from karyosite.audit.record import record

_FIELDS = frozenset({"identifier", "family_name", "given_name", "birth_date", "sex"})


@transaction.atomic
def change_patient(*, user: User, patient_id: Any, **changes: Any) -> Patient:
    """Changes what is known about a patient; signed reports keep what they say.  Raises Invalid, naming the fields."""
    membership, patient = rows.locked_patient(user, "change_patient", patient_id)
    before = facts(patient)
    apply_changes(patient, changes, _FIELDS)
    save_checked(patient, taken=TAKEN)
    after = facts(patient)
    changed = [field for field in after if after[field] != before[field]]
    if changed:
        record(
            laboratory=membership.laboratory,
            actor=user,
            verb=verbs.PATIENT_CHANGED,
            about=patient,
            summary=f"Patient {patient} changed.",
            old={field: before[field] for field in changed},
            new={field: after[field] for field in changed},
        )
    return patient
