from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from cases.actions import rows, verbs
from cases.actions.checks import clean_text
from cases.actions.reviewed_report import report_under_review
from cases.models import Report, ReportState
from karyosite.accounts.models import Membership, User
from karyosite.audit.record import record


@transaction.atomic
def return_case(*, user: User, case_id: Any, reason: str) -> Report:
    """Gives a case back to whoever submitted it, with the reason.  Raises Conflict unless it is under review."""
    membership, case = rows.locked_case(user, "return_case", case_id, editable=False)
    state = rows.next_state(case, "return")
    reason = clean_text(reason, "reason", limit=5000, required="Say why the case is returned: its author will read it.")
    report = report_under_review(case)
    report.state = ReportState.RETURNED
    report.returned_by_name = str(user)
    report.returned_at = timezone.now()
    report.return_reason = reason
    report.save(update_fields=["state", "returned_by_name", "returned_at", "return_reason"])
    before, case.state = case.state, state
    author = report.submitted_by
    if author and author.is_active and Membership.objects.filter(user=author, laboratory=case.laboratory).exists():
        case.assignee = author
    case.save(update_fields=["state", "assignee", "changed_at"])
    record(
        laboratory=membership.laboratory,
        actor=user,
        verb=verbs.CASE_RETURNED,
        about=report,
        case_id=case.pk,
        summary=f"Case {case.accession_number} returned to {case.assignee or 'nobody'}.",
        old={"state": before},
        new={"state": case.state, "assignee": str(case.assignee or "")},
        reason=reason,
    )
    return report
