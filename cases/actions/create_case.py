from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction

from cases import policies
from cases.actions import rows, verbs
from cases.actions.checks import save_checked
from cases.models import Case, Patient
from karyosite.accounts.models import Membership, Role, User
from karyosite.audit.record import record
from karyosite.errors import Invalid, NotFound

TAKEN = {"accession_number": "Your laboratory already has a case with this accession number."}


@transaction.atomic
def create_case(
    *,
    user: User,
    patient_id: Any,
    accession_number: str,
    specimen: str,
    indication: str = "",
    received_on: datetime.date,
    due_on: datetime.date | None = None,
    assignee_id: int | None = None,
) -> Case:
    """Opens a case for a patient of the user's laboratory.  Raises Invalid, naming the fields."""
    laboratory = policies.require(user, "create_case").laboratory
    patient = Patient.objects.filter(laboratory=laboratory, pk=rows.as_uuid(patient_id)).first()
    if patient is None:
        raise NotFound("There is no such patient in your laboratory.")
    case = Case(
        laboratory=laboratory,
        patient=patient,
        accession_number=accession_number,
        specimen=specimen,
        indication=indication,
        received_on=received_on,
        due_on=due_on,
        assignee=assignable(laboratory.pk, assignee_id),
        created_by=user,
    )
    check_dates(case)
    save_checked(case, taken=TAKEN)
    record(
        laboratory=laboratory,
        actor=user,
        verb=verbs.CASE_CREATED,
        about=case,
        case_id=case.pk,
        summary=f"Case {case.accession_number} opened for {patient}.",
        new=facts(case),
    )
    return case


def assignable(laboratory_id: Any, assignee_id: Any) -> User | None:
    """A person of the laboratory who may do the work, or None where nobody is named."""
    if assignee_id in (None, ""):
        return None
    membership = None
    if str(assignee_id).isdecimal() and len(str(assignee_id)) < 19:
        membership = (
            Membership.objects.filter(
                laboratory_id=laboratory_id,
                user_id=int(assignee_id),
                user__is_active=True,
                role__in=(Role.TECHNOLOGIST, Role.SUPERVISOR),
            )
            .select_related("user")
            .first()
        )
    if membership is None:
        sentence = "A case goes to a technologist or supervisor of your laboratory."
        raise Invalid(sentence, fields={"assignee_id": [sentence]})
    return membership.user


def check_dates(case: Case) -> None:
    dates = (case.received_on, case.due_on)
    if all(isinstance(date, datetime.date) for date in dates) and case.due_on < case.received_on:  # type: ignore[operator]
        sentence = "The due date lies before the day the specimen was received."
        raise Invalid(sentence, fields={"due_on": [sentence]})


def facts(case: Case) -> dict[str, str]:
    """The order's data, as the audit log keeps them."""
    return {
        "accession_number": case.accession_number,
        "patient": str(case.patient_id),
        "specimen": case.specimen,
        "indication": case.indication,
        "received_on": str(case.received_on or ""),
        "due_on": str(case.due_on or ""),
        "assignee": str(case.assignee or ""),
    }
