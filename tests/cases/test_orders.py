"""Patients, cases and cultures."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from cases.actions.add_culture import add_culture
from cases.actions.change_case import change_case
from cases.actions.change_patient import change_patient
from cases.actions.create_case import create_case
from cases.actions.create_patient import create_patient
from cases.models import Case, Culture, Patient
from karyosite.audit.models import AuditEntry
from karyosite.errors import Conflict, Invalid, NotFound

TODAY = datetime.date(2026, 11, 22)


def last_entry() -> AuditEntry:
    return AuditEntry.objects.order_by("number").last()


def test_a_patient_is_added_and_the_log_says_so(technologist: Any, lab: Any) -> None:
    made = create_patient(
        user=technologist, identifier=" MRN-1 ", family_name="Łukasz\x00ewicz", given_name="Ana", sex="female",
        birth_date=datetime.date(1990, 2, 28),
    )  # fmt: skip
    stored = Patient.objects.get(pk=made.pk)
    assert (stored.laboratory, stored.identifier, stored.family_name) == (lab, "MRN-1", "Łukaszewicz")
    entry = last_entry()
    assert (entry.verb, entry.actor, entry.object_id) == ("patient.created", technologist, str(made.pk))
    assert entry.new["birth_date"] == "1990-02-28"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("identifier", {"identifier": ""}),
        ("identifier", {"identifier": "\x07\n"}),
        ("identifier", {"identifier": "x" * 65}),
        ("family_name", {"family_name": "x" * 121}),
        ("sex", {"sex": "robot"}),
        ("birth_date", {"birth_date": "31 February"}),
    ],
)
def test_a_faulty_patient_names_the_field(technologist: Any, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        create_patient(user=technologist, **({"identifier": "MRN-1"} | changes))
    assert field in refused.value.fields
    assert not Patient.objects.exists()
    assert not AuditEntry.objects.exists()


def test_identifiers_are_unique_in_a_laboratory_and_free_in_another(technologist: Any, stranger: Any) -> None:
    first = create_patient(user=technologist, identifier="MRN-1")
    with pytest.raises(Invalid) as refused:
        create_patient(user=technologist, identifier="MRN-1")
    assert list(refused.value.fields) == ["identifier"]
    assert create_patient(user=stranger, identifier="MRN-1").laboratory != first.laboratory
    other = create_patient(user=technologist, identifier="MRN-2")
    with pytest.raises(Invalid):
        change_patient(user=technologist, patient_id=other.pk, identifier="MRN-1")
    other.refresh_from_db()
    assert other.identifier == "MRN-2"


def test_a_change_of_a_patient_keeps_old_and_new_in_the_log(technologist: Any, patient: Any) -> None:
    change_patient(user=technologist, patient_id=patient.pk, given_name="Anne", sex="female")
    entry = last_entry()
    assert entry.old == {"given_name": "Anna", "sex": "unknown"}
    assert entry.new == {"given_name": "Anne", "sex": "female"}
    number = AuditEntry.objects.count()
    change_patient(user=technologist, patient_id=patient.pk, given_name="Anne")
    assert AuditEntry.objects.count() == number, "nothing changed, nothing to log"
    with pytest.raises(Invalid):
        change_patient(user=technologist, patient_id=patient.pk, laboratory=None)


def case_facts(**changes: Any) -> dict[str, Any]:
    return {"accession_number": "26-1", "specimen": "blood", "received_on": TODAY} | changes


def test_a_case_is_opened_for_a_colleague(technologist: Any, colleague: Any, patient: Any) -> None:
    made = create_case(
        user=technologist, patient_id=str(patient.pk), assignee_id=str(colleague.pk),
        **case_facts(due_on=TODAY + datetime.timedelta(14)),
    )  # fmt: skip
    stored = Case.objects.get(pk=made.pk)
    assert (stored.assignee, stored.state, stored.version, stored.created_by) == (colleague, "open", 1, technologist)
    assert last_entry().case_id == made.pk


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("accession_number", {"accession_number": ""}),
        ("specimen", {"specimen": "hair"}),
        ("due_on", {"due_on": TODAY - datetime.timedelta(1)}),
        ("received_on", {"received_on": None}),
        ("received_on", {"received_on": "soon"}),
        ("assignee_id", {"assignee_id": 999_999}),
        ("assignee_id", {"assignee_id": "9" * 40}),
        ("assignee_id", {"assignee_id": "me; drop"}),
        ("indication", {"indication": "x" * 301}),
    ],
)
def test_a_faulty_case_names_the_field(technologist: Any, patient: Any, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        create_case(user=technologist, patient_id=patient.pk, **case_facts(**changes))
    assert list(refused.value.fields) == [field]
    assert not Case.objects.exists()


def test_a_case_does_not_go_to_strangers_or_administrators(
    technologist: Any, stranger: Any, administrator: Any, patient: Any
) -> None:
    for other in (stranger, administrator):
        with pytest.raises(Invalid):
            create_case(user=technologist, patient_id=patient.pk, assignee_id=other.pk, **case_facts())


def test_accession_numbers_are_unique_in_a_laboratory(technologist: Any, case: Any, patient: Any) -> None:
    with pytest.raises(Invalid) as refused:
        create_case(user=technologist, patient_id=patient.pk, **case_facts(accession_number=case.accession_number))
    assert list(refused.value.fields) == ["accession_number"]


def test_a_case_is_for_a_patient_of_the_own_laboratory(stranger: Any, patient: Any) -> None:
    for identifier in (patient.pk, "no id at all", None):
        with pytest.raises(NotFound):
            create_case(user=stranger, patient_id=identifier, **case_facts())


def test_a_case_is_changed(technologist: Any, colleague: Any, case: Any) -> None:
    change_case(user=technologist, case_id=case.pk, indication="", assignee_id=colleague.pk)
    case.refresh_from_db()
    assert (case.indication, case.assignee) == ("", colleague)
    assert last_entry().old == {"indication": "advanced maternal age", "assignee": "Tess Okafor"}
    change_case(user=technologist, case_id=case.pk, assignee_id=None)
    case.refresh_from_db()
    assert case.assignee is None
    for changes in ({"state": "signed"}, {"version": 7}, {"accession_number": "1"}, {"laboratory": None}):
        with pytest.raises(Invalid):
            change_case(user=technologist, case_id=case.pk, **changes)


def test_someone_who_has_left_keeps_a_case_through_other_changes(technologist: Any, colleague: Any, case: Any) -> None:
    change_case(user=technologist, case_id=case.pk, assignee_id=colleague.pk)
    colleague.memberships.all().delete()
    change_case(user=technologist, case_id=case.pk, indication="new", assignee_id=colleague.pk)
    case.refresh_from_db()
    assert (case.indication, case.assignee) == ("new", colleague)


def test_cultures_have_labels_of_their_own(technologist: Any, case: Any) -> None:
    assert add_culture(user=technologist, case_id=case.pk, label="A", medium="RPMI").case == case
    with pytest.raises(Invalid) as refused:
        add_culture(user=technologist, case_id=case.pk, label="A")
    assert list(refused.value.fields) == ["label"]
    assert Culture.objects.count() == 1


@pytest.mark.parametrize("state", ["submitted", "signed"])
def test_a_locked_case_takes_no_change(technologist: Any, case: Any, state: str) -> None:
    Case.objects.filter(pk=case.pk).update(state=state)
    with pytest.raises(Conflict):
        change_case(user=technologist, case_id=case.pk, indication="other")
    with pytest.raises(Conflict):
        add_culture(user=technologist, case_id=case.pk, label="A")
    case.refresh_from_db()
    assert case.indication == "advanced maternal age"
