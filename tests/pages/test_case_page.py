"""The case page while work goes on: live status, retry and cancel, the emerging result, thumbnails; the models page."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image

pytestmark = pytest.mark.django_db


def fragment(client: Any, case: Any) -> str:
    answer = client.get(reverse("case-cells", args=[case.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_page_asks_again_only_while_something_runs(
    case: Any, metaphase: Any, as_user: Any, technologist: Any
) -> None:
    client = as_user(technologist)
    metaphase.analysis_state, metaphase.analysis_stage = "running", "segment"
    metaphase.save()
    text = fragment(client, case)
    assert "every 2s" in text and "Cutting chromosomes" in text and "0 of 1 analysed" in text
    assert "You may leave this page" in text and 'hx-swap-oob="true"' in text
    metaphase.analysis_state = "succeeded"
    metaphase.save()
    assert "every 2s" not in fragment(client, case)


def test_a_failed_cell_says_why_and_offers_another_try(
    case: Any, metaphase: Any, as_user: Any, technologist: Any, administrator: Any
) -> None:
    metaphase.analysis_state, metaphase.analysis_error = "failed", "The memory was full. The image is kept."
    metaphase.save()
    text = fragment(as_user(technologist), case)
    assert "The memory was full. The image is kept." in text and reverse("cell-analyse", args=[metaphase.pk]) in text
    assert reverse("cell-analyse", args=[metaphase.pk]) not in fragment(as_user(administrator), case)


def test_a_cell_out_of_focus_says_so_before_it_is_opened(
    case: Any, karyogram: Any, as_user: Any, technologist: Any
) -> None:
    from inference.stages.quality import BLURRED

    client = as_user(technologist)
    assert "out of focus" not in fragment(client, case)
    karyogram.note = BLURRED
    karyogram.save()
    assert BLURRED in fragment(client, case)
    karyogram.metaphase.own_standing, karyogram.metaphase.exclusion_reason = "excluded", "Out of range"
    karyogram.metaphase.save()
    assert BLURRED not in fragment(client, case)  # nobody is to do anything about it any more


def test_retry_and_cancel_do_what_they_say(case: Any, metaphase: Any, as_user: Any, technologist: Any) -> None:
    from inference.models import InferenceJob

    metaphase.analysis_state = "failed"
    metaphase.save()
    client = as_user(technologist)
    answer = client.post(reverse("cell-analyse", args=[metaphase.pk]), headers={"HX-Request": "true"})
    assert "every 2s" in answer.content.decode() and "Cancel" in answer.content.decode()
    assert InferenceJob.objects.get(metaphase=metaphase).state == "queued"
    answer = client.post(reverse("cell-cancel", args=[metaphase.pk]), headers={"HX-Request": "true"})
    assert "Try again" in answer.content.decode()
    assert InferenceJob.objects.get(metaphase=metaphase).state == "cancelled"
    plain = client.post(reverse("cell-analyse", args=[metaphase.pk]))
    assert plain.status_code == 302 and plain.url == reverse("case", args=[case.pk])


def test_what_cannot_be_retried_is_said_above_the_cells(
    case: Any, metaphase: Any, submitted: Any, as_user: Any, technologist: Any
) -> None:
    answer = as_user(technologist).post(reverse("cell-analyse", args=[metaphase.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 200 and 'role="alert"' in answer.content.decode()
    assert "under review" in answer.content.decode()


def test_the_emerging_result_follows_the_cells(case: Any, karyogram: Any, as_user: Any, technologist: Any) -> None:
    from cases.actions.edit_karyogram import edit_karyogram

    client = as_user(technologist)
    text = fragment(client, case)
    assert ">5<" in text and ">X<" in text and "1 of 1" in text
    assert "No cell is accepted yet" in text and "1 doubt not looked at." in text and "Detector yolov10n-cil" in text
    edit_karyogram(
        user=technologist,
        metaphase_id=karyogram.metaphase_id,
        base_version=1,
        edit={"op": "move", "id": "c03", "label": "X", "index": 1},
    )
    text = fragment(client, case)
    assert ">XX<" in text and "doubt not looked at" not in text


def test_accepted_cells_unlock_submitting(case: Any, accepted: Any, as_user: Any, technologist: Any) -> None:
    text = fragment(as_user(technologist), case)
    assert "1 cell accepted, nothing running." in text and "Tess Okafor" in text


def test_the_upload_zone_tells_the_script_all_it_needs(case: Any, as_user: Any, technologist: Any) -> None:
    client = as_user(technologist)
    page = client.get(reverse("case", args=[case.pk]))
    text = page.content.decode()
    assert f'data-url="/api/v1/cases/{case.pk}/metaphases/"' in text and "data-max-bytes=" in text
    assert "csrftoken" in page.cookies


def test_a_thumbnail_is_the_sheet_once_there_is_one(
    case: Any, metaphase: Any, karyogram: Any, as_user: Any, technologist: Any
) -> None:
    client = as_user(technologist)

    def get(version: int) -> tuple[Any, Image.Image]:
        answer = client.get(reverse("cell-thumbnail", args=[metaphase.pk, version]))
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/webp"
        return answer, Image.open(io.BytesIO(answer.content))

    field_answer, field = get(0)
    sheet_answer, sheet = get(1)
    assert field.size == (320, 240) and sheet.size != field.size and max(sheet.size) <= 720
    assert "immutable" in sheet_answer.headers["Cache-Control"]
    stale, _ = get(7)
    assert stale.headers["Cache-Control"] == "no-store"
    assert get(1)[0].content == sheet_answer.content


def test_the_models_page_reads_the_manifest_and_no_model(
    as_user: Any, supervisor: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    from inference.backends import weights

    listed = {
        "weights": [
            {
                "name": "made-up",
                "role": "detector",
                "version": "3",
                "files": {"onnx": {"file": "made-up.onnx", "sha256": "ab" * 32}},
                "metrics": {"map50": 0.987},
            }
        ]
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(listed))
    monkeypatch.setattr(weights, "MANIFEST", path)
    client = as_user(supervisor)
    text = client.get(reverse("models")).content.decode()
    assert "made-up" in text and "ab" * 32 in text and "98.7 %" in text and "Detector" in text
    assert "is missing" in text and "do not hold" in text
    path.write_text("{ broken")
    assert "cannot be read" in client.get(reverse("models")).content.decode()


def test_the_shipped_manifest_is_shown(as_user: Any, supervisor: Any) -> None:
    from inference.backends.weights import MANIFEST

    text = as_user(supervisor).get(reverse("models")).content.decode()
    for entry in json.loads(MANIFEST.read_text())["weights"]:
        assert entry["name"] in text
        for file in entry["files"].values():
            assert file["sha256"] in text


def test_open_comments_stand_at_the_cells_and_are_asked_about_before_submitting(
    as_user: Any, accepted: Any, case: Any, technologist: Any, supervisor: Any
) -> None:
    from cases.actions.add_comment import add_comment
    from cases.models import Report

    add_comment(user=supervisor, metaphase_id=accepted.metaphase_id, text="Is this 8 whole?", chromosome="c03")
    tess = as_user(technologist)
    page = tess.get(f"/cases/{case.pk}/").content.decode()
    assert "1 open comment<" in page
    assert f"/cells/{accepted.metaphase_id}/#c03" in page
    refused = tess.post(f"/cases/{case.pk}/submit/", {"result": "46,XX"})
    assert refused.status_code == 422
    assert "1 comment is still open in this case." in refused.content.decode()
    assert not Report.objects.exists()
    tess.post(f"/cases/{case.pk}/submit/", {"result": "46,XX", "with_open_comments": "on"})
    report = Report.objects.get()
    review = as_user(supervisor)
    for address in (f"/cases/{case.pk}/", f"/reports/{report.pk}/"):
        shown = review.get(address).content.decode()
        assert "1 open comment" in shown
        assert "Is this 8 whole?" in shown
