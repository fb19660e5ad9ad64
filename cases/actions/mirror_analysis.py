from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.models import AnalysisState, Metaphase
from karyosite.audit.record import record


@transaction.atomic
def mirror_analysis(*, metaphase_id: Any, job_id: Any, state: str, stage: str = "", error: str = "") -> None:
    """Copies the newest job's state to its cell, so that lists need not join jobs.

    Called by inference inside the transaction that changes the job.  A queued job takes over the cell; what an older
    job still says then is left out.  Only a failure goes to the audit log: requests, cancellations and proposals have
    entries of their own, and waiting or running changes nothing in the record.
    """
    if state not in AnalysisState.values:
        raise ValueError(f"{state!r} is not a state of an analysis")
    cell = Metaphase.objects.filter(pk=rows.as_uuid(metaphase_id))
    job_id = rows.as_uuid(job_id)
    if state != AnalysisState.QUEUED:
        cell = cell.filter(analysis_job=job_id) | cell.filter(analysis_job=None)
    changed = cell.update(analysis_state=state, analysis_stage=stage, analysis_error=error, analysis_job=job_id)
    if changed and state == AnalysisState.FAILED:
        metaphase = Metaphase.objects.select_related("case__laboratory").get(pk=metaphase_id)
        record(
            laboratory=metaphase.case.laboratory,
            actor=None,
            verb=verbs.ANALYSIS_FAILED,
            about=metaphase,
            case_id=metaphase.case_id,
            summary=f"Cell {metaphase.ordinal}: the analysis failed. {error}".strip(),
        )
