"""Submitting, returning, signing, amending; and that a signature shows every later change."""

from __future__ import annotations

import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.actions.accept_karyogram import accept_karyogram
from cases.actions.amend_case import amend_case
from cases.actions.change_patient import change_patient
from cases.actions.edit_karyogram import edit_karyogram
from cases.actions.return_case import return_case
from cases.actions.sign_case import TooManyAttempts, sign_case
from cases.actions.submit_case import submit_case
from cases.models import Case, Karyogram, Metaphase, Patient, Report, Signature
from cases.reports import snapshot
from cases.reports.seal import verify
from karyosite.accounts.models import Laboratory, User
from karyosite.audit.models import AuditEntry
from karyosite.audit.record import broken_links
from karyosite.errors import Conflict, Forbidden, Invalid
from tests.cases.conftest import add_cell
from tests.conftest import PASSWORD, make_person


def test_a_submission_fixes_the_whole_case(accepted: Any, case: Any, technologist: Any, karyogram: Any) -> None:
    left_out = add_cell(case, accepted.image, 1)
    report = submit_case(user=technologist, case_id=case.pk, result=" 46,XX[20] ", comment="Fünf\x00 Zellen.\n")
    case.refresh_from_db()
    assert (case.state, report.version, report.round, report.result) == ("submitted", 1, 1, "46,XX[20]")
    stored = Report.objects.get(pk=report.pk)
    assert stored.snapshot_sha256 == snapshot.sha256(stored.snapshot)
    said = stored.snapshot
    assert said["comment"] == "Fünf Zellen."
    assert said["patient"]["identifier"] == "MRN-004417"
    assert said["laboratory"]["name"] == "Harbour Cytogenetics"
    assert said["research_use_only"] is True
    assert said["correction"] is None
    (cell,) = said["cells"]
    assert cell["image"]["sha256"] == accepted.image.sha256
    assert cell["karyogram"]["document"] == karyogram.document
    assert (cell["karyogram"]["version"], cell["karyogram"]["count"], cell["karyogram"]["sex_complement"]) == (
        1,
        5,
        "X",
    )
    assert cell["accepted"]["by"] == "Tess Okafor"
    assert [row["ordinal"] for row in said["cells_left_out"]] == [left_out.ordinal]
    assert [model["role"] for model in said["models"]] == ["detector", "segmenter"]
    assert said["submitted"] == {
        "by": "Tess Okafor", "user": technologist.pk, "at": stored.submitted_at.astimezone(datetime.UTC).isoformat(),
    }  # fmt: skip
    assert AuditEntry.objects.get(verb="case.submitted").new["sha256"] == stored.snapshot_sha256


def test_a_submission_needs_a_result_an_accepted_cell_and_no_analysis(
    karyogram: Any, case: Any, technologist: Any
) -> None:
    def refused(kind: type[Exception], result: Any = "46,XX") -> Any:
        with pytest.raises(kind) as caught:
            submit_case(user=technologist, case_id=case.pk, result=result)
        assert not Report.objects.exists()
        return caught.value

    assert refused(Conflict).code == "no-cell-accepted"
    accept_karyogram(user=technologist, metaphase_id=karyogram.metaphase_id, base_version=1)
    for result in ("", "  \n", "\x00", None, 46, "x" * 2001):
        assert list(refused(Invalid, result).fields) == ["result"]
    other = add_cell(case, karyogram.metaphase.image, 1, analysis_state="queued")
    assert refused(Conflict).code == "analysis-under-way"
    Metaphase.objects.filter(pk=other.pk).update(analysis_state="failed")
    submit_case(user=technologist, case_id=case.pk, result="46,XX")
    with pytest.raises(Conflict):
        submit_case(user=technologist, case_id=case.pk, result="46,XX")
    assert Report.objects.count() == 1


