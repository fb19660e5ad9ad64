"""Every page × three people: the owner sees it, a colleague without the right is refused, a stranger finds nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db

OWN_RECORDS = [
    "case", "case-cells", "case-edit", "case-across",
    "patient", "patient-edit", "report", "report-pdf", "cell-thumbnail",
]  # fmt: skip
LISTS = ["worklist", "case-list", "case-new", "patient-list", "patient-new", "account"]
POSTS = {
    "case-submit": {"result": "46,XX"},
    "case-return": {"reason": "again"},
    "case-sign": {"password": "x", "meaning": "approved"},
    "case-amend": {"reason": "because"},
    "culture-new": {"label": "A"},
    "cell-analyse": {},
    "cell-cancel": {},
}


@pytest.fixture
def address(case: Any, metaphase: Any, submitted: Any) -> Any:
    def find(name: str) -> str:
        if name == "cell-thumbnail":
            return reverse(name, args=[metaphase.pk, 1])
        if name.startswith("cell"):
            return reverse(name, args=[metaphase.pk])
        if name.startswith("patient") and name not in ("patient-list", "patient-new"):
            return reverse(name, args=[case.patient_id])
        if name.startswith("report"):
            return reverse(name, args=[submitted.pk])
        if name in LISTS or name in ("laboratory", "models"):
            return reverse(name)
        return reverse(name, args=[case.pk])

    return find


@pytest.mark.parametrize("name", OWN_RECORDS)
def test_owner_sees_it_and_a_stranger_finds_nothing(
    name: str, address: Any, as_user: Any, technologist: Any, stranger: Any
) -> None:
    assert as_user(technologist).get(address(name)).status_code == 200
    answer = as_user(stranger).get(address(name))
    assert answer.status_code == 404
    assert "26-01842" not in answer.content.decode() and "Lindqvist" not in answer.content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_lists_open_for_members_and_show_strangers_nothing_of_ours(
    name: str, address: Any, as_user: Any, technologist: Any, stranger: Any
) -> None:
    assert as_user(technologist).get(address(name)).status_code == 200
    answer = as_user(stranger).get(address(name))
    assert answer.status_code == 200
    assert "26-01842" not in answer.content.decode() and "Lindqvist" not in answer.content.decode()


@pytest.mark.parametrize("name", [*OWN_RECORDS, *LISTS, "laboratory", "models", "case-audit"])
def test_nobody_sees_a_page_without_signing_in(name: str, address: Any, client: Any) -> None:
    answer = client.get(address(name))
    assert answer.status_code == 302 and answer.url.startswith(reverse("sign-in"))


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("case-audit", ["supervisor", "administrator"], ["technologist", "integration"]),
        ("models", ["supervisor", "administrator"], ["technologist", "integration"]),
        ("laboratory", ["administrator"], ["technologist", "supervisor", "integration"]),
    ],
)
def test_pages_of_a_role(
    name: str, allowed: list[str], refused: list[str], address: Any, as_user: Any, request: Any
) -> None:
    for role in allowed:
        assert as_user(request.getfixturevalue(role)).get(address(name)).status_code == 200
    for role in refused:
        answer = as_user(request.getfixturevalue(role)).get(address(name))
        assert answer.status_code == 403 and "Not allowed" in answer.content.decode()


def test_a_stranger_with_the_role_reads_only_the_strangers_own(address: Any, as_user: Any, stranger: Any) -> None:
    assert as_user(stranger).get(address("case-audit")).status_code == 404


@pytest.mark.parametrize("name", POSTS)
def test_a_stranger_changes_nothing(name: str, address: Any, as_user: Any, stranger: Any, case: Any) -> None:
    from karyosite.audit.models import AuditEntry

    before = AuditEntry.objects.count()
    assert as_user(stranger).post(address(name), POSTS[name]).status_code == 404
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("case-submit", "administrator"),
        ("case-return", "technologist"),
        ("case-sign", "colleague"),
        ("case-sign", "administrator"),
        ("case-amend", "technologist"),
        ("culture-new", "administrator"),
        ("cell-analyse", "administrator"),
        ("cell-cancel", "administrator"),
    ],
)
def test_a_colleague_without_the_right_is_refused(
    name: str, role: str, address: Any, as_user: Any, request: Any, case: Any
) -> None:
    answer = as_user(request.getfixturevalue(role)).post(address(name), POSTS[name])
    assert answer.status_code == 403
    case.refresh_from_db()
    assert case.state == "submitted"


def test_controls_are_hidden_from_those_whom_they_would_refuse(
    case: Any, karyogram: Any, as_user: Any, technologist: Any, administrator: Any
) -> None:
    url = reverse("case", args=[case.pk])
    mine, theirs = (as_user(who).get(url).content.decode() for who in (technologist, administrator))
    for control in ('id="upload"', reverse("case-submit", args=[case.pk]), reverse("culture-new", args=[case.pk])):
        assert control in mine and control not in theirs
    audit = reverse("case-audit", args=[case.pk])
    assert audit in theirs and audit not in mine


def test_the_review_panel_is_for_supervisors_only(
    case: Any, submitted: Any, as_user: Any, technologist: Any, supervisor: Any
) -> None:
    url, sign, back = (reverse(name, args=[case.pk]) for name in ("case", "case-sign", "case-return"))
    assert sign in as_user(supervisor).get(url).content.decode()
    author = as_user(technologist).get(url).content.decode()
    assert sign not in author and back not in author and "Awaiting review" in author


@pytest.mark.parametrize("name", ["case", "patient", "report", "cell-analyse"])
def test_unknown_ids_are_not_found(name: str, as_user: Any, technologist: Any) -> None:
    url = reverse(name, args=[uuid.uuid4()])
    client = as_user(technologist)
    answer = client.post(url) if name == "cell-analyse" else client.get(url)
    assert answer.status_code == 404 and "There is nothing here" in answer.content.decode()


def test_someone_of_no_laboratory_is_told_so(as_user: Any, db: Any) -> None:
    from karyosite.accounts.models import User

    answer = as_user(User.objects.create_user(username="lone")).get("/")
    assert answer.status_code == 200 and "not a member of a laboratory" in answer.content.decode()


def test_a_fragment_after_the_session_ended_sends_the_window_to_sign_in(case: Any, client: Any) -> None:
    answer = client.get(reverse("case-cells", args=[case.pk]), headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == reverse("sign-in")


def test_pages_with_patients_names_are_not_kept_by_browsers(case: Any, as_user: Any, technologist: Any) -> None:
    assert "no-store" in as_user(technologist).get(reverse("case", args=[case.pk])).headers["Cache-Control"]
