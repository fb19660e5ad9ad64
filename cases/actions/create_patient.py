from __future__ import annotations

import datetime

from django.db import transaction

from cases import policies
from cases.actions import verbs
from cases.actions.checks import save_checked
from cases.models import Patient
from karyosite.accounts.models import User
from karyosite.audit.record import record

TAKEN = {"identifier": "Your laboratory already has a patient with this identifier."}


@transaction.atomic
def create_patient(
    *,
    user: User,
    identifier: str,
    family_name: str = "",
    given_name: str = "",
    birth_date: datetime.date | None = None,
    sex: str = "unknown",
) -> Patient:
    """Adds a patient to the user's laboratory.  Raises Invalid, naming the fields."""
    laboratory = policies.require(user, "create_patient").laboratory
    patient = Patient(
        laboratory=laboratory,
        identifier=identifier,
        family_name=family_name,
        given_name=given_name,
        birth_date=birth_date,
        sex=sex,
    )
    save_checked(patient, taken=TAKEN)
    record(
        laboratory=laboratory,
        actor=user,
        verb=verbs.PATIENT_CREATED,
        about=patient,
        summary=f"Patient {patient} added.",
        new=facts(patient),
    )
    return patient


def facts(patient: Patient) -> dict[str, str]:
    """The patient's data, as the audit log keeps them."""
    return {
        "identifier": patient.identifier,
        "family_name": patient.family_name,
        "given_name": patient.given_name,
        "birth_date": str(patient.birth_date or ""),
        "sex": patient.sex,
    }