def test_a_returned_case_goes_back_to_its_author(
    accepted: Any, case: Any, technologist: Any, colleague: Any, supervisor: Any
) -> None:
    report = submit_case(user=colleague, case_id=case.pk, result="46,XX")
    for reason in ("", "  ", None):
        with pytest.raises(Invalid):
            return_case(user=supervisor, case_id=case.pk, reason=reason)
    returned = return_case(user=supervisor, case_id=case.pk, reason="Cell 1: look at 8 again.")
    case.refresh_from_db()
    assert (case.state, case.assignee) == ("returned", colleague)
    assert (returned.pk, returned.state, returned.returned_by_name) == (report.pk, "returned", "Sunil Rao")
    assert AuditEntry.objects.get(verb="case.returned").reason == "Cell 1: look at 8 again."
    edit_karyogram(user=colleague, metaphase_id=accepted.pk, base_version=1, edit={"op": "flip", "id": "c01"})
    accept_karyogram(user=colleague, metaphase_id=accepted.pk, base_version=2)
    assert submit_case(user=colleague, case_id=case.pk, result="46,XX").round == 2
    with pytest.raises(Conflict):
        return_case(user=supervisor, case_id=Case.objects.create(
            laboratory=case.laboratory, patient=case.patient, accession_number="2", received_on=case.received_on).pk,
            reason="not submitted")  # fmt: skip


def test_a_case_does_not_go_back_to_someone_who_has_left(
    submitted: Any, case: Any, technologist: Any, colleague: Any, supervisor: Any
) -> None:
    Case.objects.filter(pk=case.pk).update(assignee=colleague)
    technologist.memberships.all().delete()
    return_case(user=supervisor, case_id=case.pk, reason="again")
    case.refresh_from_db()
    assert case.assignee == colleague


def test_a_signature_says_who_what_and_when(submitted: Any, case: Any, supervisor: Any) -> None:
    before = timezone.now()
    report = sign_case(user=supervisor, case_id=case.pk, password=PASSWORD, meaning="reviewed")
    case.refresh_from_db()
    signature = report.signatures.get()
    assert (case.state, report.state) == ("signed", "signed")
    assert (signature.signer, signature.printed_name, signature.meaning) == (supervisor, "Sunil Rao", "reviewed")
    assert before <= signature.signed_at <= timezone.now()
    assert signature.snapshot_sha256 == submitted.snapshot_sha256
    assert verify(signature) == []
    entry = AuditEntry.objects.get(verb="case.signed")
    assert (entry.actor, entry.new["meaning"], entry.new["seal"]) == (supervisor, "reviewed", signature.seal)
    with pytest.raises(Conflict):
        sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    assert Signature.objects.count() == 1


def test_nobody_signs_their_own_submission(accepted: Any, case: Any, supervisor: Any, lab: Any) -> None:
    submit_case(user=supervisor, case_id=case.pk, result="46,XX")
    with pytest.raises(Forbidden) as refused:
        sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    assert refused.value.code == "own-submission"
    other = make_person(lab, "supervisor", "sven", "Sven Amundsen")
    assert sign_case(user=other, case_id=case.pk, password=PASSWORD).state == "signed"


@pytest.mark.parametrize("meaning", ["", "guessed", None])
def test_a_signature_needs_a_meaning(submitted: Any, case: Any, supervisor: Any, meaning: Any) -> None:
    with pytest.raises(Invalid):
        sign_case(user=supervisor, case_id=case.pk, password=PASSWORD, meaning=meaning)


def test_an_open_case_is_not_signed(accepted: Any, case: Any, supervisor: Any) -> None:
    with pytest.raises(Conflict):
        sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)


def test_wrong_passwords_are_logged_and_limited(submitted: Any, case: Any, supervisor: Any, lab: Any) -> None:
    for wrong in ("", "wrong", None, 7, PASSWORD.upper()):
        with pytest.raises(Forbidden) as refused:
            sign_case(user=supervisor, case_id=case.pk, password=wrong)
        assert refused.value.code == "wrong-password"
    entries = AuditEntry.objects.filter(verb="case.signing-refused")
    assert (entries.count(), entries.first().actor, entries.first().case_id) == (5, supervisor, case.pk)
    assert PASSWORD not in str(list(entries.values()))
    with pytest.raises(TooManyAttempts):
        sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    assert not Signature.objects.exists()
    other = make_person(lab, "supervisor", "sven", "Sven Amundsen")
    with pytest.raises(Forbidden):
        sign_case(user=other, case_id=case.pk, password="wrong")
    AuditEntry.objects.filter(actor=supervisor).update(at=timezone.now() - datetime.timedelta(minutes=11))
    assert sign_case(user=supervisor, case_id=case.pk, password=PASSWORD).state == "signed"


