"""Laboratories and their people."""

from __future__ import annotations

from typing import Any

import pytest

from karyosite.accounts import actions
from karyosite.accounts.models import ApiToken, Laboratory, Membership, User
from karyosite.accounts.selectors import colleagues
from karyosite.audit.models import AuditEntry
from karyosite.audit.record import broken_links
from karyosite.errors import Conflict, Invalid, NotFound
from tests.conftest import make_person

GOOD = "wren-copper-71"


def new_person(**changes: Any) -> dict[str, Any]:
    return {"username": "nora", "printed_name": "Nora Quist", "role": "technologist", "password": GOOD} | changes


def test_a_laboratory_begins_with_its_administrator(db: Any) -> None:
    laboratory = actions.create_laboratory(name="  Fjord Genetics ")
    assert (laboratory.name, laboratory.research_use_only) == ("Fjord Genetics", True)
    membership = actions.create_first_administrator(
        laboratory=laboratory, username="astrid", printed_name="Astrid Moe", password=GOOD
    )
    assert membership.role == "administrator"
    made = actions.add_member(user=membership.user, **new_person())
    assert made.laboratory == laboratory
    assert made.user.check_password(GOOD)
    for name in ("Fjord Genetics", "", "\x00"):
        with pytest.raises(Invalid) as refused:
            actions.create_laboratory(name=name)
        assert list(refused.value.fields) == ["name"]
    assert [entry.verb for entry in AuditEntry.objects.all()] == ["laboratory.created", "member.added", "member.added"]
    assert broken_links(laboratory) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("username", {"username": "tess"}),
        ("username", {"username": "stella"}),
        ("username", {"username": ""}),
        ("username", {"username": "two words"}),
        ("username", {"username": "x" * 151}),
        ("printed_name", {"printed_name": " "}),
        ("role", {"role": "king"}),
        ("password", {"password": "short"}),
        ("password", {"password": "password123"}),
        ("password", {"password": None}),
    ],
)
def test_a_faulty_person_names_the_field(
    administrator: Any, technologist: Any, stranger: Any, field: str, changes: dict[str, Any]
) -> None:
    number = User.objects.count()
    with pytest.raises(Invalid) as refused:
        actions.add_member(user=administrator, **new_person(**changes))
    assert list(refused.value.fields) == [field]
    assert User.objects.count() == number
    assert not AuditEntry.objects.exists()


def test_roles_and_names_change(administrator: Any, technologist: Any, lab: Any) -> None:
    actions.change_member(user=administrator, member_id=technologist.pk, role="supervisor", printed_name="Tess O’Hara")
    assert Membership.objects.get(user=technologist).role == "supervisor"
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.old["role"], entry.new["role"]) == ("member.changed", "technologist", "supervisor")
    actions.change_member(user=administrator, member_id=technologist.pk, role="supervisor")
    assert AuditEntry.objects.count() == 1
    with pytest.raises(Invalid):
        actions.change_member(user=administrator, member_id=technologist.pk, role="king")


def test_the_last_administrator_stays(administrator: Any, lab: Any) -> None:
    for leaving in (
        lambda: actions.change_member(user=administrator, member_id=administrator.pk, role="technologist"),
        lambda: actions.remove_member(user=administrator, member_id=administrator.pk),
    ):
        with pytest.raises(Conflict):
            leaving()
    second = make_person(lab, "administrator", "bea", "Bea Second")
    second.is_active = False
    second.save()
    with pytest.raises(Conflict):
        actions.remove_member(user=administrator, member_id=administrator.pk)
    User.objects.filter(pk=second.pk).update(is_active=True)
    actions.remove_member(user=administrator, member_id=administrator.pk, reason="retires")
    assert Membership.objects.get(laboratory=lab).user == second


def test_someone_removed_is_out_but_stays_named(administrator: Any, technologist: Any, case: Any) -> None:
    ApiToken.objects.create(user=technologist, name="script", expiry=None)
    actions.remove_member(user=administrator, member_id=str(technologist.pk), reason="left")
    gone = User.objects.get(pk=technologist.pk)
    assert not gone.is_active
    assert not ApiToken.objects.exists()
    assert gone not in colleagues(administrator)
    case.refresh_from_db()
    assert case.created_by == gone
    assert AuditEntry.objects.get().reason == "left"
    with pytest.raises(NotFound):
        actions.remove_member(user=administrator, member_id=technologist.pk)


def test_a_password_set_by_the_administrator_ends_sessions(administrator: Any, technologist: Any, client: Any) -> None:
    client.force_login(technologist)
    hash_before = technologist.get_session_auth_hash()
    actions.set_password(user=administrator, member_id=technologist.pk, password=GOOD)
    fresh = User.objects.get(pk=technologist.pk)
    assert fresh.check_password(GOOD)
    assert fresh.get_session_auth_hash() != hash_before
    assert GOOD not in str(list(AuditEntry.objects.values()))
    for bad in ("short", "1234567890", "technologist-tess"[-4:]):
        with pytest.raises(Invalid):
            actions.set_password(user=administrator, member_id=technologist.pk, password=bad)
    assert User.objects.get(pk=technologist.pk).check_password(GOOD)


@pytest.mark.parametrize("member", ["nonsense", "", None, "9" * 40, -1, "²"])
def test_nobody_there(administrator: Any, member: Any) -> None:
    with pytest.raises(NotFound):
        actions.change_member(user=administrator, member_id=member, role="supervisor")


def test_research_use_only_ends_by_a_reasoned_decision(administrator: Any, lab: Any) -> None:
    with pytest.raises(Invalid) as refused:
        actions.change_laboratory(user=administrator, research_use_only=False)
    assert list(refused.value.fields) == ["reason"]
    assert Laboratory.objects.get(pk=lab.pk).research_use_only is True
    actions.change_laboratory(user=administrator, research_use_only=False, reason="Validation report 2026-7")
    assert Laboratory.objects.get(pk=lab.pk).research_use_only is False
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.reason) == ("laboratory.changed", "Validation report 2026-7")
    assert (entry.old["research_use_only"], entry.new["research_use_only"]) == (True, False)
    actions.change_laboratory(user=administrator, name=lab.name)
    assert AuditEntry.objects.count() == 1
    Laboratory.objects.create(name="Taken")
    with pytest.raises(Invalid):
        actions.change_laboratory(user=administrator, name="Taken")
