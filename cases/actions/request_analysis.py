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
def request_analysis(*, user: User, metaphase_id: Any) -> Metaphase:
    """Has a cell analysed (again).  What people have done to its karyogram stays in the history, and can be undone to.

    Raises Conflict where the case is locked or the cell is being analysed already.
    """
    metaphase = rows.locked_metaphase(user, "request_analysis", metaphase_id)
    if metaphase.analysis_state in (AnalysisState.QUEUED, AnalysisState.RUNNING):
        raise Conflict("This cell is being analysed already.", code="analysis-under-way")
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.ANALYSIS_REQUESTED,
        about=metaphase,
        case_id=metaphase.case_id,
        summary=f"Cell {metaphase.ordinal}: analysis requested.",
    )
    events.reanalysis_requested.announce(metaphase=metaphase, user=user)
    metaphase.refresh_from_db(fields=["analysis_state", "analysis_stage", "analysis_error", "analysis_job"])
    return metaphase