def test_the_password_is_the_one_of_now(submitted: Any, case: Any, supervisor: Any) -> None:
    fresh = User.objects.get(pk=supervisor.pk)
    fresh.set_password("another long password")
    fresh.save()
    with pytest.raises(Forbidden):
        sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    assert sign_case(user=supervisor, case_id=case.pk, password="another long password").state == "signed"


def test_what_changed_during_review_is_not_signed(
    submitted: Any, case: Any, supervisor: Any, technologist: Any
) -> None:
    change_patient(user=technologist, patient_id=case.patient_id, family_name="Other")
    with pytest.raises(Conflict) as refused:
        sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    assert (refused.value.code, refused.value.extra["parts"]) == ("snapshot-stale", ["patient"])
    return_case(user=supervisor, case_id=case.pk, reason="The name changed.")
    submit_case(user=technologist, case_id=case.pk, result="46,XX[20]")
    assert sign_case(user=supervisor, case_id=case.pk, password=PASSWORD).state == "signed"


@pytest.mark.parametrize("tamper", ["document", "image", "snapshot", "missing"])
def test_what_was_tampered_with_during_review_is_not_signed(
    submitted: Any, case: Any, supervisor: Any, karyogram: Any, tamper: str
) -> None:
    path = Path(karyogram.metaphase.image.file.path)
    if tamper == "document":
        document = karyogram.document
        document["chromosomes"][0]["label"], document["chromosomes"][0]["order"] = "2", 0
        Karyogram.objects.filter(pk=karyogram.pk).update(document=document)
    elif tamper == "image":
        path.write_bytes(path.read_bytes() + b"\0")
    elif tamper == "missing":
        path.unlink()
    else:
        said = submitted.snapshot | {"result": "47,XY,+21"}
        Report.objects.filter(pk=submitted.pk).update(snapshot=said)
    with pytest.raises(Conflict):
        sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    assert not Signature.objects.exists()
    assert Case.objects.get(pk=case.pk).state == "submitted"


def changed_snapshot(report: Report) -> None:
    Report.objects.filter(pk=report.pk).update(snapshot=report.snapshot | {"result": "47,XY,+21"})


def changed_everywhere(report: Report) -> None:
    """Someone with the database but without the key, who knows how the hash is made."""
    said = report.snapshot | {"result": "47,XY,+21"}
    digest = snapshot.sha256(said)
    Report.objects.filter(pk=report.pk).update(snapshot=said, snapshot_sha256=digest, result="47,XY,+21")
    report.signatures.update(snapshot_sha256=digest)


def moved(report: Report) -> None:
    """The signature of one report put under another with the same words."""
    copied = Report.objects.get(pk=report.pk)
    copied.pk, copied.round = None, 9
    copied.pk = Report._meta.pk.get_default()
    copied.save(force_insert=True)
    report.signatures.update(report=copied)


TAMPERS: dict[str, Any] = {
    "snapshot": changed_snapshot,
    "snapshot and hashes": changed_everywhere,
    "result beside it": lambda report: Report.objects.filter(pk=report.pk).update(result="47,XY,+21"),
    "hash": lambda report: Report.objects.filter(pk=report.pk).update(snapshot_sha256="0" * 64),
    "name": lambda report: report.signatures.update(printed_name="Somebody Else"),
    "signer": lambda report: report.signatures.update(signer=report.submitted_by),
    "meaning": lambda report: report.signatures.update(meaning="prepared"),
    "time": lambda report: report.signatures.update(signed_at=timezone.now() + datetime.timedelta(seconds=1)),
    "seal": lambda report: report.signatures.update(seal="0" * 64),
    "moved to another report": moved,
}


