"""Metaphases: upload, pictures, analysis."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases import selectors
from cases.actions.add_metaphases import add_metaphases
from cases.actions.request_analysis import request_analysis
from cases.api import pixels
from cases.api.base import JOB_LOCATION, InOrder
from cases.api.inputs import MetaphaseQuery, NewMetaphases
from cases.api.serializers import AddedMetaphasesSerializer, MetaphaseSerializer, job_url
from karyosite.api import MultiPartParser, declared_bytes
from karyosite.api_views import View, person
from karyosite.env import environment
from karyosite.errors import Refusal, TooLarge

# What a form adds around its one file: boundaries, headers, the culture.
FORM_BYTES = 64 * 1024
ORIGINALS = ("image/bmp", "image/jpeg", "image/png", "image/tiff")


def _too_large(name: str = "") -> TooLarge:
    limit = environment.upload_max_bytes
    size = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit} bytes"
    what = f"“{name}”" if name else "This file"
    return TooLarge(f"{what} is larger than {size}, the most that is taken. It was not kept; other files go on.")


class CaseMetaphases(View):
    pagination_class = InOrder
    parser_classes: Any = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before anything reads the body, the CSRF check included: a huge file costs neither disk nor memory.
        if declared_bytes(request) > environment.upload_max_bytes + FORM_BYTES:
            raise _too_large()
        super().initial(request, *args, **kwargs)

    @extend_schema(
        parameters=[MetaphaseQuery],
        responses=MetaphaseSerializer(many=True),
        operation_id="metaphase_list",
        tags=["metaphases"],
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """The cells of a case, in order."""
        found = selectors.metaphases(person(request), pk, **self.query(MetaphaseQuery, request))
        return self.page(MetaphaseSerializer, found, request)

    @extend_schema(
        request={"multipart/form-data": NewMetaphases},
        parameters=[JOB_LOCATION],
        responses={
            202: OpenApiResponse(AddedMetaphasesSerializer, description="Kept, and waiting for analysis."),
            200: OpenApiResponse(AddedMetaphasesSerializer, description="The case had every page of it already."),
        },
        operation_id="metaphase_upload",
        tags=["metaphases"],
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Uploads one file of one or many pages; each page becomes a cell and is analysed."""
        files = [file for name in request.FILES for file in request.FILES.getlist(name)]
        skipped = request.META.get("karyosite.too_large")
        if skipped:
            raise _too_large(pixels.safe_name(str(skipped[0]), ""))
        if len(files) > 1:
            raise Refusal("Send one file in a request. None of these was kept.", code="one-file")
        given = self.read(NewMetaphases, request)
        upload = given["file"]
        added = add_metaphases(
            user=person(request), case_id=pk, upload=upload, name=upload.name, culture_id=given.get("culture")
        )
        cells = {
            cell.pk: cell
            for cell in selectors.metaphases(person(request), pk).filter(
                pk__in=[cell.pk for cell in (*added.metaphases, *added.duplicates)]
            )
        }
        new = [cells[cell.pk] for cell in added.metaphases]
        jobs = [url for url in map(job_url, new) if url]
        answer = {
            "metaphases": new,
            "duplicates": [cells[cell.pk] for cell in added.duplicates],
            "job_urls": jobs,
        }
        headers = {"Location": jobs[0]} if jobs else {}
        return self.show(AddedMetaphasesSerializer, answer, request, status=202 if new else 200, headers=headers)


class Metaphase(View):
    @extend_schema(responses=MetaphaseSerializer, operation_id="metaphase", tags=["metaphases"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """One cell: its file, the state of its analysis, its karyogram in numbers."""
        return self.show(MetaphaseSerializer, selectors.metaphase(person(request), pk), request)


class Original(View):
    @extend_schema(
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in ORIGINALS},
        operation_id="metaphase_original",
        tags=["metaphases"],
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """The uploaded file, byte for byte, with the media type of its content."""
        return pixels.original(request, selectors.metaphase(person(request), pk))


class Picture(View):
    @extend_schema(
        responses={(200, "image/png"): OpenApiTypes.BINARY}, operation_id="metaphase_view", tags=["metaphases"]
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """The cell as an 8-bit PNG for browsers."""
        return pixels.view(request, selectors.metaphase(person(request), pk))


class Analyse(View):
    @extend_schema(
        request=None,
        parameters=[JOB_LOCATION],
        responses={202: MetaphaseSerializer},
        operation_id="metaphase_analyse",
        tags=["metaphases"],
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Analyses the cell (again): the new proposal becomes a step that can be taken back."""
        request_analysis(user=person(request), metaphase_id=pk)
        cell = selectors.metaphase(person(request), pk)
        url = job_url(cell)
        return self.show(MetaphaseSerializer, cell, request, status=202, headers={"Location": url} if url else {})
