"""Patients, cases and cultures: what is ordered."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases import selectors
from cases.actions.add_culture import add_culture
from cases.actions.change_case import change_case
from cases.actions.change_patient import change_patient
from cases.actions.create_case import create_case
from cases.actions.create_patient import create_patient
from cases.api.base import OldestFirst
from cases.api.inputs import CaseQuery, ChangedCase, NewCase, NewCulture, NewPatient, PatientQuery
from cases.api.serializers import CaseSerializer, CultureSerializer, PatientSerializer
from karyosite.api_views import View, person


class Patients(View):
    @extend_schema(
        parameters=[PatientQuery],
        responses=PatientSerializer(many=True),
        operation_id="patient_list",
        tags=["patients"],
    )
    def get(self, request: Request) -> Response:
        """The laboratory's patients, newest first."""
        found = selectors.patients(person(request), **self.query(PatientQuery, request))
        return self.page(PatientSerializer, found, request)

    @extend_schema(
        request=NewPatient, responses={201: PatientSerializer}, operation_id="patient_create", tags=["patients"]
    )
    def post(self, request: Request) -> Response:
        """Adds a patient."""
        made = create_patient(user=person(request), **self.read(NewPatient, request))
        return self.show(PatientSerializer, made, request, status=201)


class Patient(View):
    @extend_schema(responses=PatientSerializer, operation_id="patient", tags=["patients"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """One patient."""
        return self.show(PatientSerializer, selectors.patient(person(request), pk), request)

    @extend_schema(request=NewPatient, responses=PatientSerializer, operation_id="patient_change", tags=["patients"])
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Changes what is sent; the rest stays."""
        changes = self.read(NewPatient, request, partial=True)
        changed = change_patient(user=person(request), patient_id=pk, **changes)
        return self.show(PatientSerializer, changed, request)


class Cases(View):
    @extend_schema(
        parameters=[CaseQuery], responses=CaseSerializer(many=True), operation_id="case_list", tags=["cases"]
    )
    def get(self, request: Request) -> Response:
        """The laboratory's cases, newest first."""
        found = selectors.cases(person(request), **self.query(CaseQuery, request))
        return self.page(CaseSerializer, found, request)

    @extend_schema(request=NewCase, responses={201: CaseSerializer}, operation_id="case_create", tags=["cases"])
    def post(self, request: Request) -> Response:
        """Opens a case for a patient."""
        made = create_case(user=person(request), **self.read(NewCase, request))
        return self.show(CaseSerializer, selectors.case(person(request), made.pk), request, status=201)


class Case(View):
    @extend_schema(responses=CaseSerializer, operation_id="case", tags=["cases"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """One case, with numbers about its cells."""
        return self.show(CaseSerializer, selectors.case(person(request), pk), request)

    @extend_schema(request=ChangedCase, responses=CaseSerializer, operation_id="case_change", tags=["cases"])
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Changes what is sent; the rest stays.  The accession number and the patient stay as they were."""
        change_case(user=person(request), case_id=pk, **self.read(ChangedCase, request, partial=True))
        return self.show(CaseSerializer, selectors.case(person(request), pk), request)


class Cultures(View):
    pagination_class = OldestFirst

    @extend_schema(responses=CultureSerializer(many=True), operation_id="culture_list", tags=["cases"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The cultures of a case."""
        return self.page(CultureSerializer, selectors.cultures(person(request), pk), request)

    @extend_schema(
        request=NewCulture, responses={201: CultureSerializer}, operation_id="culture_create", tags=["cases"]
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Adds a culture to a case."""
        made = add_culture(user=person(request), case_id=pk, **self.read(NewCulture, request))
        return self.show(CultureSerializer, made, request, status=201)
