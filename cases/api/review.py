"""Review and sign-off: submit, return, sign, amend, and the reports that come of it."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases import selectors
from cases.actions.amend_case import amend_case
from cases.actions.return_case import return_case
from cases.actions.sign_case import sign_case
from cases.actions.submit_case import submit_case
from cases.api import pixels
from cases.api.base import ByRound
from cases.api.inputs import Reason, Signing, Submission
from cases.api.serializers import CaseSerializer, ReportSerializer, ReportWithSnapshotSerializer
from cases.models import Report as ReportRow
from karyosite.api_views import View, person


class ReviewView(View):
    def reported(self, report: ReportRow, request: Request, status: int) -> Response:
        fresh = selectors.report(person(request), report.pk)
        return self.show(ReportWithSnapshotSerializer, fresh, request, status=status)


class Submit(ReviewView):
    @extend_schema(
        request=Submission, responses={201: ReportWithSnapshotSerializer}, operation_id="case_submit", tags=["review"]
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Hands the case to review with its result line."""
        report = submit_case(user=person(request), case_id=pk, **self.read(Submission, request))
        return self.reported(report, request, 201)


class Return(ReviewView):
    @extend_schema(request=Reason, responses=ReportWithSnapshotSerializer, operation_id="case_return", tags=["review"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Gives a submitted case back to its author, with the reason."""
        report = return_case(user=person(request), case_id=pk, **self.read(Reason, request))
        return self.reported(report, request, 200)


class Sign(ReviewView):
    @extend_schema(request=Signing, responses=ReportWithSnapshotSerializer, operation_id="case_sign", tags=["review"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Signs a submitted case: your password again, and what the signature means.  Not your own submission."""
        report = sign_case(user=person(request), case_id=pk, **self.read(Signing, request))
        return self.reported(report, request, 200)


class Amend(View):
    @extend_schema(request=Reason, responses=CaseSerializer, operation_id="case_amend", tags=["review"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Opens the next version of a signed case; the signed one stays as it is."""
        amend_case(user=person(request), case_id=pk, **self.read(Reason, request))
        return self.show(CaseSerializer, selectors.case(person(request), pk), request)


class Reports(View):
    pagination_class = ByRound

    @extend_schema(responses=ReportSerializer(many=True), operation_id="report_list", tags=["review"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The submissions of a case, oldest first, without their snapshots."""
        return self.page(ReportSerializer, selectors.reports(person(request), pk), request)


class Report(View):
    @extend_schema(responses=ReportWithSnapshotSerializer, operation_id="report", tags=["review"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """One submission with its snapshot and signatures."""
        return self.show(ReportWithSnapshotSerializer, selectors.report(person(request), pk), request)


class ReportPdf(View):
    @extend_schema(
        responses={(200, "application/pdf"): OpenApiTypes.BINARY}, operation_id="report_pdf", tags=["review"]
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """The report as a PDF, made from its snapshot alone."""
        from cases.reports.pdf import render_pdf

        report = selectors.report(person(request), pk)
        response = HttpResponse(render_pdf(report), content_type="application/pdf")
        name = f"{report.case.accession_number}-version-{report.version}.pdf"
        response.headers["Content-Disposition"] = pixels.attachment(name)
        response["Cache-Control"] = "private, no-cache"
        response["X-Content-Type-Options"] = "nosniff"
        return response
