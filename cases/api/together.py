"""Two people at one cell: who is there, and what has changed since a page last asked."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases import together
from cases.actions.be_present import be_present
from cases.api.inputs import MOST
from cases.api.serializers import StepSerializer
from karyosite.api_views import InputSerializer, ResourceSerializer, View, person


class Since(InputSerializer):
    since = serializers.IntegerField(min_value=0, max_value=MOST, help_text="The version that you show.")


class PresentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    initials = serializers.CharField()


class ChangesSerializer(ResourceSerializer):
    version = serializers.IntegerField(source="pulse.version", help_text="The newest; 0 while there is no karyogram.")
    accepted = serializers.BooleanField(source="pulse.accepted")
    editable = serializers.BooleanField(help_text="By you, now.")
    locked_because = serializers.CharField()
    can_undo = serializers.BooleanField()
    can_redo = serializers.BooleanField()
    steps = StepSerializer(many=True, help_text="Those after `since`, oldest first.")
    reload = serializers.BooleanField(help_text="Too far behind: load the karyogram instead of taking in the steps.")
    here = PresentSerializer(source="pulse.here", many=True, help_text="Others who have this cell open now.")
    comments = serializers.CharField(source="pulse.comments", help_text="Another word whenever a comment changes.")
    comments_open = serializers.IntegerField(source="pulse.comments_open")


class Changes(View):
    @extend_schema(
        parameters=[Since],
        responses={200: ChangesSerializer, 304: OpenApiResponse(description="Nothing has changed.")},
        operation_id="karyogram_changes",
        tags=["karyograms"],
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponseBase:
        """What others have changed since a version, and who is here.  Made to be asked often: send the `ETag` back
        as `If-None-Match`."""
        user = person(request)
        since = self.query(Since, request)["since"]
        now = together.pulse(user, pk)
        # What is asked for is part of what is answered: a page that took nothing in yet is not told "as before".
        etag = f'{now.etag[:-1]}-{since}"'
        unchanged = get_conditional_response(request, etag=etag)
        if unchanged is not None and unchanged.status_code == 304:
            return unchanged
        response = self.show(ChangesSerializer, together.changes(user, pk, since, now), request)
        response.headers["ETag"] = etag
        return response


class Presence(View):
    @extend_schema(request=None, responses={204: None}, operation_id="metaphase_presence", tags=["cells"])
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """You have this cell open now.  Say so every ten seconds while it is in view; then others see you there."""
        be_present(user=person(request), metaphase_id=pk)
        return Response(status=204)
