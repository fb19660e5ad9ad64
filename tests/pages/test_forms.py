"""Forms: one action each, sentences beside the field, nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def order(**changes: Any) -> dict[str, Any]:
    return {
        "accession_number": "26-09999",
        "specimen": "blood",
        "indication": "short stature",
        "received_on": "2026-11-18",
        "due_on": "2026-12-02",
        "assignee_id": "",
        "patient": "",
        "identifier": "MRN-777",
        "family_name": "Ek",
        "given_name": "Moa",
        "birth_date": "1990-01-02",
        "sex": "female",
        **changes,
    }


def test_a_case_and_its_new_patient_in_one_form(as_user: Any, technologist: Any, lab: Any) -> None:
    from cases.models import Case

    answer = as_user(technologist).post(reverse("case-new"), order(assignee_id=technologist.pk))
    made = Case.objects.get(accession_number="26-09999")
    assert answer.status_code == 302 and answer.url == reverse("case", args=[made.pk])
    assert (made.patient.identifier, made.patient.name, made.assignee) == ("MRN-777", "Ek, Moa", technologist)


def test_a_case_for_a_patient_on_record(as_user: Any, technologist: Any, patient: Any) -> None:
    from cases.models import Case, Patient

    as_user(technologist).post(reverse("case-new"), order(patient=str(patient.pk), identifier=""))
    assert Case.objects.get(accession_number="26-09999").patient == patient
    assert Patient.objects.count() == 1


def test_a_taken_accession_number_leaves_no_patient_behind_and_keeps_what_was_typed(
    as_user: Any, technologist: Any, case: Any
) -> None:
    from cases.models import Patient

    answer = as_user(technologist).post(reverse("case-new"), order(accession_number=case.accession_number))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "already has a case with this accession number" in page
    for typed in ("MRN-777", "Ek", "Moa", "short stature", "1990-01-02"):
        assert f'value="{typed}"' in page
    assert not Patient.objects.filter(identifier="MRN-777").exists()


def test_without_a_patient_the_form_says_what_is_needed(as_user: Any, technologist: Any, lab: Any) -> None:
    page = as_user(technologist).post(reverse("case-new"), order(identifier="", received_on="")).content.decode()
    assert "Choose a patient on record, or give the new patient&#x27;s identifier." in page
    assert "The day the specimen was received is needed." in page
    assert 'aria-invalid="true"' in page


def test_a_strangers_patient_cannot_be_chosen(as_user: Any, stranger: Any, patient: Any) -> None:
    from cases.models import Case

    answer = as_user(stranger).post(reverse("case-new"), order(patient=str(patient.pk)))
    assert answer.status_code == 422 and "Lindqvist" not in answer.content.decode()
    assert not Case.objects.exists()


def test_the_picker_finds_our_patients_and_keeps_the_chosen_one(
    as_user: Any, technologist: Any, stranger: Any, patient: Any
) -> None:
    url = reverse("patient-find")
    assert "MRN-004417" in as_user(technologist).get(url, {"patient_search": "lindq"}).content.decode()
    assert "MRN-004417" not in as_user(stranger).get(url, {"patient_search": "lindq"}).content.decode()
    kept = as_user(technologist).get(url, {"patient_search": "zzz", "patient": str(patient.pk)}).content.decode()
    assert "MRN-004417" in kept and "checked" in kept


def test_a_due_date_before_receipt_is_refused_beside_its_field(as_user: Any, technologist: Any, case: Any) -> None:
    answer = as_user(technologist).post(
        reverse("case-edit", args=[case.pk]),
        {"specimen": "blood", "received_on": "2026-11-18", "due_on": "2026-11-01", "indication": "kept words"},
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and "lies before the day" in page and "kept words" in page


def test_a_patient_is_registered_and_corrected(as_user: Any, technologist: Any, patient: Any) -> None:
    client = as_user(technologist)
    taken = client.post(reverse("patient-new"), {"identifier": patient.identifier, "family_name": "New", "sex": "male"})
    assert taken.status_code == 422 and 'value="New"' in taken.content.decode()
    client.post(
        reverse("patient-edit", args=[patient.pk]),
        {"identifier": patient.identifier, "family_name": "Lind", "given_name": "Anna", "sex": "female"},
    )
    patient.refresh_from_db()
    assert (patient.family_name, patient.sex) == ("Lind", "female")


def test_submit_needs_an_accepted_cell_and_keeps_the_result_line(
    as_user: Any, technologist: Any, case: Any, karyogram: Any
) -> None:
    answer = as_user(technologist).post(
        reverse("case-submit", args=[case.pk]), {"result": "46,XX[20]", "comment": "seen at the microscope"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422 and "46,XX[20]" in page and "seen at the microscope" in page
    assert "No cell is accepted yet" in page
    case.refresh_from_db()
    assert case.state == "open"


def test_the_whole_way_submit_return_submit_sign_amend(
    as_user: Any, technologist: Any, supervisor: Any, case: Any, accepted: Any
) -> None:
    url = reverse("case", args=[case.pk])
    author, reviewer = as_user(technologist), as_user(supervisor)

    def post(client: Any, name: str, **typed: str) -> Any:
        return client.post(reverse(name, args=[case.pk]), typed, follow=True)

    assert "Submitted for review" in post(author, "case-submit", result="46,XX[1]").content.decode()
    assert "26-01842" in reviewer.get("/").content.decode()
    post(reviewer, "case-return", reason="Count cell 3 again.")
    returned = author.get(url).content.decode()
    assert "Returned by Sunil Rao" in returned and "Count cell 3 again." in returned and "46,XX[1]" in returned
    post(author, "case-submit", result="45,X[1]")

    wrong = reviewer.post(reverse("case-sign", args=[case.pk]), {"password": "not it", "meaning": "approved"})
    assert wrong.status_code == 422 and "The password is wrong" in wrong.content.decode()
    assert "not it" not in wrong.content.decode()
    signed = post(reviewer, "case-sign", password=PASSWORD, meaning="approved").content.decode()
    assert "Reviewed and approved" in signed and "Sunil Rao" in signed and 'id="upload"' not in signed
    report = case.reports.get(state="signed")
    assert reverse("report-pdf", args=[report.pk]) in signed
    pdf = author.get(reverse("report-pdf", args=[report.pk]))
    assert pdf.content.startswith(b"%PDF") and "26-01842-version-1.pdf" in pdf.headers["Content-Disposition"]

    amended = post(reviewer, "case-amend", reason="A second culture grew.").content.decode()
    assert "Amendment, version 2" in amended and "A second culture grew." in amended


def test_who_submitted_is_told_that_another_has_to_sign(
    as_user: Any, supervisor: Any, case: Any, accepted: Any
) -> None:
    from cases.actions.submit_case import submit_case

    submit_case(user=supervisor, case_id=case.pk, result="46,XX[1]")
    page = as_user(supervisor).get(reverse("case", args=[case.pk])).content.decode()
    assert "another supervisor has to sign it" in page and reverse("case-sign", args=[case.pk]) not in page


def test_a_culture_is_added_once(as_user: Any, technologist: Any, case: Any) -> None:
    url = reverse("culture-new", args=[case.pk])
    client = as_user(technologist)
    assert client.post(url, {"label": "A", "medium": "Amniomax"}).status_code == 302
    again = client.post(url, {"label": "A", "medium": "another medium"})
    assert again.status_code == 422 and "another medium" in again.content.decode()
    assert case.cultures.count() == 1
