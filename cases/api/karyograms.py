"""The karyogram of a cell and its history of edits."""

from __future__ import annotations

import uuid
from typing import Any, BinaryIO, cast

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases import policies, selectors
from cases.actions.accept_karyogram import accept_karyogram
from cases.actions.edit_karyogram import edit_karyogram
from cases.actions.karyogram_steps import Applied
from cases.actions.redo_karyogram import redo_karyogram
from cases.actions.reopen_karyogram import reopen_karyogram
from cases.actions.restore_proposal import restore_proposal
from cases.actions.undo_karyogram import undo_karyogram
from cases.api import pixels
from cases.api.base import ByVersion
from cases.api.inputs import Edit, KeyedStep, Restore, Step
from cases.api.serializers import AppliedSerializer, KaryogramSerializer, KaryogramStateSerializer, StepSerializer
from cases.models import Karyogram as KaryogramRow
from karyosite import imaging
from karyosite.api import research_use_only
from karyosite.api_views import ResourceSerializer, View, person
from karyosite.env import environment
from karyosite.errors import Forbidden


class StepInHistorySerializer(StepSerializer, ResourceSerializer):
    """A step as the history lists it."""


class KaryogramView(View):
    def applied(self, step: Applied, request: Request) -> Response:
        answer = {**selectors.karyogram_state(step.karyogram), "step": step.step}
        return self.show(AppliedSerializer, answer, request)

    def state(self, request: Request, pk: uuid.UUID) -> Response:
        answer = selectors.karyogram_state(selectors.karyogram(person(request), pk))
        return self.show(KaryogramStateSerializer, answer, request)


class Karyogram(KaryogramView):
    @extend_schema(responses=KaryogramSerializer, operation_id="karyogram", tags=["karyograms"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The document and everything that an editor needs beside it; 404 until the analysis has finished."""
        karyogram = selectors.karyogram(person(request), pk)
        answer = {
            **selectors.karyogram_state(karyogram),
            "document": karyogram.document,
            "view_url": pixels.view_url(karyogram.metaphase),
            **_locked(request, karyogram),
        }
        return self.show(KaryogramSerializer, answer, request)


def _locked(request: Request, karyogram: KaryogramRow) -> dict[str, Any]:
    """Not editable for a colleague without the right, whatever the state of the case."""
    try:
        policies.require(person(request), "edit_karyogram")
    except Forbidden as refusal:
        return {"editable": False, "locked_because": refusal.sentence}
    return {}


class Edits(KaryogramView):
    pagination_class = ByVersion

    @extend_schema(responses=StepInHistorySerializer(many=True), operation_id="karyogram_history", tags=["karyograms"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Every step, oldest first; history only grows."""
        return self.page(StepInHistorySerializer, selectors.history(person(request), pk), request)

    @extend_schema(request=Edit, responses=AppliedSerializer, operation_id="karyogram_edit", tags=["karyograms"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Applies one edit made on `base_version`.

        Where the karyogram has moved on meanwhile: 409 with code `stale-version` and the newest document.
        """
        step = edit_karyogram(user=person(request), metaphase_id=pk, **self.read(Edit, request))
        return self.applied(step, request)


class Undo(KaryogramView):
    @extend_schema(request=KeyedStep, responses=AppliedSerializer, operation_id="karyogram_undo", tags=["karyograms"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Takes back the last step that stands."""
        step = undo_karyogram(user=person(request), metaphase_id=pk, **self.read(KeyedStep, request))
        return self.applied(step, request)


class Redo(KaryogramView):
    @extend_schema(request=KeyedStep, responses=AppliedSerializer, operation_id="karyogram_redo", tags=["karyograms"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Makes the step taken back last again."""
        step = redo_karyogram(user=person(request), metaphase_id=pk, **self.read(KeyedStep, request))
        return self.applied(step, request)


class RestoreProposal(KaryogramView):
    @extend_schema(
        request=Restore,
        responses=AppliedSerializer,
        operation_id="karyogram_restore_proposal",
        tags=["karyograms"],
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Puts one chromosome, or without an id the whole cell, back as the machine proposed it: one more step."""
        step = restore_proposal(user=person(request), metaphase_id=pk, **self.read(Restore, request))
        return self.applied(step, request)


class Accept(KaryogramView):
    @extend_schema(
        request=Step, responses=KaryogramStateSerializer, operation_id="karyogram_accept", tags=["karyograms"]
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """You accept the cell as it is; any later edit withdraws that."""
        accept_karyogram(user=person(request), metaphase_id=pk, **self.read(Step, request))
        return self.state(request, pk)


class Reopen(KaryogramView):
    @extend_schema(
        request=Step, responses=KaryogramStateSerializer, operation_id="karyogram_reopen", tags=["karyograms"]
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Withdraws the acceptance of the cell."""
        reopen_karyogram(user=person(request), metaphase_id=pk, **self.read(Step, request))
        return self.state(request, pk)


class Sheet(View):
    @extend_schema(
        responses={(200, "image/png"): OpenApiTypes.BINARY}, operation_id="karyogram_sheet", tags=["karyograms"]
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """The karyogram sheet as a picture to keep."""
        from cases.reports.sheet import render_sheet

        karyogram = selectors.karyogram(person(request), pk)
        cell = karyogram.metaphase
        accession = cell.case.accession_number
        etag = f'"{karyogram.pk}-{karyogram.version}"'
        unchanged = get_conditional_response(request, etag=etag)
        if unchanged is not None and unchanged.status_code == 304:
            return unchanged
        with cell.image.file.open("rb") as file:
            field = imaging.read_grey(cast(BinaryIO, file), cell.page, max_pixels=environment.image_max_pixels)
        sheet = render_sheet(
            field,
            karyogram.document,
            caption=f"{accession} · cell {cell.ordinal} · {karyogram.count} chromosomes",
            research_use_only=research_use_only(request.user),
        )
        response = pixels.picture(pixels.as_png(sheet), etag, "private, no-cache")
        response.headers["Content-Disposition"] = pixels.attachment(f"{accession}-cell-{cell.ordinal}.png")
        return response
