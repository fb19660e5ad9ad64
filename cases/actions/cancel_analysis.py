from __future__ import annotations

from typing import Any

from django.db import transaction

from cases import events
from cases.actions import rows, verbs
from cases.models import AnalysisState, Metaphase
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict


@transaction.atomic
def cancel_analysis(*, user: User, metaphase_id: Any) -> Metaphase:
    """Stops the analysis of a cell.  Raises Conflict where the case is locked or no analysis is under way."""
    metaphase = rows.locked_metaphase(user, "request_analysis", metaphase_id)
    if metaphase.analysis_state not in (AnalysisState.QUEUED, AnalysisState.RUNNING):
        raise Conflict("This cell is not being analysed, so there is nothing to cancel.", code="no-analysis")
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.ANALYSIS_CANCEL_REQUESTED,
        about=metaphase,
        case_id=metaphase.case_id,
        summary=f"Cell {metaphase.ordinal}: analysis cancelled.",
    )
    events.analysis_cancel_requested.announce(metaphase=metaphase, user=user)
    metaphase.refresh_from_db(fields=["analysis_state", "analysis_stage", "analysis_error", "analysis_job"])
    return metaphase
