"""Patients, cases and cultures by API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from cases.models import Case, Patient
from karyosite.audit.models import AuditEntry
from tests.api.conftest import problem

pytestmark = pytest.mark.django_db
NEW_CASE = {"accession_number": "26-02000", "specimen": "blood", "received_on": "2026-11-20"}


def test_a_patient_is_added_read_changed_and_found(tess: APIClient) -> None:
    made = tess.post("/api/v1/patients/", {"identifier": "MRN-1", "family_name": "Sørensen", "sex": "female"})
    assert made.status_code == 201
    address = f"/api/v1/patients/{made.json()['id']}/"
    assert made.json()["research_use_only"] is True
    changed = tess.patch(address, {"given_name": "Ida", "birth_date": "1991-02-03"})
    assert changed.status_code == 200
    shown = tess.get(address).json()
    assert (shown["family_name"], shown["given_name"], shown["birth_date"]) == ("Sørensen", "Ida", "1991-02-03")
    assert [row["identifier"] for row in tess.get("/api/v1/patients/", {"search": "ida"}).json()["results"]] == [
        "MRN-1"
    ]
    assert tess.get("/api/v1/patients/", {"search": "nobody"}).json()["results"] == []
    assert list(AuditEntry.objects.values_list("verb", flat=True)) == ["patient.created", "patient.changed"]


def test_an_identifier_is_unique_in_the_laboratory(tess: APIClient, patient: Any) -> None:
    body = problem(tess.post("/api/v1/patients/", {"identifier": patient.identifier}), 422, "invalid")
    assert "identifier" in body["errors"]
    assert Patient.objects.count() == 1


def test_a_case_is_opened_read_and_changed(tess: APIClient, patient: Any, technologist: Any) -> None:
    made = tess.post(
        "/api/v1/cases/",
        NEW_CASE | {"patient_id": str(patient.pk), "assignee_id": technologist.pk, "due_on": "2026-12-11"},
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert body["patient"] == {"id": str(patient.pk), "identifier": "MRN-004417", "name": "Lindqvist, Anna"}
    assert body["assignee"] == {"id": technologist.pk, "name": "Tess Okafor"}
    assert (body["state"], body["editable"], body["version"], body["cells"]) == ("open", True, 1, 0)
    assert body["research_use_only"] is True
    address = f"/api/v1/cases/{body['id']}/"
    changed = tess.patch(address, {"indication": "recurrent loss", "assignee_id": None}).json()
    assert (changed["indication"], changed["assignee"], changed["due_on"]) == ("recurrent loss", None, "2026-12-11")
    assert tess.get(address).json() == changed


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"accession_number": "26-01842"}, 422, "accession_number"),
        ({"accession_number": ""}, 400, "accession_number"),
        ({"specimen": "soup"}, 400, "specimen"),
        ({"received_on": "20 November"}, 400, "received_on"),
        ({"due_on": "2026-11-01"}, 422, "due_on"),
        ({"assignee_id": 999999}, 422, "assignee_id"),
        ({"patient_id": "nobody"}, 400, "patient_id"),
        ({"patinet": "x"}, 400, "patinet"),
    ],
)
def test_what_is_wrong_with_a_case_is_said_by_field(
    tess: APIClient, case: Any, patient: Any, change: dict[str, Any], status: int, field: str
) -> None:
    response = tess.post("/api/v1/cases/", NEW_CASE | {"patient_id": str(patient.pk)} | change)
    body = problem(response, status, "invalid")
    assert field in body["errors"], body
    assert Case.objects.count() == 1


def test_cases_are_found_by_what_people_search_for(
    tess: APIClient, lab: Any, case: Any, patient: Any, technologist: Any, colleague: Any
) -> None:
    other_patient = Patient.objects.create(laboratory=lab, identifier="MRN-9")
    second = Case.objects.create(
        laboratory=lab,
        patient=other_patient,
        accession_number="26-07777",
        received_on="2026-11-19",
        state="submitted",
        assignee=colleague,
    )

    def found(**query: Any) -> list[str]:
        response = tess.get("/api/v1/cases/", query)
        assert response.status_code == 200, response.content
        return [row["accession_number"] for row in response.json()["results"]]

    assert found() == ["26-07777", "26-01842"]
    assert found(search="01842") == ["26-01842"]
    assert found(search="lindqvist") == ["26-01842"]
    assert found(state="submitted") == ["26-07777"]
    assert found(assignee="me") == ["26-01842"]
    assert found(assignee=colleague.pk) == ["26-07777"]
    assert found(assignee="none") == []
    assert found(patient=str(second.patient_id)) == ["26-07777"]
    assert found(patient=str(patient.pk), state="submitted") == []
    problem(tess.get("/api/v1/cases/", {"state": "done"}), 400, "invalid")
    problem(tess.get("/api/v1/cases/", {"patient": "x"}), 400, "invalid")
    problem(tess.get("/api/v1/cases/", {"search": "a\0b"}), 400, "invalid")


def test_pages_follow_one_another_by_key_without_gap_or_repeat(tess: APIClient, lab: Any, patient: Any) -> None:
    for number in range(7):
        Case.objects.create(laboratory=lab, patient=patient, accession_number=f"26-{number}", received_on="2026-11-19")
    seen: list[str] = []
    address: str | None = "/api/v1/cases/?page_size=3"
    while address:
        page = tess.get(address).json()
        assert page["research_use_only"] is True
        assert len(page["results"]) <= 3
        seen += [row["accession_number"] for row in page["results"]]
        address = page["next"]
        if len(seen) == 3:
            # A case that comes in while somebody pages through does not shift the pages.
            Case.objects.create(laboratory=lab, patient=patient, accession_number="new", received_on="2026-11-19")
    assert seen == [f"26-{number}" for number in reversed(range(7))]


def test_a_page_costs_the_same_number_of_queries_however_many_rows(
    tess: APIClient, lab: Any, patient: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        Case.objects.create(laboratory=lab, patient=patient, accession_number=f"26-{number}", received_on="2026-11-19")
    with django_assert_max_num_queries(8):
        assert len(tess.get("/api/v1/cases/").json()["results"]) == 30


@pytest.mark.parametrize("cursor", ["x", "cD1ub3RhZGF0ZQ==", "bz0tMQ==", "cD0lMDA=", "cD0yMDI2LTk5LTk5", "é"])
def test_a_made_up_page_mark_is_refused(tess: APIClient, cursor: str) -> None:
    problem(tess.get("/api/v1/cases/", {"cursor": cursor}), 400, "bad-cursor")


def test_cultures_belong_to_a_case(tess: APIClient, case: Any) -> None:
    address = f"/api/v1/cases/{case.pk}/cultures/"
    made = tess.post(address, {"label": "A", "medium": "Amniomax"})
    assert made.status_code == 201, made.content
    assert made.json()["research_use_only"] is True
    tess.post(address, {"label": "B"})
    assert [row["label"] for row in tess.get(address).json()["results"]] == ["A", "B"]
    problem(tess.post(address, {"label": "A"}), 422, "invalid")
