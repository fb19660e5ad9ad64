"""Three people at each address: one with the right, a colleague without it, a stranger who must not learn anything."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Culture, Report
from inference.models import InferenceJob
from tests.api.conftest import Clients, problem, upload
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

# method, address, body, and a role of the laboratory without the right ("" where every role has it)
READS = [
    "patients/{patient}/",
    "cases/{case}/",
    "cases/{case}/cultures/",
    "cases/{case}/metaphases/",
    "cases/{case}/reports/",
    "reports/{report}/",
    "metaphases/{cell}/",
    "metaphases/{cell}/original/",
    "metaphases/{cell}/view/",
    "metaphases/{cell}/karyogram/",
    "metaphases/{cell}/karyogram/edits/",
    "metaphases/{cell}/karyogram/sheet.png",
    "jobs/{job}/",
]
BASE = {"base_version": 1}
CHANGES: list[tuple[str, str, dict[str, Any], str]] = [
    ("patch", "patients/{patient}/", {"given_name": "Eve"}, ""),
    ("patch", "cases/{case}/", {"indication": "changed"}, ""),
    ("post", "cases/{case}/cultures/", {"label": "A"}, "administrator"),
    ("upload", "cases/{case}/metaphases/", {}, "administrator"),
    ("post", "metaphases/{cell}/analyse/", {}, "administrator"),
    ("post", "metaphases/{cell}/karyogram/edits/", BASE | {"edit": {"op": "flip", "id": "c01"}}, "integration"),
    ("post", "metaphases/{cell}/karyogram/undo/", BASE, "integration"),
    ("post", "metaphases/{cell}/karyogram/redo/", BASE, "administrator"),
    ("post", "metaphases/{cell}/karyogram/accept/", BASE, "integration"),
    ("post", "metaphases/{cell}/karyogram/reopen/", BASE, "administrator"),
    ("post", "cases/{case}/submit/", {"result": "46,XX"}, "integration"),
    ("post", "cases/{case}/return/", {"reason": "again"}, "technologist"),
    ("post", "cases/{case}/sign/", {"password": PASSWORD}, "technologist"),
    ("post", "cases/{case}/amend/", {"reason": "again"}, "technologist"),
    ("post", "jobs/{job}/cancel/", {}, "administrator"),
    ("post", "jobs/{job}/retry/", {}, "administrator"),
]


@pytest.fixture
def ids(patient: Any, case: Any, karyogram: Any, technologist: Any) -> dict[str, str]:
    job = InferenceJob.objects.create(
        metaphase_id=karyogram.metaphase_id, state="failed", queued_at=timezone.now(), requested_by=technologist
    )
    report = Report.objects.create(
        case=case,
        version=1,
        round=1,
        state="returned",
        result="46,XX",
        snapshot={},
        snapshot_sha256="0" * 64,
        submitted_by=technologist,
        submitted_by_name="Tess Okafor",
        submitted_at=timezone.now(),
    )
    return {
        "patient": str(patient.pk),
        "case": str(case.pk),
        "cell": str(karyogram.metaphase_id),
        "job": str(job.pk),
        "report": str(report.pk),
    }


def send(client: APIClient, method: str, path: str, body: dict[str, Any]) -> Any:
    address = f"/api/v1/{path}"
    if method == "upload":
        return client.post(address, {"file": upload()}, format="multipart")
    return getattr(client, method)(address, body, format="json")


@pytest.mark.parametrize("path", READS)
def test_colleagues_read_and_a_stranger_learns_nothing(
    path: str, ids: dict[str, str], tess: APIClient, stella: APIClient, program: Clients, administrator: Any
) -> None:
    address = f"/api/v1/{path.format(**ids)}"
    for client in (tess, program(administrator)):
        response = client.get(address)
        assert response.status_code == 200, response.content
        if response["Content-Type"] == "application/json":
            body = response.json()
            assert body["research_use_only"] is True
            assert all(entry["research_use_only"] is True for entry in body.get("results", []))
    # To the letter what an address answers that never was.
    never = "/api/v1/" + path.format(**dict.fromkeys(ids, "00000000-0000-4000-8000-000000000000"))
    hidden, unknown = problem(stella.get(address), 404, "not-found"), problem(stella.get(never), 404, "not-found")
    assert hidden == unknown
    problem(APIClient().get(address), 401)


@pytest.mark.parametrize(("method", "path", "body", "without_right"), CHANGES)
def test_a_colleague_without_the_right_and_a_stranger_change_nothing(
    method: str,
    path: str,
    body: dict[str, Any],
    without_right: str,
    ids: dict[str, str],
    stella: APIClient,
    program: Clients,
    request: pytest.FixtureRequest,
) -> None:
    path = path.format(**ids)
    never = path
    for value in ids.values():
        never = never.replace(value, "00000000-0000-4000-8000-000000000000")
    before = state_of_everything()
    hidden = problem(send(stella, method, path, body), 404, "not-found")
    assert hidden == problem(send(stella, method, never, body), 404, "not-found")
    problem(send(APIClient(), method, path, body), 401)
    if without_right:
        client = program(request.getfixturevalue(without_right))
        problem(send(client, method, path, body), 403, "forbidden")
    assert state_of_everything() == before


def state_of_everything() -> list[Any]:
    from cases.models import Case, KaryogramEdit, Metaphase, Patient

    models = (Patient, Case, Culture, Metaphase, KaryogramEdit, Report, InferenceJob)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_lists_and_counts_hold_nothing_of_another_laboratory(
    ids: dict[str, str], tess: APIClient, stella: APIClient
) -> None:
    for path in ("patients/", "cases/", "jobs/"):
        assert len(tess.get(f"/api/v1/{path}").json()["results"]) == 1
        body = stella.get(f"/api/v1/{path}").json()
        assert (body["results"], body["next"], body["previous"]) == ([], None, None)
    for query in ("search=26-01842", f"patient={ids['patient']}", "search=Lindqvist"):
        assert len(tess.get(f"/api/v1/cases/?{query}").json()["results"]) == 1
        assert stella.get(f"/api/v1/cases/?{query}").json()["results"] == []
    for query in (f"case={ids['case']}", f"metaphase={ids['cell']}"):
        assert stella.get(f"/api/v1/jobs/?{query}").json()["results"] == []


def test_a_stranger_cannot_tell_a_taken_number_or_use_anothers_records(
    ids: dict[str, str], stella: APIClient, technologist: Any, case: Any
) -> None:
    """The same accession number and identifier are free in another laboratory; its patient, culture, people are not."""
    mine = stella.post("/api/v1/patients/", {"identifier": "MRN-004417"}, format="json")
    assert mine.status_code == 201
    new = {"accession_number": "26-01842", "specimen": "blood", "received_on": "2026-11-20"}
    problem(stella.post("/api/v1/cases/", new | {"patient_id": ids["patient"]}, format="json"), 404)
    made = stella.post("/api/v1/cases/", new | {"patient_id": mine.json()["id"]}, format="json")
    assert made.status_code == 201, made.content
    theirs = f"/api/v1/cases/{made.json()['id']}/"
    problem(stella.patch(theirs, {"assignee_id": technologist.pk}, format="json"), 422)
    culture = Culture.objects.create(case=case, label="A")
    sent = stella.post(f"{theirs}metaphases/", {"file": upload(), "culture": str(culture.pk)}, format="multipart")
    problem(sent, 422)


def test_the_same_file_in_two_laboratories_is_nobodys_duplicate(
    tess: APIClient, stella: APIClient, case: Any, other_lab: Any, stranger: Any
) -> None:
    from cases.models import Case, Patient

    theirs = Case.objects.create(
        laboratory=other_lab,
        patient=Patient.objects.create(laboratory=other_lab, identifier="H-1"),
        accession_number="H-1",
        received_on="2026-11-20",
    )
    for client, where in ((tess, case), (stella, theirs)):
        response = client.post(f"/api/v1/cases/{where.pk}/metaphases/", {"file": upload()}, format="multipart")
        assert response.status_code == 202
        assert response.json()["duplicates"] == []
