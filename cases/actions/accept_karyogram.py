from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from cases.actions import rows, verbs
from cases.actions.karyogram_steps import check_base, summary
from cases.domain.standing import EXCLUDED
from cases.models import AnalysisState, Metaphase
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict


@transaction.atomic
def accept_karyogram(*, user: User, metaphase_id: Any, base_version: int) -> Metaphase:
    """A person answers for the karyogram as it stands at base_version; any later change withdraws this.

    A cell that is accepted already stays so, by whoever accepted it first.
    Raises Conflict where the base is stale, the case is locked, or the cell is being analysed again.
    """
    metaphase = rows.locked_metaphase(user, "accept_karyogram", metaphase_id)
    karyogram = rows.locked_karyogram(metaphase)
    check_base(karyogram, base_version)
    if metaphase.analysis_state in (AnalysisState.QUEUED, AnalysisState.RUNNING):
        raise Conflict(
            "This cell is being analysed again. Wait for the new proposal, or cancel the analysis, then accept it.",
            code="analysis-under-way",
        )
    if metaphase.own_standing == EXCLUDED:
        raise Conflict(
            f"This cell is excluded ({metaphase.exclusion_reason}). Take it back into the case first, then accept it.",
            code="cell-excluded",
        )
    if metaphase.accepted_at is None:
        metaphase.accepted_by = user
        metaphase.accepted_at = timezone.now()
        metaphase.save(update_fields=["accepted_by", "accepted_at"])
        record(
            laboratory=metaphase.case.laboratory,
            actor=user,
            verb=verbs.KARYOGRAM_ACCEPTED,
            about=karyogram,
            case_id=metaphase.case_id,
            summary=summary(metaphase, f"accepted with {karyogram.count} chromosomes, {karyogram.doubts} in doubt."),
            new={"version": karyogram.version, "count": karyogram.count, "doubts": karyogram.doubts},
        )
    return metaphase
