from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from cases import storage
from cases.actions import rows, verbs
from cases.actions.reviewed_report import report_under_review
from cases.models import Case, Meaning, Report, ReportState, Signature, StoredImage
from cases.reports import snapshot
from cases.reports.seal import seal
from karyosite.accounts.models import User
from karyosite.audit.models import AuditEntry
from karyosite.audit.record import record
from karyosite.errors import Conflict, Forbidden, Invalid, Refusal

MOST_FAILURES = 5
WINDOW = datetime.timedelta(minutes=10)


class TooManyAttempts(Refusal):
    status_code = 429
    code = "too-many-attempts"


def sign_case(*, user: User, case_id: Any, password: str, meaning: str = Meaning.APPROVED) -> Report:
    """Signs what was submitted: the password again, a stated meaning, never by the one who submitted.

    Before the signature is set, the snapshot is compared with the case as it is now and the stored images with their
    checksums.  Raises Forbidden, Conflict, Invalid, TooManyAttempts; a wrong password is audited and counted.
    """
    _may_sign(user, case_id, meaning)
    # Outside any transaction: hashing a password and reading image files take long.
    if not _password_holds(user, case_id, password):
        raise Forbidden("The password is wrong. Nothing was signed.", code="wrong-password")
    _check_images(case_id)
    return _sign(user, case_id, meaning)


@transaction.atomic
def _may_sign(user: User, case_id: Any, meaning: str) -> None:
    if meaning not in Meaning.values:
        sentence = "A signature has one of these meanings: " + ", ".join(str(label) for label in Meaning.labels) + "."
        raise Invalid(sentence, fields={"meaning": [sentence]})
    _, case = rows.locked_case(user, "sign_case", case_id, editable=False)
    rows.next_state(case, "sign")
    _not_the_author(user, report_under_review(case))


def _not_the_author(user: User, report: Report) -> None:
    if report.submitted_by_id == user.pk:
        raise Forbidden("You submitted this case, so another supervisor has to sign it.", code="own-submission")


def _password_holds(user: User, case_id: Any, password: str) -> bool:
    """Whether the password is the user's.  A failure is stored even though the signing is refused.

    The attempts are judged one after the other under the user's row, so that many guesses sent at once learn nothing
    after the fifth failure.
    """
    known = User.objects.get(pk=user.pk)
    holds = isinstance(password, str) and known.is_active and known.check_password(password)
    with transaction.atomic():
        membership, case = rows.locked_case(user, "sign_case", case_id, editable=False)
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        failures = AuditEntry.objects.filter(
            laboratory=membership.laboratory, actor=user, verb=verbs.SIGNING_REFUSED, at__gt=timezone.now() - WINDOW
        ).count()
        if failures >= MOST_FAILURES:
            raise TooManyAttempts(
                f"The password was wrong {MOST_FAILURES} times. Nothing was signed; wait ten minutes and try again.",
                wait_s=int(WINDOW.total_seconds()),
            )
        if not holds:
            record(
                laboratory=membership.laboratory,
                actor=user,
                verb=verbs.SIGNING_REFUSED,
                about=case,
                case_id=case.pk,
                summary=f"Case {case.accession_number}: signing refused, the password was wrong.",
            )
    return bool(holds)


def _check_images(case_id: Any) -> None:
    """Raises Conflict where the file of an accepted cell is not the one that was uploaded."""
    images = StoredImage.objects.filter(
        metaphases__case_id=rows.as_uuid(case_id), metaphases__accepted_at__isnull=False
    ).distinct()
    for image in images:
        path = Path(image.file.path)
        if not path.exists() or storage.sha256_of(path) != image.sha256:
            ordinals = ", ".join(
                str(number) for number in image.metaphases.filter(case_id=case_id).values_list("ordinal", flat=True)
            )
            raise Conflict(
                f"The stored picture of cell {ordinals} is missing or damaged, so the case cannot be signed. "
                "Tell your administrator: it has to be restored from a backup.",
                code="image-damaged",
            )


@transaction.atomic
def _sign(user: User, case_id: Any, meaning: str) -> Report:
    membership, case = rows.locked_case(user, "sign_case", case_id, editable=False)
    state = rows.next_state(case, "sign")
    report = report_under_review(case)
    _not_the_author(user, report)
    _check_snapshot(report, case)
    signature = Signature(
        report=report,
        signer=user,
        printed_name=str(user),
        meaning=meaning,
        signed_at=timezone.now(),
        snapshot_sha256=report.snapshot_sha256,
    )
    signature.seal = seal(signature)
    signature.save(force_insert=True)
    report.state = ReportState.SIGNED
    report.save(update_fields=["state"])
    before, case.state = case.state, state
    case.save(update_fields=["state", "changed_at"])
    record(
        laboratory=membership.laboratory,
        actor=user,
        verb=verbs.CASE_SIGNED,
        about=report,
        case_id=case.pk,
        summary=f"Case {case.accession_number}, version {report.version}: signed by {signature.printed_name} "
        f"({signature.get_meaning_display()}).",
        old={"state": before},
        new={"state": case.state, "meaning": meaning, "sha256": report.snapshot_sha256, "seal": signature.seal},
    )
    return report


def _check_snapshot(report: Report, case: Case) -> None:
    if snapshot.sha256(report.snapshot) != report.snapshot_sha256:
        raise Conflict(
            "What was submitted is not what is stored now, so it cannot be signed. Tell your administrator.",
            code="snapshot-damaged",
        )
    differing = snapshot.parts_that_differ(report.snapshot, snapshot.rebuild(report, case))
    if differing:
        parts = ", ".join(part.replace("_", " ") for part in differing)
        raise Conflict(
            f"Something changed since the case was submitted ({parts}). Return it, so that it is submitted again.",
            code="snapshot-stale",
            parts=differing,
        )
