from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from cases.actions import rows, verbs
from cases.actions.checks import clean_text
from cases.models import AnalysisState, Case, Comment, Metaphase, Report
from cases.reports import snapshot
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict


@transaction.atomic
def submit_case(
    *, user: User, case_id: Any, result: str, comment: str = "", with_open_comments: bool = False
) -> Report:
    """Hands a case over for review: what a supervisor will sign is fixed from here on.

    with_open_comments: the submitter knows that comments are open, and hands them on to the reviewer.
    Raises Conflict where the case is locked, no cell is accepted, an analysis is under way, or comments are open that
    nobody has answered for; Invalid without a result line.
    """
    membership, case = rows.locked_case(user, "submit_case", case_id, editable=False)
    state = rows.next_state(case, "submit")
    result = clean_text(result, "result", limit=2000, required="A case needs a result line before it is submitted.")
    comment = clean_text(comment, "comment", limit=20_000)
    _ready(case)
    open_comments = Comment.objects.filter(metaphase__case=case, resolved_at=None).count()
    if open_comments and not with_open_comments:
        _ask(open_comments)
    last = Report.objects.filter(case=case, version=case.version).aggregate(last=Max("round"))["last"] or 0
    report = Report(
        case=case,
        version=case.version,
        round=last + 1,
        result=result,
        comment=comment,
        submitted_by=user,
        submitted_by_name=str(user),
        submitted_at=timezone.now(),
    )
    report.snapshot = snapshot.rebuild(report, case)
    report.snapshot_sha256 = snapshot.sha256(report.snapshot)
    report.save(force_insert=True)
    before, case.state = case.state, state
    case.save(update_fields=["state", "changed_at"])
    record(
        laboratory=membership.laboratory,
        actor=user,
        verb=verbs.CASE_SUBMITTED,
        about=report,
        case_id=case.pk,
        summary=f"Case {case.accession_number} submitted, version {report.version}, round {report.round}: {result}",
        old={"state": before},
        new={"state": case.state, "result": result, "comment": comment, "sha256": report.snapshot_sha256}
        | ({"open_comments": open_comments} if open_comments else {}),
    )
    return report


def _ask(open_comments: int) -> None:
    are = "comment is" if open_comments == 1 else "comments are"
    raise Conflict(
        f"{open_comments} {are} still open in this case. Nothing was submitted. Resolve them on the cells, or say that "
        "the case goes to review with them open.",
        code="open-comments",
        open_comments=open_comments,
    )


def _ready(case: Case) -> None:
    cells = Metaphase.objects.filter(case=case)
    working = cells.filter(analysis_state__in=(AnalysisState.QUEUED, AnalysisState.RUNNING)).count()
    if working:
        raise Conflict(
            f"{working} {'cell is' if working == 1 else 'cells are'} still being analysed. "
            "Wait until that has finished, or cancel it, then submit.",
            code="analysis-under-way",
        )
    if not cells.filter(accepted_at__isnull=False, karyogram__isnull=False).exists():
        raise Conflict(
            "No cell of this case is accepted yet. Accept at least one, then submit.", code="no-cell-accepted"
        )
