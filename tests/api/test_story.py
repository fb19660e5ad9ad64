"""How a hospital's order system works with the laboratory, from the order to the signed report."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from inference import jobs
from inference.models import InferenceJob
from inference.protocols import ModelInfo, Proposal
from tests.api.conftest import upload
from tests.conftest import PASSWORD, karyogram_document, png_bytes

pytestmark = pytest.mark.django_db


def analyse_waiting_job(sha256: str) -> None:
    """What a worker does, without its models: claims the job and finishes it with a proposal."""
    held = jobs.claim(str(InferenceJob.objects.get(state="queued").pk))
    assert held is not None
    document = karyogram_document(sha256)
    models = [ModelInfo(**model) for model in document["models"]]
    jobs.finish(held, Proposal(document=document, masks=[], models=models, timings_s={"total": 1.2}))


def test_order_upload_poll_review_collect(integration: Any, sunil: APIClient, tess: APIClient) -> None:
    token = APIClient().post(
        "/api/v1/tokens/", {"name": "hospital orders", "username": "lis", "password": PASSWORD}, format="json"
    )
    lis = APIClient()
    lis.credentials(HTTP_AUTHORIZATION=f"Bearer {token.json()['token']}")

    # The order.
    patient = lis.post("/api/v1/patients/", {"identifier": "MRN-77", "family_name": "Iversen"}, format="json").json()
    order = {
        "patient_id": patient["id"],
        "accession_number": "26-07001",
        "specimen": "blood",
        "indication": "infertility",
        "received_on": "2026-11-20",
        "due_on": "2026-12-11",
    }
    case = lis.post("/api/v1/cases/", order, format="json").json()
    address = f"/api/v1/cases/{case['id']}/"

    # The picture, by a microscope's export.
    content = png_bytes(seed=21)
    sent = lis.post(f"{address}metaphases/", {"file": upload("slide-1.png", content)}, format="multipart")
    assert sent.status_code == 202, sent.content
    cell = sent.json()["metaphases"][0]

    # It asks until the analysis has ended.
    job = lis.get(sent["Location"]).json()
    assert (job["state"], job["metaphase"], job["research_use_only"]) == ("queued", cell["id"], True)
    analyse_waiting_job(cell["sha256"])
    job = lis.get(sent["Location"]).json()
    assert (job["state"], job["error"]) == ("succeeded", "")
    assert {model["role"] for model in job["models_used"]} == {"detector", "segmenter"}
    karyogram = lis.get(f"/api/v1/metaphases/{cell['id']}/karyogram/").json()
    assert karyogram["count"] == 5
    assert karyogram["editable"] is False

    # People decide: the order system may look, not change.
    path = f"/api/v1/metaphases/{cell['id']}/karyogram/accept/"
    assert lis.post(path, {"base_version": 1}, format="json").status_code == 403
    assert tess.post(path, {"base_version": 1}, format="json").status_code == 200
    assert lis.post(f"{address}submit/", {"result": "46,XX"}, format="json").status_code == 403
    assert tess.post(f"{address}submit/", {"result": "46,XX"}, format="json").status_code == 201
    assert lis.get(f"{address}reports/").json()["results"][0]["state"] == "submitted"
    assert sunil.post(f"{address}sign/", {"password": PASSWORD}, format="json").status_code == 200

    # The report, collected.
    (report,) = lis.get(f"{address}reports/").json()["results"]
    assert (report["state"], report["result"], report["research_use_only"]) == ("signed", "46,XX", True)
    full = lis.get(f"/api/v1/reports/{report['id']}/").json()
    assert cell["sha256"] in str(full["snapshot"])
    assert lis.get(report["pdf_url"]).content.startswith(b"%PDF-")
    original = lis.get(cell["original_url"])
    assert b"".join(original.streaming_content) == content
