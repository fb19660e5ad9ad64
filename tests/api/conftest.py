"""Programs and browsers as the API meets them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from tests.conftest import PASSWORD, png_bytes

Clients = Callable[[Any], APIClient]


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    """Throttles count in the cache: no test pays for another's attempts."""
    cache.clear()


@pytest.fixture
def program() -> Clients:
    """A client that signs in with a Bearer token, as other systems do."""

    def signed_in(user: Any) -> APIClient:
        from karyosite.accounts.models import ApiToken

        _, text = ApiToken.objects.create(user=user, name="test", expiry=None)
        client = APIClient(raise_request_exception=True)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    return signed_in


@pytest.fixture
def browser() -> Clients:
    """A client with a session, whose CSRF token is checked, as a page's scripts have it."""

    def signed_in(user: Any) -> APIClient:
        client = APIClient(enforce_csrf_checks=True)
        assert client.login(username=user.username, password=PASSWORD)
        return client

    return signed_in


@pytest.fixture
def tess(program: Clients, technologist: Any) -> APIClient:
    return program(technologist)


@pytest.fixture
def sunil(program: Clients, supervisor: Any) -> APIClient:
    return program(supervisor)


@pytest.fixture
def stella(program: Clients, stranger: Any) -> APIClient:
    return program(stranger)


def upload(name: str = "cell.png", content: bytes | None = None) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, png_bytes(seed=1) if content is None else content, content_type="image/png")


def problem(response: Any, status: int, code: str = "") -> dict[str, Any]:
    """The body of a refusal, checked for its form."""
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/problem+json")
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert {"type", "title", "code", "detail"} <= set(body)
    assert body["detail"].endswith((".", "!", "?")), body["detail"]
    if code:
        assert body["code"] == code, body
    return body
