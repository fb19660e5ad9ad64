"""Reports as they were submitted and signed, and the audit trail of a case."""

from __future__ import annotations

from csp.decorators import csp_exempt
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header

from cases import selectors, together
from cases.models import ReportState
from cases.views.paging import keyset_page
from karyosite.pages import page, person


@page
def report(request: HttpRequest, report_id: str) -> HttpResponse:
    user = person(request)
    found = selectors.report(user, report_id)
    return render(
        request,
        "cases/report.html",
        {
            "report": found,
            "case": found.case,
            "snapshot": found.snapshot,
            "signatures": list(found.signatures.all()),
            "signed": found.state == ReportState.SIGNED,
            "open_comments": list(together.open_comments(user, found.case)),
        },
    )


# The browser's own PDF reader is a page too, and `object-src none` would leave it blank.
@csp_exempt()
@page
def report_pdf(request: HttpRequest, report_id: str) -> HttpResponse:
    """The report as PDF, made from its snapshot alone; shown by the browser, named for saving."""
    from cases.reports.pdf import render_pdf

    found = selectors.report(person(request), report_id)
    response = HttpResponse(render_pdf(found), content_type="application/pdf")
    name = f"{found.case.accession_number}-version-{found.version}.pdf"
    response.headers["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@page
def case_audit(request: HttpRequest, case_id: str) -> HttpResponse:
    user = person(request)
    found = selectors.case(user, case_id)
    entries = selectors.audit_entries(user, found)
    return render(
        request,
        "cases/audit.html",
        {"case": found, "page": keyset_page(request, entries, ordering=("number",), size=100)},
    )
