"""Earlier versions of a karyogram, and who decided what about each chromosome."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases import history, selectors
from cases.actions.restore_version import restore_version
from cases.api.inputs import KeyedStep
from cases.api.karyograms import KaryogramView, StepInHistorySerializer
from cases.api.serializers import AppliedSerializer, StepSerializer
from cases.domain import karyogram as domain
from cases.models import KaryogramEdit
from karyosite.api import KeysetPagination
from karyosite.api_views import ResourceSerializer, View, person


class NewestVersionFirst(KeysetPagination):
    ordering: Any = ("-version",)


class ListedStepSerializer(StepInHistorySerializer):
    """A step without the document that it brought: from the newest backwards, the inverses alone lead everywhere."""

    edit = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="A whole document stands here without its content."
    )

    def get_edit(self, step: KaryogramEdit) -> dict[str, Any]:
        edit: dict[str, Any] = step.edit
        return {"op": "replace"} if edit["op"] == "replace" else edit


class VersionSerializer(ResourceSerializer):
    version = serializers.IntegerField()
    newest = serializers.IntegerField(help_text="The version that stands now.")
    document = serializers.DictField(help_text="`karyosite.karyogram/1`, as it was at this version.")
    count = serializers.IntegerField(help_text="Chromosomes present, debris left out.")
    sex_complement = serializers.CharField()
    doubts = serializers.IntegerField()
    step = StepSerializer(help_text="The step that made this version.")


class DecisionSerializer(serializers.Serializer[Any]):
    what = serializers.ChoiceField(choices=["named", "turned", "outlined", "reviewed"])
    by = serializers.CharField()
    at = serializers.DateTimeField()
    version = serializers.IntegerField(help_text="The version that the decision made.")


class ChromosomeOriginSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    decisions = DecisionSerializer(many=True)


class OriginsSerializer(ResourceSerializer):
    version = serializers.IntegerField()
    chromosomes = ChromosomeOriginSerializer(
        many=True, help_text="Those about which a person decided something; the rest is the machine's."
    )


class Versions(View):
    pagination_class = NewestVersionFirst

    @extend_schema(responses=ListedStepSerializer(many=True), operation_id="karyogram_versions", tags=["karyograms"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Every version by the step that made it, newest first."""
        return self.page(ListedStepSerializer, history.newest_steps(person(request), pk), request)


class Version(View):
    @extend_schema(responses=VersionSerializer, operation_id="karyogram_version", tags=["karyograms"])
    def get(self, request: Request, pk: uuid.UUID, version: int) -> Response:
        """The karyogram as it was at one version."""
        found = history.version_document(person(request), pk, version)
        answer = {
            **found._asdict(),
            "count": domain.count(found.document),
            "sex_complement": domain.sex_complement(found.document),
            "doubts": domain.doubts(found.document),
        }
        return self.show(VersionSerializer, answer, request)


class Restore(KaryogramView):
    @extend_schema(
        request=KeyedStep, responses=AppliedSerializer, operation_id="karyogram_restore", tags=["karyograms"]
    )
    def post(self, request: Request, pk: uuid.UUID, version: int) -> Response:
        """Brings back an earlier version as one new step; it can be undone, and nothing in between is lost."""
        step = restore_version(user=person(request), metaphase_id=pk, version=version, **self.read(KeyedStep, request))
        return self.applied(step, request)


class Origins(View):
    @extend_schema(responses=OriginsSerializer, operation_id="karyogram_origins", tags=["karyograms"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Which person decided what about each chromosome, and when."""
        karyogram = selectors.karyogram(person(request), pk)
        found = history.origins(person(request), pk)
        answer = {
            "version": karyogram.version,
            "chromosomes": [{"id": one, "decisions": [d._asdict() for d in made]} for one, made in found.items()],
        }
        return self.show(OriginsSerializer, answer, request)
