"""Review and sign-off by API; a signed case is read-only everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from cases.models import Case, Culture, KaryogramEdit, Metaphase
from inference.models import InferenceJob
from tests.api.conftest import problem, upload
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(case: Any, karyogram: Any) -> str:
    return f"/api/v1/cases/{case.pk}/"


def post(client: APIClient, path: str, **body: Any) -> Any:
    return client.post(path, body, format="json")


def submit(tess: APIClient, address: str, karyogram: Any) -> dict[str, Any]:
    post(tess, f"/api/v1/metaphases/{karyogram.metaphase_id}/karyogram/accept/", base_version=karyogram.version)
    response = post(tess, f"{address}submit/", result="46,XX", comment="clear")
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def test_a_case_without_an_accepted_cell_cannot_be_submitted(tess: APIClient, address: str) -> None:
    problem(post(tess, f"{address}submit/", result="46,XX"), 409, "no-cell-accepted")
    problem(post(tess, f"{address}submit/", result=" "), 400, "invalid")


def test_submitted_returned_submitted_again_signed_amended(
    tess: APIClient, sunil: APIClient, address: str, karyogram: Any
) -> None:
    first = submit(tess, address, karyogram)
    assert (first["state"], first["version"], first["round"], first["submitted_by"]) == (
        "submitted",
        1,
        1,
        "Tess Okafor",
    )
    assert first["research_use_only"] is True
    assert first["snapshot"]
    returned = post(sunil, f"{address}return/", reason="Look at c03 again.")
    assert returned.status_code == 200, returned.content
    assert (returned.json()["state"], returned.json()["returned_by"]) == ("returned", "Sunil Rao")
    case = tess.get(address).json()
    assert (case["state"], case["editable"], case["assignee"]["name"]) == ("returned", True, "Tess Okafor")
    assert post(tess, f"{address}submit/", result="46,XX", comment="").json()["round"] == 2

    problem(post(sunil, f"{address}sign/", password="wrong password"), 403, "wrong-password")
    assert tess.get(address).json()["state"] == "submitted"
    signed = post(sunil, f"{address}sign/", password=PASSWORD, meaning="approved")
    assert signed.status_code == 200, signed.content
    (signature,) = signed.json()["signatures"]
    assert (signature["printed_name"], signature["meaning"]) == ("Sunil Rao", "approved")
    assert signature["snapshot_sha256"] == signed.json()["snapshot_sha256"]
    assert PASSWORD not in signed.content.decode()

    listed = tess.get(f"{address}reports/").json()["results"]
    assert [(entry["round"], entry["state"]) for entry in listed] == [(1, "returned"), (2, "signed")]
    assert all("snapshot" not in entry for entry in listed)
    pdf = tess.get(listed[1]["pdf_url"])
    assert pdf.content.startswith(b"%PDF-")
    assert pdf["Content-Disposition"] == 'attachment; filename="26-01842-version-1.pdf"'

    amended = post(sunil, f"{address}amend/", reason="Band level was wrong.")
    assert amended.status_code == 200, amended.content
    assert (amended.json()["version"], amended.json()["state"]) == (2, "open")
    assert amended.json()["amendment_reason"] == "Band level was wrong."
    assert tess.get(listed[1]["pdf_url"]).content == pdf.content


def test_nobody_signs_what_they_submitted_themselves(sunil: APIClient, address: str, karyogram: Any) -> None:
    submit(sunil, address, karyogram)
    response = post(sunil, f"{address}sign/", password=PASSWORD)
    assert response.status_code in (403, 409)
    problem(response, response.status_code)
    assert Case.objects.get().state == "submitted"


def test_guessing_the_password_at_signing_is_slowed(
    tess: APIClient, sunil: APIClient, address: str, karyogram: Any
) -> None:
    submit(tess, address, karyogram)
    statuses = [post(sunil, f"{address}sign/", password=f"guess {n}").status_code for n in range(12)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
    problem(post(sunil, f"{address}sign/", password=PASSWORD), 429)
    assert Case.objects.get().state == "submitted"


def test_a_signed_case_changes_by_no_address(
    tess: APIClient, sunil: APIClient, address: str, karyogram: Any, technologist: Any
) -> None:
    from django.utils import timezone

    cell = f"/api/v1/metaphases/{karyogram.metaphase_id}/"
    job = InferenceJob.objects.create(
        metaphase_id=karyogram.metaphase_id, state="failed", queued_at=timezone.now(), requested_by=technologist
    )
    submit(tess, address, karyogram)
    post(sunil, f"{address}sign/", password=PASSWORD)
    assert tess.get(address).json()["state"] == "signed"
    kept = [list(model.objects.order_by("pk").values()) for model in (Case, Culture, Metaphase, KaryogramEdit)]
    base = {"base_version": 1}
    attempts = [
        tess.patch(address, {"indication": "other"}, format="json"),
        post(tess, f"{address}cultures/", label="A"),
        tess.post(f"{address}metaphases/", {"file": upload()}, format="multipart"),
        post(tess, f"{address}submit/", result="47,XX,+21"),
        post(sunil, f"{address}return/", reason="late thought"),
        post(sunil, f"{address}sign/", password=PASSWORD),
        post(tess, f"{cell}analyse/"),
        post(tess, f"{cell}karyogram/edits/", **base, edit={"op": "flip", "id": "c01"}),
        post(tess, f"{cell}karyogram/undo/", **base),
        post(tess, f"{cell}karyogram/redo/", **base),
        post(tess, f"{cell}karyogram/accept/", **base),
        post(tess, f"{cell}karyogram/reopen/", **base),
        post(tess, f"{cell}karyogram/restore/", **base, id=None, client_key=""),
        post(tess, f"{cell}karyogram/versions/1/restore/", **base, client_key=""),
        post(tess, f"{cell}comments/", text="a late thought"),
        tess.put(f"{cell}count/", {"ticks": [[5.0, 5.0]], "sure": True, "base_version": 0}, format="json"),
        post(tess, f"{cell}standing/", standing="analysed"),
        post(tess, f"/api/v1/jobs/{job.pk}/retry/"),
        post(tess, f"/api/v1/jobs/{job.pk}/cancel/"),
    ]
    for attempt in attempts:
        problem(attempt, 409)
    shown = tess.get(f"{cell}karyogram/").json()
    assert shown["editable"] is False
    assert "signed" in shown["locked_because"]
    assert kept == [list(model.objects.order_by("pk").values()) for model in (Case, Culture, Metaphase, KaryogramEdit)]


def test_every_changing_address_under_a_case_is_among_those_attempts() -> None:
    """A new address that changes something must be added above."""
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    changing = {
        f"{method} {path.removeprefix('/api/v1/')}"
        for path, methods in paths.items()
        for method in methods
        if method != "get" and path.startswith(("/api/v1/cases/{", "/api/v1/metaphases/{", "/api/v1/jobs/{"))
    }
    assert changing == {
        "patch cases/{id}/",
        "post cases/{id}/cultures/",
        "post cases/{id}/metaphases/",
        "post cases/{id}/submit/",
        "post cases/{id}/return/",
        "post cases/{id}/sign/",
        "post cases/{id}/amend/",  # the one way on from a signed case: it opens the next version
        "post metaphases/{id}/analyse/",
        "post metaphases/{id}/karyogram/edits/",
        "post metaphases/{id}/karyogram/undo/",
        "post metaphases/{id}/karyogram/redo/",
        "post metaphases/{id}/karyogram/accept/",
        "post metaphases/{id}/karyogram/reopen/",
        "post metaphases/{id}/karyogram/restore/",
        "post metaphases/{id}/karyogram/versions/{version}/restore/",
        "post metaphases/{id}/comments/",
        "put metaphases/{id}/count/",
        "post metaphases/{id}/standing/",
        "post metaphases/{metaphase_id}/cut/",  # computes and stores nothing
        "post metaphases/{id}/presence/",  # says who is looking: changes nothing of the case
        "post jobs/{job_id}/retry/",
        "post jobs/{job_id}/cancel/",
    }
