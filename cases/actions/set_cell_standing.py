from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.checks import clean_text
from cases.actions.karyogram_steps import summary, withdraw_acceptance
from cases.domain import standing as domain
from cases.models import CellCount, Metaphase
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict, Invalid


@transaction.atomic
def set_cell_standing(*, user: User, metaphase_id: Any, standing: str, reason: str = "") -> Metaphase:
    """Says what has been done with a cell: new, counted, analysed, or excluded for a reason.

    new: takes its count away.  excluded: takes the cell out of the result, withdraws its acceptance, keeps its count.
    A cell is karyotyped by accepting its karyogram, so that cannot be set here.
    Raises Conflict where the case is locked or the cell was never counted, Invalid otherwise.
    """
    metaphase = rows.locked_metaphase(user, "set_cell_standing", metaphase_id)
    if standing == domain.KARYOTYPED:
        raise Invalid("A cell is karyotyped by accepting its karyogram. Nothing was changed.", code="accept-it")
    if standing not in domain.SETTABLE:
        raise Invalid("A cell is new, counted, analysed or excluded.", fields={"standing": ["This is none of them."]})
    excluded = standing == domain.EXCLUDED
    needed = "Say why this cell is excluded; it stands in the report." if excluded else ""
    why = clean_text(reason, "reason", limit=300, required=needed) if excluded else ""
    if (metaphase.own_standing, metaphase.exclusion_reason) == (standing, why) and standing != domain.NEW:
        return metaphase
    old: dict[str, Any] = {"standing": metaphase.standing, "reason": metaphase.exclusion_reason}
    count = CellCount.objects.filter(metaphase=metaphase).first()
    if standing in (domain.COUNTED, domain.ANALYSED) and count is None and metaphase.accepted_at is None:
        raise Conflict("This cell has no count yet. Count it first.", code="not-counted")
    if excluded:
        withdraw_acceptance(metaphase)
    if standing == domain.NEW and count is not None:
        old |= {"number": count.number, "sure": count.sure, "ticks": count.ticks}
        count.delete()
    metaphase.own_standing, metaphase.exclusion_reason = standing, why
    metaphase.save(update_fields=["own_standing", "exclusion_reason"])
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.CELL_STANDING_SET,
        about=metaphase,
        case_id=metaphase.case_id,
        summary=summary(metaphase, f"{standing}{f': {why}' if why else ''}."),
        old=old,
        new={"standing": metaphase.standing},
        reason=why,
    )
    return metaphase
