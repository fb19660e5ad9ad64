"""The main job as a stranger does it: clone's own program, real browser, real worker, real cell.

Sign in → new case → upload → analysed → move one chromosome → undo → accept → submit → sign in as supervisor →
sign → PDF.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cases.demo.laboratory import CELLS, PEOPLE
from tests.browser import keep_screenshot
from tests.program import Program, running

pytestmark = pytest.mark.e2e
TECHNOLOGIST, SUPERVISOR, ADMINISTRATOR = PEOPLE


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with running(prepare=("seed_demo --people-only",)) as started:
        yield started


def sign_in(page: Any, program: Program, person: Any) -> None:
    page.goto(program.url)
    page.get_by_label("User name").fill(person.username)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", level=1).wait_for()


def slot_of(page: Any, program: Program, cell: str, chromosome: str) -> str:
    answer = page.request.get(f"{program.url}/api/v1/metaphases/{cell}/karyogram/").json()
    return next(c["label"] for c in answer["document"]["chromosomes"] if c["id"] == chromosome)


def test_from_an_empty_lab_to_a_signed_report(program: Program, browser: Any, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(60_000)
    page = context.new_page()

    sign_in(page, program, TECHNOLOGIST)
    page.goto(f"{program.url}/cases/new/")
    page.get_by_label("Identifier").fill("MRN-1")
    page.get_by_label("Family name").fill("Ångström")
    page.get_by_label("Accession number").fill("26-00001")
    page.get_by_label("Specimen").select_option("blood")
    page.get_by_role("button", name="Open case").click()
    page.get_by_role("heading", name="26-00001").wait_for()
    case_url = page.url

    # A real cell and a file that is no picture: one goes on, the other says why not.
    broken = tmp_path / "notes.png"
    broken.write_bytes(b"MZ this is no picture")
    page.set_input_files("#upload-files", [str(CELLS / "1055572.jpg"), str(broken)])
    page.locator("#uploads").get_by_text(re.compile("notes.png")).wait_for()
    page.locator("#upload-summary").get_by_text(re.compile("1 added.*1 refused", re.S)).wait_for()
    page.locator(".cell-card").get_by_text(re.compile("To be checked")).wait_for()
    assert page.locator(".cell-card").count() == 1
    keep_screenshot(page, "e2e-case-analysed")

    page.get_by_role("link", name="Cell 1", exact=True).click()
    page.wait_for_selector("#sheet [data-id]")
    cell = page.url.rstrip("/").rsplit("/", 1)[1]
    chromosome = page.locator("#sheet [data-id]").first
    identifier = chromosome.get_attribute("data-id")
    before = slot_of(page, program, cell, identifier)
    chromosome.click()
    goal = "X" if before != "X" else "Y"
    page.keyboard.press(goal.lower())
    page.get_by_text(re.compile(r"version 2 · saved")).wait_for()
    assert slot_of(page, program, cell, identifier) == goal
    page.keyboard.press("z")
    page.get_by_text(re.compile(r"version 3 · saved")).wait_for()
    assert slot_of(page, program, cell, identifier) == before
    keep_screenshot(page, "e2e-cell")

    with page.expect_response(lambda reply: reply.url.endswith("/karyogram/accept/")) as accepted:
        page.get_by_role("button", name="Accept cell").click()
    assert accepted.value.json()["accepted"]
    page.goto(case_url)
    page.get_by_label("Result line").fill("46,XX (one cell; demonstration)")
    page.get_by_role("button", name="Submit case").click()
    page.get_by_role("heading", name="Awaiting review").wait_for()
    assert page.get_by_role("button", name=re.compile("Sign as")).count() == 0
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, program, SUPERVISOR)
    page.goto(case_url)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name=re.compile("Sign as")).click()
    page.get_by_text(re.compile("password", re.I)).first.wait_for()
    assert page.get_by_role("heading", name="Signed").count() == 0
    page.get_by_label("Password").fill(SUPERVISOR.password)
    page.get_by_role("button", name=re.compile("Sign as")).click()
    page.get_by_role("heading", name="Signed", exact=True).wait_for()
    keep_screenshot(page, "e2e-signed")

    link = page.get_by_role("link", name="Report as PDF").get_attribute("href")
    pdf = tmp_path / "report.pdf"
    pdf.write_bytes(page.request.get(program.url + link).body())
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    for words in ("26-00001", "Ångström", "46,XX (one cell; demonstration)", SUPERVISOR.printed_name, "research use"):
        assert words.lower() in text.lower(), words

    # Read-only from here on, in the editor and for programs.
    refused = page.request.post(
        f"{program.url}/api/v1/metaphases/{cell}/karyogram/edits/",
        data={"base_version": 3, "edit": {"op": "flip", "id": identifier}},
        headers={"X-CSRFToken": next(c["value"] for c in context.cookies() if c["name"] == "csrftoken")},
    )
    assert refused.status == 409
    assert "signed" in refused.json()["detail"].lower()
    context.close()


def test_a_stop_leaves_no_process_behind() -> None:
    with running() as started:
        family = psutil.Process(started.process.pid).children(recursive=True)
        assert {"gunicorn", "celery"} <= {
            w for p in family for w in " ".join(p.cmdline()).split() if w in ("gunicorn", "celery")
        }
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive, [" ".join(process.cmdline()) for process in alive]
