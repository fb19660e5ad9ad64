from __future__ import annotations

from cases.models import Case, Report, ReportState


def report_under_review(case: Case) -> Report:
    """The one submission of a submitted case that awaits a decision, locked."""
    return (
        Report.objects.select_for_update(no_key=True, of=("self",))
        .select_related("submitted_by")
        .get(case=case, version=case.version, state=ReportState.SUBMITTED)
    )
