"""One error body, whatever goes wrong."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from rest_framework.test import APIClient

from cases import selectors
from tests.api.conftest import problem

pytestmark = pytest.mark.django_db
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "path", ["", "nothing/", "cases/x/", f"cases/{NOBODY}/nothing/", "me", "../v1/x/", "%00/", "é/"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
def test_unknown_addresses_are_a_problem_too(path: str, method: str) -> None:
    problem(getattr(APIClient(), method)(f"/api/v1/{path}"), 404, "not-found")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/cases/", "/api/v1", "/api/cases/"])
def test_other_addresses_below_api_too(path: str) -> None:
    problem(APIClient().get(path), 404, "not-found")


def test_no_browser_or_proxy_keeps_answers_with_names_in_them(tess: APIClient, patient: Any) -> None:
    for path in ("patients/", f"patients/{patient.pk}/", f"patients/{NOBODY}/"):
        assert tess.get(f"/api/v1/{path}")["Cache-Control"] == "private, no-store"


def test_a_forgotten_slash_is_named() -> None:
    assert "slash" in problem(APIClient().get("/api/v1/me"), 404)["detail"]
    assert "slash" not in problem(APIClient().get("/api/v1/mee"), 404)["detail"]


def test_a_method_that_is_not_offered(tess: APIClient) -> None:
    response = tess.delete("/api/v1/cases/")
    problem(response, 405, "method-not-allowed")
    assert "POST" in response["Allow"]


def test_a_body_of_another_kind(tess: APIClient) -> None:
    problem(tess.generic("POST", "/api/v1/patients/", b"<a/>", content_type="text/xml"), 415, "unsupported-media-type")
    problem(tess.post("/api/v1/patients/", {"identifier": "x"}, format="multipart"), 415)


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml", "nonsense", ""])
def test_whatever_the_client_says_it_accepts_it_gets_json(tess: APIClient, accept: str) -> None:
    response = tess.get("/api/v1/me/", HTTP_ACCEPT=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    problem(tess.get(f"/api/v1/cases/{NOBODY}/", HTTP_ACCEPT=accept), 404)


def test_a_fault_is_answered_with_a_sentence_and_told_to_the_operator_alone(
    tess: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail of the fault")

    monkeypatch.setattr(selectors, "cases", break_down)
    tess.raise_request_exception = False
    body = problem(tess.get("/api/v1/cases/"), 500, "fault")
    assert "secret" not in str(body)
    assert "secret detail of the fault" in caplog.text


def test_a_full_disk_is_called_so(tess: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(selectors, "cases", full)
    assert "disk is full" in problem(tess.get("/api/v1/cases/"), 507, "storage-full")["detail"]


def test_what_is_wrong_is_named_by_field_and_in_one_sentence(tess: APIClient) -> None:
    body = problem(tess.post("/api/v1/patients/", {"sex": "yes"}, format="json"), 400, "invalid")
    assert set(body["errors"]) == {"identifier", "sex"}
    assert "identifier" in body["detail"]