@pytest.mark.parametrize("name", TAMPERS)
def test_every_later_change_shows(signed: Any, name: str) -> None:
    assert "all hold" in run_verification()
    TAMPERS[name](Report.objects.get(pk=signed.pk))
    with pytest.raises(CommandError, match="1 of 1 signatures do not hold"):
        run_verification()
    assert verify(Signature.objects.get())


def run_verification() -> str:
    out = StringIO()
    call_command("verify_signatures", stdout=out)
    return out.getvalue()


def test_seals_hold_over_a_change_of_the_secret_key(signed: Any, settings: Any) -> None:
    signature = Signature.objects.get()
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "a new key altogether"
    assert verify(signature)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert verify(signature) == []


def test_an_amendment_lies_beside_the_signed_report(
    signed: Any, case: Any, accepted: Any, technologist: Any, supervisor: Any
) -> None:
    first = Report.objects.get(pk=signed.pk)
    for reason in ("", None):
        with pytest.raises(Invalid):
            amend_case(user=supervisor, case_id=case.pk, reason=reason)
    amended = amend_case(user=supervisor, case_id=case.pk, reason="A typing error in the result.")
    assert (amended.state, amended.version) == ("open", 2)
    assert Metaphase.objects.get(pk=accepted.pk).accepted_at is not None
    with pytest.raises(Conflict):
        amend_case(user=supervisor, case_id=case.pk, reason="twice")
    edit_karyogram(user=technologist, metaphase_id=accepted.pk, base_version=1, edit={"op": "debris", "id": "c05"})
    accept_karyogram(user=technologist, metaphase_id=accepted.pk, base_version=2)
    submit_case(user=technologist, case_id=case.pk, result="46,XX[21]", comment="Twenty cells.")
    second = sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    correction = second.snapshot["correction"]
    assert correction["reason"] == "A typing error in the result."
    assert correction["changes"] == [
        "Result: was “46,XX[20]”, is now “46,XX[21]”.",
        "Cell 1: the karyogram was changed (5 → 4 chromosomes).",
        "Cells: was “1 cell counted, 1 analysed, 1 karyotyped. 5 chromosomes in 1 cell.”, "
        "is now “1 cell counted, 1 analysed, 1 karyotyped. 4 chromosomes in 1 cell.”.",
    ]
    (earlier,) = correction["earlier"]
    assert (earlier["version"], earlier["result"], earlier["signed_by"]) == (1, "46,XX[20]", "Sunil Rao")
    unchanged = Report.objects.get(pk=signed.pk)
    assert (unchanged.snapshot, unchanged.state) == (first.snapshot, "signed")
    amend_case(user=supervisor, case_id=case.pk, reason="Once more.")
    submit_case(user=technologist, case_id=case.pk, result="46,XX[22]")
    third = sign_case(user=supervisor, case_id=case.pk, password=PASSWORD)
    assert [row["reason"] for row in third.snapshot["correction"]["earlier"]] == ["", "A typing error in the result."]
    assert "3 signatures checked, all hold" in run_verification()
    assert broken_links(case.laboratory) == []


def test_a_signed_report_keeps_what_it_says(signed: Any, case: Any, technologist: Any) -> None:
    Patient.objects.update(family_name="Changed")
    Laboratory.objects.filter(pk=case.laboratory_id).update(name="Renamed", research_use_only=False)
    said = Report.objects.get(pk=signed.pk).snapshot
    assert (said["patient"]["family_name"], said["laboratory"]["name"]) == ("Lindqvist", "Harbour Cytogenetics")
    assert said["research_use_only"] is True
    assert verify(Signature.objects.get()) == []


def test_the_canonical_spelling_does_not_depend_on_order_or_database() -> None:
    one = {"b": [1, 2.5, "ü"], "a": {"y": None, "x": True}}
    other = {"a": {"x": True, "y": None}, "b": [1, 2.5, "ü"]}
    assert snapshot.canonical(one) == snapshot.canonical(other) == '{"a":{"x":true,"y":null},"b":[1,2.5,"ü"]}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        snapshot.canonical({"x": float("nan")})
