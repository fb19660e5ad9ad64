"""Counting cells: a person's ticks, what has been done with a cell, and how a case's cells add up."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases import selectors
from cases.actions.record_count import record_count
from cases.actions.set_cell_standing import set_cell_standing
from cases.api import pixels
from cases.api.inputs import MOST
from cases.counting import case_sum, counting_state
from cases.domain import standing, ticks
from cases.models import CellStanding
from karyosite.api_views import InputSerializer, ResourceSerializer, View, person

TICKS: dict[str, Any] = {
    "type": "array",
    "maxItems": ticks.MOST_TICKS,
    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    "description": "[[x, y], …] in pixels of the image, one on each chromosome.",
}


@extend_schema_field(TICKS)
class TicksField(serializers.JSONField):
    """Only a list here; whether its points are ticks, the action says."""


class NewCount(InputSerializer):
    ticks = TicksField()
    sure = serializers.BooleanField(help_text="False where you are not certain of the number.")
    base_version = serializers.IntegerField(min_value=0, max_value=MOST, help_text="As GET gave it.")
    analysed = serializers.BooleanField(required=False, help_text="You analysed the chromosomes too.")


class NewStanding(InputSerializer):
    standing = serializers.ChoiceField(
        choices=standing.SETTABLE, help_text="`new` takes the count away. A cell is karyotyped by accepting it."
    )
    reason = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="Why it is excluded; needed for that."
    )


class CellCountSerializer(ResourceSerializer):
    metaphase = serializers.UUIDField(source="metaphase.pk")
    ordinal = serializers.IntegerField(source="metaphase.ordinal")
    original_name = serializers.CharField(source="metaphase.original_name")
    width = serializers.IntegerField(source="metaphase.width")
    height = serializers.IntegerField(source="metaphase.height")
    view_url = serializers.SerializerMethodField()
    ticks = TicksField()
    proposed = serializers.BooleanField(help_text="The ticks are the machine's; nobody has counted yet.")
    sure = serializers.BooleanField()
    base_version = serializers.IntegerField(help_text="To be sent with your count.")
    counted_by = serializers.CharField()
    counted_at = serializers.DateTimeField(allow_null=True)
    count = serializers.IntegerField(
        source="metaphase.chromosome_count", allow_null=True, help_text="A person's, else the accepted karyogram's."
    )
    karyogram_count = serializers.SerializerMethodField()
    differs = serializers.BooleanField(source="metaphase.count_differs", help_text="Count and karyogram disagree.")
    standing = serializers.ChoiceField(source="metaphase.standing", choices=CellStanding.choices)
    exclusion_reason = serializers.CharField(source="metaphase.exclusion_reason")
    editable = serializers.BooleanField(help_text="By you, now.")
    locked_because = serializers.CharField()

    def get_view_url(self, state: dict[str, Any]) -> str:
        return pixels.view_url(state["metaphase"])

    def get_karyogram_count(self, state: dict[str, Any]) -> int | None:
        karyogram = getattr(state["metaphase"], "karyogram", None)
        return karyogram.count if karyogram else None


class HowManySerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Chromosomes.")
    cells = serializers.IntegerField()


class ExclusionSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    cells = serializers.IntegerField()


class CellSumSerializer(ResourceSerializer):
    cells = serializers.IntegerField()
    counted = serializers.IntegerField(help_text="Analysed and karyotyped ones included.")
    analysed = serializers.IntegerField(help_text="Karyotyped ones included.")
    karyotyped = serializers.IntegerField()
    excluded = serializers.IntegerField()
    not_sure = serializers.IntegerField()
    differing = serializers.IntegerField(help_text="Cells whose count and karyogram disagree.")
    distribution = serializers.SerializerMethodField(help_text="Commonest count first; excluded cells left out.")
    exclusions = serializers.SerializerMethodField()
    summary = serializers.SerializerMethodField(help_text="The same in sentences, as the report has them.")

    @extend_schema_field(HowManySerializer(many=True))
    def get_distribution(self, found: standing.CellSum) -> list[dict[str, int]]:
        return [{"count": count, "cells": cells} for count, cells in found.distribution.items()]

    @extend_schema_field(ExclusionSerializer(many=True))
    def get_exclusions(self, found: standing.CellSum) -> list[dict[str, Any]]:
        return [{"reason": reason, "cells": cells} for reason, cells in found.reasons.items()]

    def get_summary(self, found: standing.CellSum) -> list[str]:
        return standing.in_words(found)


class Count(View):
    @extend_schema(responses=CellCountSerializer, operation_id="metaphase_count", tags=["metaphases"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """A cell's count, or the machine's chromosomes to start one from."""
        return self.show(CellCountSerializer, counting_state(person(request), pk), request)

    @extend_schema(
        request=NewCount, responses=CellCountSerializer, operation_id="metaphase_count_store", tags=["metaphases"]
    )
    def put(self, request: Request, pk: uuid.UUID) -> Response:
        """Stores your count.  Sent twice, it counts once.

        Where someone else has counted meanwhile: 409 with code `stale-count` and their ticks.
        """
        record_count(user=person(request), metaphase_id=pk, **self.read(NewCount, request))
        return self.get(request, pk)


class Standing(View):
    @extend_schema(
        request=NewStanding, responses=CellCountSerializer, operation_id="metaphase_standing", tags=["metaphases"]
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Says what has been done with the cell, or why it is excluded."""
        set_cell_standing(user=person(request), metaphase_id=pk, **self.read(NewStanding, request))
        return self.show(CellCountSerializer, counting_state(person(request), pk), request)


class CaseCounting(View):
    @extend_schema(responses=CellSumSerializer, operation_id="case_counting", tags=["cases"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """How many cells were counted, analysed, karyotyped and excluded, and which counts they show."""
        return self.show(CellSumSerializer, case_sum(selectors.metaphases(person(request), pk)), request)
