"""Signing in and out, passwords, tokens, members."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_signing_in_goes_where_one_wanted_to_go_and_out_again(client: Any, technologist: Any) -> None:
    wanted = reverse("case-list")
    answer = client.post(
        f"{reverse('sign-in')}?next={wanted}", {"username": "tess", "password": PASSWORD, "next": wanted}
    )
    assert answer.status_code == 302 and answer.url == wanted
    assert client.get(reverse("sign-out")).status_code == 405
    client.post(reverse("sign-out"))
    assert client.get("/").status_code == 302


def test_a_wrong_password_is_explained_and_the_name_kept(client: Any, technologist: Any) -> None:
    page = client.post(reverse("sign-in"), {"username": "tess", "password": "wrong one"}).content.decode()
    assert "do not belong together" in page and 'value="tess"' in page and "wrong one" not in page


def test_guessing_is_slowed_down(client: Any, technologist: Any) -> None:
    for _ in range(10):
        assert client.post(reverse("sign-in"), {"username": "tess", "password": "guess"}).status_code == 200
    answer = client.post(reverse("sign-in"), {"username": "Tess", "password": PASSWORD})
    assert answer.status_code == 429 and "Too many tries" in answer.content.decode()
    assert int(answer.headers["Retry-After"]) > 0


def test_a_form_from_another_site_is_refused_in_words(technologist: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(technologist)
    answer = client.post(reverse("sign-out"))
    assert answer.status_code == 403 and "too old to send" in answer.content.decode()


def test_changing_the_password_keeps_this_session_and_is_audited(as_user: Any, technologist: Any) -> None:
    from karyosite.audit.models import AuditEntry

    client, elsewhere = as_user(technologist), as_user(technologist)
    wrong = client.post(reverse("password"), {"present": "no", "password": "a" * 12, "again": "b" * 12})
    assert wrong.status_code == 422 and "not your present password" in wrong.content.decode()
    weak = client.post(reverse("password"), {"present": PASSWORD, "password": "short", "again": "short"})
    assert weak.status_code == 422 and "too short" in weak.content.decode()
    new = "four quiet lamps burn"
    client.post(reverse("password"), {"present": PASSWORD, "password": new, "again": new})
    technologist.refresh_from_db()
    assert technologist.check_password(new)
    assert client.get("/").status_code == 200 and elsewhere.get("/").status_code == 302
    assert AuditEntry.objects.filter(verb="password.changed").count() == 1


def test_a_token_is_shown_once_works_and_can_be_revoked(as_user: Any, technologist: Any, colleague: Any) -> None:
    from karyosite.accounts.models import ApiToken

    client = as_user(technologist)
    page = client.post(reverse("token-new"), {"name": "order system", "days": "30"}).content.decode()
    found = re.search(r'id="token-text">([^<]+)<', page)
    assert found
    text = found.group(1)
    assert text not in client.get(reverse("account")).content.decode()
    header = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/me/", headers=header).status_code == 200
    token = ApiToken.objects.get()
    assert as_user(colleague).post(reverse("token-revoke", args=[token.pk])).status_code == 404
    client.post(reverse("token-revoke", args=[token.pk]))
    assert Client().get("/api/v1/me/", headers=header).status_code == 401


def test_an_administrator_adds_changes_and_closes_a_member(as_user: Any, administrator: Any, lab: Any) -> None:
    from karyosite.accounts.models import Membership

    client = as_user(administrator)
    typed = {"username": "nora", "printed_name": "Nora Lund", "role": "technologist", "password": "four quiet lamps"}
    client.post(reverse("member-new"), typed)
    made = Membership.objects.get(user__username="nora")
    assert made.laboratory == lab and Client().login(username="nora", password="four quiet lamps")
    again = client.post(reverse("member-new"), typed)
    assert again.status_code == 422 and "Nora Lund" in again.content.decode()
    client.post(reverse("member", args=[made.user_id]), {"printed_name": "Nora Lund-Ek", "role": "supervisor"})
    made = Membership.objects.get(user__username="nora")
    assert (made.role, made.user.printed_name) == ("supervisor", "Nora Lund-Ek")
    client.post(reverse("member-remove", args=[made.user_id]), {"reason": "moved away"})
    assert not lab.memberships.filter(user__username="nora").exists()
    assert not Client().login(username="nora", password="four quiet lamps")


def test_an_administrator_cannot_lock_herself_out_nor_reach_another_laboratory(
    as_user: Any, administrator: Any, stranger: Any
) -> None:
    client = as_user(administrator)
    own = reverse("member", args=[administrator.pk])
    answer = client.post(own, {"printed_name": "Ada the Third", "role": "technologist"})
    assert answer.status_code == 422 and "last administrator" in answer.content.decode()
    assert "Ada the Third" in answer.content.decode()
    assert client.get(reverse("member", args=[stranger.pk])).status_code == 404
    for name in ("member", "member-password", "member-remove"):
        typed = {"printed_name": "x", "role": "technologist", "password": "four quiet lamps"}
        assert client.post(reverse(name, args=[stranger.pk]), typed).status_code == 404


def test_the_research_mark_ends_with_a_reason_only(as_user: Any, administrator: Any, lab: Any) -> None:
    client, url = as_user(administrator), reverse("laboratory")
    refused = client.post(url, {"name": lab.name})
    assert refused.status_code == 422 and "Name the validation" in refused.content.decode()
    client.post(url, {"name": "Harbour Genomics", "reason": "Validation 2026-7, 200 cases."})
    lab.refresh_from_db()
    assert (lab.name, lab.research_use_only) == ("Harbour Genomics", False)
    assert "esearch use only" not in client.get("/").content.decode()


@pytest.mark.parametrize("name", ["laboratory", "member", "member-new", "member-password", "member-remove"])
def test_only_the_administrator_changes_people(name: str, as_user: Any, supervisor: Any, technologist: Any) -> None:
    args = [technologist.pk] if name in ("member", "member-password", "member-remove") else []
    typed = {"printed_name": "x", "role": "supervisor", "password": "four quiet lamps", "username": "y", "name": "z"}
    assert as_user(supervisor).post(reverse(name, args=args), typed).status_code == 403


def test_a_new_password_from_the_administrator_ends_open_sessions(
    as_user: Any, administrator: Any, technologist: Any
) -> None:
    theirs = as_user(technologist)
    url = reverse("member-password", args=[technologist.pk])
    as_user(administrator).post(url, {"password": "four quiet lamps"})
    assert theirs.get("/").status_code == 302
    technologist.refresh_from_db()
    assert technologist.check_password("four quiet lamps")
