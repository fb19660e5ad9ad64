"""Signed-in browsers for the three people, and a case in each state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client


@pytest.fixture(autouse=True, scope="session")
def _queries_beside_playwright() -> Iterator[None]:
    """Playwright's event loop lives in this thread for the rest of the session, beside every test's own queries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def as_user() -> Any:
    def signed_in(user: Any, **more: Any) -> Client:
        client = Client(**more)
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def accepted(karyogram: Any, technologist: Any) -> Any:
    """The case's cell, accepted by its technologist."""
    from cases.actions.accept_karyogram import accept_karyogram

    accept_karyogram(user=technologist, metaphase_id=karyogram.metaphase_id, base_version=1)
    return karyogram


@pytest.fixture
def submitted(case: Any, accepted: Any, technologist: Any) -> Any:
    from cases.actions.submit_case import submit_case

    return submit_case(user=technologist, case_id=case.pk, result="46,XX[1]", comment="one cell only")


@pytest.fixture
def signed(case: Any, submitted: Any, supervisor: Any) -> Any:
    from cases.actions.sign_case import sign_case
    from tests.conftest import PASSWORD

    return sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
