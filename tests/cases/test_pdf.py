"""The printed report, read back by poppler's own tools."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from cases.actions.amend_case import amend_case
from cases.actions.change_patient import change_patient
from cases.actions.return_case import return_case
from cases.actions.sign_case import sign_case
from cases.actions.submit_case import submit_case
from cases.models import Patient, Report, Signature
from cases.reports.pdf import RESEARCH, render_pdf
from karyosite.accounts.models import Laboratory
from karyosite.errors import Conflict
from tests.conftest import PASSWORD


def words(content: bytes, tmp_path: Path) -> str:
    path = tmp_path / "report.pdf"
    path.write_bytes(content)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True)
    return done.stdout


def pages(content: bytes, tmp_path: Path) -> list[str]:
    return words(content, tmp_path).rstrip("\f").split("\f")


def test_a_signed_report_prints_what_was_signed(signed: Any, tmp_path: Path, accepted: Any) -> None:
    first, second = pages(render_pdf(signed), tmp_path)
    for expected in (
        "Harbour Cytogenetics", "Lindqvist, Anna", "MRN-004417", "26-01842", "Amniotic fluid, flask", "46,XX[20]",
        "Twenty cells.", "Sunil Rao", "Reviewed and approved", "Submitted by Tess Okafor", signed.snapshot_sha256,
        "yolov10n-cil", "threshold", "Page 1 of 2", RESEARCH, accepted.image.sha256[:16], "version 1",
    ):  # fmt: skip
        assert expected in first, expected
    assert "NOT SIGNED" not in first.upper().replace("\n", " ")
    for expected in ("Cell 1: 5 chromosomes, sex chromosomes X", accepted.image.sha256, "Page 2 of 2", RESEARCH):
        assert expected in second, expected


def test_the_same_snapshot_gives_the_same_bytes(signed: Any) -> None:
    first = render_pdf(signed)
    Patient.objects.update(family_name="Changed meanwhile")
    Laboratory.objects.update(name="Renamed")
    assert render_pdf(Report.objects.get(pk=signed.pk)) == first


def test_a_report_that_is_not_signed_says_so_on_every_page(
    submitted: Any, case: Any, supervisor: Any, tmp_path: Path
) -> None:
    for page in pages(render_pdf(submitted), tmp_path):
        assert "26-01842 · MRN-004417 · version 1 · NOT SIGNED" in page
    returned = return_case(user=supervisor, case_id=case.pk, reason="again")
    assert "Returned to its author. Not signed." in words(render_pdf(returned), tmp_path)


def test_names_print_as_they_are_written_and_markup_is_text(
    accepted: Any, case: Any, technologist: Any, tmp_path: Path
) -> None:
    change_patient(
        user=technologist, patient_id=case.patient_id, family_name="Łukaszewićż-Þórsdóttir & <b>Söhne</b>",
        given_name="Αθηνά Юлия",
    )  # fmt: skip
    comment = '<font size="90">big</font> </para> &amp; <a href="javascript:x">x</a>\n\n' + "Wort " * 3000
    report = submit_case(
        user=technologist, case_id=case.pk, result="46,XX,t(9;22)(q34;q11.2)[20]<br/>", comment=comment
    )
    text = " ".join(words(render_pdf(report), tmp_path).split())
    for expected in ("Łukaszewićż-Þórsdóttir", "<b>Söhne</b>", "Αθηνά Юлия", "[20]<br/>", '<font size="90">big</font>'):
        assert expected in text, expected


def test_a_corrected_report_says_what_and_why(
    signed: Any, case: Any, technologist: Any, supervisor: Any, tmp_path: Path
) -> None:
    amend_case(user=supervisor, case_id=case.pk, reason="A typing error.")
    submit_case(user=technologist, case_id=case.pk, result="46,XX[19]")
    text = " ".join(words(render_pdf(sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)), tmp_path).split())
    for expected in (
        "Corrected report, version 2", "Reason: A typing error.", "was “46,XX[20]”, is now “46,XX[19]”",
        "Version 1: “46,XX[20]”, signed by Sunil Rao", signed.snapshot_sha256,
    ):  # fmt: skip
        assert expected in text, expected


def test_the_research_line_goes_only_by_the_laboratorys_setting(
    accepted: Any, case: Any, lab: Any, technologist: Any, tmp_path: Path
) -> None:
    Laboratory.objects.filter(pk=lab.pk).update(research_use_only=False)
    report = submit_case(user=technologist, case_id=case.pk, result="46,XX")
    assert "esearch use" not in words(render_pdf(report), tmp_path)


def test_a_signature_that_does_not_hold_is_not_printed_as_good(signed: Any, tmp_path: Path) -> None:
    Signature.objects.update(printed_name="Somebody Else")
    text = words(render_pdf(Report.objects.get(pk=signed.pk)), tmp_path)
    assert "The signature does not hold" in text


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_another_picture_than_the_signed_one_is_not_printed(signed: Any, accepted: Any, damage: str) -> None:
    path = Path(accepted.image.file.path)
    if damage == "changed":
        path.write_bytes(path.read_bytes() + b"\0")
    else:
        path.unlink()
    with pytest.raises(Conflict) as refused:
        render_pdf(signed)
    assert "cell 1" in refused.value.sentence


def test_many_cells_and_long_names_find_room(signed: Any, tmp_path: Path) -> None:
    """A snapshot at its limits, never stored: only its layout matters here."""
    (cell,) = signed.snapshot["cells"]
    long = "Wachholder-Schönemann " * 9
    said = signed.snapshot | {
        "cells": [cell | {"ordinal": number, "culture": "Kultur " * 5} for number in range(1, 31)],
        "result": "46,XX,t(9;22)(q34;q11.2)[20]/" * 60,
        "patient": signed.snapshot["patient"] | {"family_name": long[:120], "identifier": "9" * 64},
        "case": signed.snapshot["case"] | {"indication": long[:300], "accession_number": "A" * 64},
        "laboratory": signed.snapshot["laboratory"] | {"name": long},
    }
    for entry in said["cells"]:
        entry["image"] = entry["image"] | {"name": "x" * 255}
    signed.snapshot = said
    found = pages(render_pdf(signed), tmp_path)
    assert len(found) >= 31
    assert f"Page {len(found)} of {len(found)}" in found[-1]
