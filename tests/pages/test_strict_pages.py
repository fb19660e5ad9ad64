"""Every rendered page: a strict content security policy, nothing inline, and a frame that everyone can walk."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "karyosite" / "static" / "vendor"


class Page(HTMLParser):
    """What the policy would block, and what accessibility asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.ids: list[str] = []
        self.label_for: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.pictures_without_words = 0
        self._script: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "style" or "style" in given:
            self.inline.append(f"<{tag} style>")
        self.inline += [f"<{tag} {name}>" for name in given if name.startswith("on") or name.startswith("hx-on")]
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.inline.append("<script>")
        if (given.get("href") or "").startswith("javascript:"):
            self.inline.append("javascript:")
        for name in ("src", "href", "action"):
            if re.match(r"(https?:)?//", given.get(name) or ""):
                self.inline.append(f"elsewhere: {given[name]}")
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label" and given.get("for"):
            self.label_for.add(str(given["for"]))
        if tag in ("input", "select", "textarea") and given.get("type") not in ("hidden", "radio", "checkbox"):
            self.fields.append(given)
        if tag == "img" and given.get("alt") is None:
            self.pictures_without_words += 1


def addresses(case: Any, report: Any, metaphase: Any) -> dict[str, str]:
    return {
        "worklist": reverse("worklist"),
        "case-list": reverse("case-list"),
        "case-new": reverse("case-new"),
        "case": reverse("case", args=[case.pk]),
        "case-edit": reverse("case-edit", args=[case.pk]),
        "case-cells": reverse("case-cells", args=[case.pk]),
        "case-audit": reverse("case-audit", args=[case.pk]),
        "cell": reverse("cell", args=[metaphase.pk]),
        "patient-list": reverse("patient-list"),
        "patient-new": reverse("patient-new"),
        "patient": reverse("patient", args=[case.patient_id]),
        "patient-edit": reverse("patient-edit", args=[case.patient_id]),
        "report": reverse("report", args=[report.pk]),
        "models": reverse("models"),
        "account": reverse("account"),
        "not-found": "/nothing/",
        "refused": reverse("laboratory"),
    }


NAMES = [
    "worklist",
    "case-list",
    "case-new",
    "case",
    "case-edit",
    "case-cells",
    "case-audit",
    "cell",
    "patient-list",
    "patient-new",
    "patient",
    "patient-edit",
    "report",
    "models",
    "account",
    "not-found",
    "refused",
]


def check(text: str, *, whole: bool = True) -> None:
    page = Page(text)
    assert page.inline == []
    assert len(page.ids) == len(set(page.ids)), "an id is used twice"
    unlabelled = [one for one in page.fields if one.get("id") not in page.label_for and not one.get("aria-label")]
    assert unlabelled == []
    assert page.pictures_without_words == 0
    if whole:
        assert {"header", "main", "h1"} <= set(page.tags)
        assert "Research use only" in text and 'href="#main"' in text and '<html lang="en"' in text


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("state", ["open", "submitted", "signed"])
def test_pages_hold_nothing_inline(
    name: str, state: str, request: Any, as_user: Any, supervisor: Any, case: Any, metaphase: Any, submitted: Any
) -> None:
    if state == "signed":
        request.getfixturevalue("signed")
    elif state == "open":
        from cases.actions.return_case import return_case

        return_case(user=supervisor, case_id=case.pk, reason="again")
    answer = as_user(supervisor).get(addresses(case, submitted, metaphase)[name])
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    check(answer.content.decode(), whole=name != "case-cells")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["sign-in", "laboratory", "member"])
def test_pages_before_sign_in_and_of_the_administrator(
    name: str, as_user: Any, client: Any, administrator: Any, technologist: Any
) -> None:
    if name == "sign-in":
        check(client.get(reverse(name)).content.decode())
        return
    args = [technologist.pk] if name == "member" else []
    check(as_user(administrator).get(reverse(name, args=args)).content.decode())


@pytest.mark.django_db
def test_forms_that_came_back_refused_hold_nothing_inline(as_user: Any, technologist: Any, case: Any) -> None:
    client = as_user(technologist)
    for name, args in (("case-new", []), ("patient-new", []), ("case-submit", [case.pk]), ("culture-new", [case.pk])):
        answer = client.post(reverse(name, args=args), {"identifier": "", "result": "", "label": ""})
        assert answer.status_code == 422, name
        check(answer.content.decode())


def test_the_page_for_a_broken_program_needs_nothing_of_the_program() -> None:
    text = render_to_string("500.html")
    page = Page(text)
    assert page.inline == [] and "Research use only" in text and "was not saved" in text


def test_the_research_mark_goes_only_when_the_laboratory_ends_it(
    db: Any, as_user: Any, technologist: Any, lab: Any
) -> None:
    client = as_user(technologist)
    assert "esearch use only" in client.get("/").content.decode()
    lab.research_use_only = False
    lab.save()
    assert "esearch use only" not in client.get("/").content.decode()


def test_vendored_files_are_what_they_claim_to_be() -> None:
    for folder in (VENDOR, ROOT / "tests" / "vendor"):
        listed = dict(reversed(line.split("  ", 1)) for line in (folder / "CHECKSUMS.sha256").read_text().splitlines())
        inside = (path for path in folder.rglob("*") if path.is_file() and path.parent != folder)
        assert set(listed) == {str(path.relative_to(folder)) for path in inside}
        for name, sha256 in listed.items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, name
    readme = (VENDOR / "README.md").read_text()
    version = re.search(r"Bootstrap\s+v([\d.]+)", (VENDOR / "bootstrap" / "bootstrap.min.css").read_text())
    htmx = re.search(r'version:"([\d.]+)"', (VENDOR / "htmx" / "htmx.min.js").read_text())
    assert version and f"| {version.group(1)} |" in readme
    assert htmx and f"| {htmx.group(1)} |" in readme


def test_our_own_styles_and_scripts_fetch_nothing_from_elsewhere() -> None:
    for path in [*(ROOT / "cases" / "static").rglob("*.css"), *(ROOT / "cases" / "static").rglob("*.js")]:
        text = path.read_text()
        assert not re.search(r"(url\(|import\s+[^;]*|fetch\()\s*['\"]?https?:", text), path
        assert "eval(" not in text and "new Function" not in text, path
