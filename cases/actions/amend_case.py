from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.checks import clean_text
from cases.models import Case
from karyosite.accounts.models import User
from karyosite.audit.record import record


@transaction.atomic
def amend_case(*, user: User, case_id: Any, reason: str) -> Case:
    """Opens the next version of a signed case; the signed one stays as it is, and accepted cells stay accepted.

    Raises Conflict unless the case is signed, Invalid without a reason: it is printed on the corrected report.
    """
    membership, case = rows.locked_case(user, "amend_case", case_id, editable=False)
    state = rows.next_state(case, "amend")
    reason = clean_text(
        reason, "reason", limit=5000, required="Say why the report is amended: the reason is printed on it."
    )
    before = {"state": case.state, "version": case.version}
    case.state = state
    case.version += 1
    case.amendment_reason = reason
    case.save(update_fields=["state", "version", "amendment_reason", "changed_at"])
    record(
        laboratory=membership.laboratory,
        actor=user,
        verb=verbs.CASE_AMENDED,
        about=case,
        case_id=case.pk,
        summary=f"Case {case.accession_number}: version {case.version} opened.",
        old=before,
        new={"state": case.state, "version": case.version},
        reason=reason,
    )
    return case
