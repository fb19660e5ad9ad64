"""Who signs in how, and what a token can and cannot do."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from karyosite.accounts.models import ApiToken, Membership
from karyosite.audit.models import AuditEntry
from tests.api.conftest import Clients, problem
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
TOKENS = "/api/v1/tokens/"
ME = "/api/v1/me/"


def create(client: APIClient, **body: Any) -> Any:
    return client.post(TOKENS, {"name": "order system"} | body, format="json")


def test_me_says_laboratory_role_and_research_use(tess: APIClient, lab: Any) -> None:
    assert tess.get(ME).json() == {
        "id": tess.get(ME).json()["id"],
        "username": "tess",
        "printed_name": "Tess Okafor",
        "laboratory": {"id": str(lab.pk), "name": "Harbour Cytogenetics"},
        "role": "technologist",
        "research_use_only": True,
    }
    lab.research_use_only = False
    lab.save()
    assert tess.get(ME).json()["research_use_only"] is False


def test_nobody_is_told_anything_without_signing_in() -> None:
    for path in (ME, TOKENS, "/api/v1/cases/", "/api/v1/patients/"):
        response = APIClient().get(path)
        problem(response, 401, "not-authenticated")
        assert response["WWW-Authenticate"] == "Bearer"


def test_a_token_by_password_opens_the_api_and_is_kept_only_as_a_hash(integration: Any) -> None:
    made = create(APIClient(), username="lis", password=PASSWORD, expires_in_days=30)
    assert made.status_code == 201, made.content
    text = made.json()["token"]
    row = ApiToken.objects.get()
    assert text.startswith(row.token_key)
    assert text not in (row.digest, row.token_key)
    assert row.expiry is not None
    assert abs(row.expiry - timezone.now() - datetime.timedelta(days=30)) < datetime.timedelta(minutes=1)
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    assert program.get(ME).json()["role"] == "integration"
    listed = program.get(TOKENS).json()["results"]
    assert [entry["name"] for entry in listed] == ["order system"]
    assert "token" not in listed[0]
    entry = AuditEntry.objects.get(verb="token.created")
    assert text not in str(entry.new)


def test_a_token_can_be_revoked_and_opens_nothing_from_then_on(browser: Clients, technologist: Any) -> None:
    window = browser(technologist)
    window.get("/api/v1/docs/?script=")  # hands out the CSRF cookie
    window.credentials(HTTP_X_CSRFTOKEN=window.cookies["csrftoken"].value)
    made = create(window).json()
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {made['token']}")
    assert program.get(ME).status_code == 200
    assert window.get(f"{TOKENS}{made['id']}/").json()["begins_with"] == made["begins_with"]
    assert window.delete(f"{TOKENS}{made['id']}/").status_code == 204
    problem(program.get(ME), 401, "authentication-failed")
    assert AuditEntry.objects.filter(verb="token.revoked").count() == 1


def test_an_expired_token_opens_nothing(program: Clients, technologist: Any) -> None:
    client = program(technologist)
    ApiToken.objects.update(expiry=timezone.now() - datetime.timedelta(seconds=1))
    problem(client.get(ME), 401)


def test_a_token_makes_no_token(tess: APIClient) -> None:
    problem(create(tess), 403, "forbidden")
    problem(create(tess, username="tess", password=PASSWORD), 403, "forbidden")
    assert ApiToken.objects.count() == 1


def test_nobody_sees_or_revokes_anothers_token(tess: APIClient, sunil: APIClient, supervisor: Any) -> None:
    theirs = ApiToken.objects.get(user=supervisor)
    problem(tess.get(f"{TOKENS}{theirs.pk}/"), 404)
    problem(tess.delete(f"{TOKENS}{theirs.pk}/"), 404)
    assert str(theirs.pk) not in tess.get(TOKENS).content.decode()
    assert ApiToken.objects.filter(pk=theirs.pk).exists()


def test_a_wrong_password_makes_no_token_and_guessing_is_slowed(technologist: Any) -> None:
    client = APIClient()
    for _ in range(10):
        problem(create(client, username="tess", password="guess"), 401, "authentication-failed")
    slowed = create(client, username="tess", password=PASSWORD)
    problem(slowed, 429, "throttled")
    assert 0 < int(slowed["Retry-After"]) <= 61
    # Another address does not help; a made-up X-Forwarded-For neither.
    problem(create(client, username="TESS", password=PASSWORD), 429)
    elsewhere = client.post(
        TOKENS, {"name": "a", "username": "tess", "password": PASSWORD}, REMOTE_ADDR="203.0.113.9", format="json"
    )
    problem(elsewhere, 429)
    assert not ApiToken.objects.exists()


def test_guessing_many_names_from_one_address_is_slowed_whatever_it_claims_to_be(db: Any) -> None:
    client = APIClient()
    statuses = [
        client.post(
            TOKENS,
            {"name": "a", "username": f"person{n}", "password": "guess"},
            HTTP_X_FORWARDED_FOR=f"198.51.100.{n}",
            format="json",
        ).status_code
        for n in range(61)
    ]
    assert statuses == [401] * 60 + [429]


def test_a_session_cannot_change_anything_without_its_csrf_token(browser: Clients, technologist: Any) -> None:
    window = browser(technologist)
    assert window.get(ME).status_code == 200
    problem(create(window), 403, "permission-denied")
    problem(window.post("/api/v1/patients/", {"identifier": "MRN-1"}, format="json"), 403, "permission-denied")
    assert not ApiToken.objects.exists()


def test_an_inactive_person_is_out_by_session_token_and_password(
    browser: Clients, program: Clients, technologist: Any
) -> None:
    window, client = browser(technologist), program(technologist)
    technologist.is_active = False
    technologist.save()
    problem(window.get(ME), 401)
    problem(client.get(ME), 401)
    problem(create(APIClient(), username="tess", password=PASSWORD), 401)


def test_the_token_of_a_removed_member_finds_nothing(program: Clients, technologist: Any, case: Any) -> None:
    client = program(technologist)
    Membership.objects.filter(user=technologist).delete()
    problem(client.get("/api/v1/cases/"), 404)
    problem(client.get(f"/api/v1/cases/{case.pk}/"), 404)
    problem(client.post("/api/v1/patients/", {"identifier": "MRN-1"}, format="json"), 404)
    me = client.get(ME).json()
    assert (me["laboratory"], me["role"], me["research_use_only"]) == (None, None, True)
    problem(create(APIClient(), username="tess", password=PASSWORD), 404)


def test_tokens_that_are_no_tokens_are_refused(db: Any) -> None:
    for header in ("Bearer", "Bearer x", "Bearer a b", "Bearer \xff\xfe", "Bearer " + "x" * 5000):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=header)
        problem(client.get(ME), 401)


def test_preferences_are_ones_own_and_checked(tess: APIClient) -> None:
    address = f"{ME}preferences/"
    changed = tess.patch(address, {"drawer": "history", "view": {"sharpen": 40}}, format="json")
    assert changed.status_code == 200 and changed.json()["view"]["sharpen"] == 40
    assert tess.get(address).json() == changed.json()
    refused = problem(tess.patch(address, {"view": {"sharpen": 400}}, format="json"), 422)
    assert "0 to 100" in refused["detail"]
    assert tess.patch(address, {"view": {"hue": 4}}, format="json").status_code == 400
    assert APIClient().get(address).status_code == 401
