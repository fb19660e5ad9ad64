"""Uploads by API: one file a request, each refusal on that file alone, nothing half stored."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from PIL import Image
from rest_framework.test import APIClient

from cases.models import Metaphase, StoredImage
from inference.models import InferenceJob
from karyosite.env import environment
from tests.api.conftest import Clients, problem, upload
from tests.conftest import png_bytes

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(case: Any) -> str:
    return f"/api/v1/cases/{case.pk}/metaphases/"


def send(client: APIClient, address: str, *files: Any, **fields: Any) -> Any:
    body = {"file": list(files) if len(files) != 1 else files[0]} | fields if files else fields
    return client.post(address, body, format="multipart")


def nothing_kept() -> bool:
    left = [
        path
        for path in Path(settings.DATA_DIR).rglob("*")
        if path.is_file() and b"karyosite-test-marker" in path.read_bytes()
    ]
    return not (Metaphase.objects.exists() or StoredImage.objects.exists() or InferenceJob.objects.exists() or left)


def test_an_upload_is_kept_byte_for_byte_and_waits_for_analysis(tess: APIClient, address: str) -> None:
    content = png_bytes(seed=5)
    response = send(tess, address, upload("spread 12.png", content))
    assert response.status_code == 202, response.content
    body = response.json()
    (cell,) = body["metaphases"]
    assert cell["sha256"] == hashlib.sha256(content).hexdigest()
    assert (cell["original_name"], cell["ordinal"], cell["byte_size"]) == ("spread 12.png", 1, len(content))
    assert (cell["width"], cell["height"], cell["page"], cell["media_type"]) == (320, 240, 0, "image/png")
    assert (cell["analysis_state"], cell["karyogram"], body["duplicates"]) == ("queued", None, [])
    assert cell["research_use_only"] is body["research_use_only"] is True
    job = InferenceJob.objects.get()
    assert response["Location"] == body["job_urls"][0] == cell["job_url"] == f"/api/v1/jobs/{job.pk}/"
    assert tess.get(response["Location"]).json()["state"] == "queued"
    stored = StoredImage.objects.get()
    with stored.file.open("rb") as file:
        assert file.read() == content
    assert tess.get(address).json()["results"] == [cell]


def test_a_file_of_many_pages_becomes_many_cells(tess: APIClient, address: str) -> None:
    out = io.BytesIO()
    pages = [Image.open(io.BytesIO(png_bytes(seed=seed))) for seed in (1, 2, 3)]
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    body = send(tess, address, upload("stack.tif", out.getvalue())).json()
    assert [(cell["ordinal"], cell["page"]) for cell in body["metaphases"]] == [(1, 0), (2, 1), (3, 2)]
    assert len(set(body["job_urls"])) == 3


def test_the_same_file_again_is_recognised(tess: APIClient, address: str) -> None:
    first = send(tess, address, upload()).json()["metaphases"]
    again = send(tess, address, upload("renamed.png"))
    assert again.status_code == 200
    assert "Location" not in again
    assert again.json()["metaphases"] == again.json()["job_urls"] == []
    assert [cell["id"] for cell in again.json()["duplicates"]] == [cell["id"] for cell in first]
    assert Metaphase.objects.count() == 1


def test_a_cell_belongs_to_the_culture_it_was_uploaded_for(tess: APIClient, address: str, case: Any) -> None:
    culture = tess.post(f"/api/v1/cases/{case.pk}/cultures/", {"label": "A"}).json()["id"]
    assert send(tess, address, upload(), culture=culture).json()["metaphases"][0]["culture"] == culture
    unknown = send(tess, address, upload("b.png", png_bytes(seed=9)), culture="00000000-0000-0000-0000-000000000000")
    assert "culture" in problem(unknown, 422)["errors"]


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("empty.png", b"", 422),
        ("setup.png", b"MZ\x90\0karyosite-test-marker" + b"\0" * 400, 422),
        ("cut.png", png_bytes(seed=3)[:500], 422),
        ("tiny.png", png_bytes(60, 120)[:20], 422),
        ("notes.txt", b"karyosite-test-marker", 422),
    ],
)
def test_a_file_that_is_no_picture_gets_a_sentence_and_leaves_nothing(
    tess: APIClient, address: str, name: str, content: bytes, status: int
) -> None:
    body = problem(send(tess, address, upload(name, content)), status)
    assert len(body["detail"]) > 20
    assert nothing_kept()


def test_a_request_without_a_file_or_with_two_is_refused(tess: APIClient, address: str) -> None:
    assert "file" in problem(send(tess, address), 400)["errors"]
    assert "file" in problem(send(tess, address, file="not a file"), 400)["errors"]
    problem(send(tess, address, upload("a.png"), upload("b.png", png_bytes(seed=8))), 400, "one-file")
    problem(send(tess, address, file=upload("a.png"), picture=upload("b.png", png_bytes(seed=8))), 400, "one-file")
    assert nothing_kept()


def test_a_file_past_the_limit_is_refused_by_name_and_leaves_nothing(
    tess: APIClient, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "upload_max_bytes", 30_000)
    body = problem(
        send(tess, address, upload("../big\u202e.png", b"karyosite-test-marker" + b"x" * 60_000)), 413, "too-large"
    )
    assert "“big" in body["detail"] and "/" not in body["detail"]
    assert "30000 bytes" in body["detail"]
    assert nothing_kept()


class Untouchable(io.RawIOBase):
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = read  # type: ignore[assignment]


@pytest.mark.parametrize("by", ["token", "session"])
def test_two_gigabytes_are_refused_before_a_byte_of_them_is_read(
    program: Clients, browser: Clients, technologist: Any, address: str, by: str
) -> None:
    client = program(technologist) if by == "token" else browser(technologist)
    response = client.generic(
        "POST",
        address,
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(2 * 2**30),
        **{"wsgi.input": Untouchable()},
    )
    assert "200 MB" in problem(response, 413, "too-large")["detail"]


@pytest.mark.parametrize("by", ["token", "session"])
def test_an_upload_cut_off_half_way_leaves_nothing(
    program: Clients, browser: Clients, technologist: Any, address: str, by: str
) -> None:
    """The whole picture arrived, the end of the form did not: only the announced length tells."""
    client = program(technologist) if by == "token" else browser(technologist)
    extra: dict[str, Any] = {}
    if by == "session":
        client.get("/api/v1/docs/?script=")
        extra["HTTP_X_CSRFTOKEN"] = client.cookies["csrftoken"].value
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    whole = head + png_bytes(seed=4) + b"\r\n--x--\r\n"
    for kept in (len(whole) - 9, len(whole) - 2000, len(head) - 10):
        response = client.generic(
            "POST",
            address,
            b"",
            content_type="multipart/form-data; boundary=x",
            CONTENT_LENGTH=str(len(whole)),
            **{"wsgi.input": io.BytesIO(whole[:kept])},
            **extra,
        )
        problem(response, 400, "incomplete")
    assert nothing_kept()
    complete = client.generic("POST", address, whole, content_type="multipart/form-data; boundary=x", **extra)
    assert complete.status_code == 202, complete.content


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/octet-stream", "multipart/form-data"]
)
def test_a_body_that_is_no_form_with_a_file_is_refused(tess: APIClient, address: str, content_type: str) -> None:
    response = tess.generic("POST", address, b"{}", content_type=content_type)
    problem(response, 400 if content_type == "multipart/form-data" else 415)


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\lab\\cell.png", "a\r\nSet-Cookie: x.png", "…" * 300, ""])
def test_a_name_is_only_a_name(tess: APIClient, address: str, name: str) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = head + png_bytes(seed=6) + b"\r\n--x--\r\n"
    response = tess.generic("POST", address, body, content_type="multipart/form-data; boundary=x")
    if response.status_code != 202:
        problem(response, 400)
        assert nothing_kept()
        return
    cell = response.json()["metaphases"][0]
    assert not set(cell["original_name"]) & set("/\\\r\n")
    download = tess.get(cell["original_url"])
    assert download.status_code == 200
    assert "Set-Cookie" not in download
