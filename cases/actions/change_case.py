from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.checks import apply_changes, save_checked
from cases.actions.create_case import assignable, check_dates, facts
from cases.models import Case
from karyosite.accounts.models import User
from karyosite.audit.record import record

_FIELDS = frozenset({"specimen", "indication", "received_on", "due_on", "assignee_id"})


@transaction.atomic
def change_case(*, user: User, case_id: Any, **changes: Any) -> Case:
    """Changes specimen, indication, received_on, due_on or assignee_id of an editable case.

    Raises Conflict where the case is locked, Invalid, naming the fields.
    """
    membership, case = rows.locked_case(user, "change_case", case_id)
    before = facts(case)
    if "assignee_id" in changes:
        chosen = changes.pop("assignee_id")
        # Whoever has the case keeps it through other changes, even after leaving the laboratory.
        if str(chosen or "") != str(case.assignee_id or ""):
            case.assignee = assignable(case.laboratory_id, chosen)
    apply_changes(case, changes, _FIELDS)
    check_dates(case)
    save_checked(case, taken={})
    after = facts(case)
    changed = [field for field in after if after[field] != before[field]]
    if changed:
        record(
            laboratory=membership.laboratory,
            actor=user,
            verb=verbs.CASE_CHANGED,
            about=case,
            case_id=case.pk,
            summary=f"Case {case.accession_number} changed.",
            old={field: before[field] for field in changed},
            new={field: after[field] for field in changed},
        )
    return case
