"""Cutting on demand in the API: the web process checks and asks; a worker that holds the models answers."""

from __future__ import annotations

import math
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases import policies, selectors
from cases.models import Metaphase
from karyosite import questions
from karyosite.api_views import InputSerializer, ResourceSerializer, View, person
from karyosite.errors import Invalid

MOST_POINTS = 64
MOST_RINGS, MOST_CORNERS = 64, 4000
LEAST_SIDE = 2.0  # pixels


class PairsField(serializers.ListField):
    """Lists of numbers, a fixed number each."""

    def __init__(self, length: int, **kwargs: Any) -> None:
        super().__init__(
            child=serializers.ListField(child=serializers.FloatField(), min_length=length, max_length=length), **kwargs
        )


class CutInput(InputSerializer):
    box = serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, required=False, allow_null=True, default=None,
        help_text="[x1, y1, x2, y2] around the chromosome, pixels of the original.",
    )  # fmt: skip
    points = PairsField(
        3, required=False, default=list, max_length=MOST_POINTS,
        help_text="[x, y, 1] for “this too”, [x, y, 0] for “not this”; pixels of the original.",
    )  # fmt: skip
    rings = serializers.ListField(
        child=PairsField(2, min_length=3, max_length=MOST_CORNERS),
        required=False, allow_null=True, default=None, max_length=MOST_RINGS,
        help_text="The present outline, to be refined by the points; polygons, filled even-odd.",
    )  # fmt: skip


class SegmenterSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField(allow_blank=True)


class CutSerializer(ResourceSerializer):
    rings = serializers.ListField(
        child=PairsField(2), help_text="The outline, as a karyogram document keeps it; pixels of the original."
    )
    box = serializers.ListField(child=serializers.FloatField(), help_text="[x1, y1, x2, y2] around the outline.")
    angle = serializers.FloatField(help_text="Degrees clockwise that turn it upright, p arm up.")
    axis = PairsField(2, allow_null=True, help_text="From the p end to the q end along the middle.")
    centromere = serializers.FloatField(allow_null=True, help_text="Share of the axis from the p end, 0 to 1.")
    score = serializers.FloatField(help_text="How sure the segmenter is of the outline, 0 to 1.")
    label = serializers.CharField(help_text="The likeliest class, or unknown.")  # type: ignore[assignment]
    probabilities = serializers.DictField(child=serializers.FloatField(), help_text="Of the likeliest classes.")
    segmenter = SegmenterSerializer()


class Cut(View):
    @extend_schema(operation_id="metaphases_cut", request=CutInput, responses=CutSerializer, tags=["karyograms"])
    def post(self, request: Request, metaphase_id: Any) -> Response:
        """Cuts out what a box, clicks, or clicks on a present outline point at.  Stores nothing: `add` or `reshape`
        in an edit does.  503 when no worker is free to do it."""
        user = person(request)
        metaphase = selectors.metaphase(user, metaphase_id)
        policies.require(user, "edit_karyogram", metaphase.case.laboratory)
        given = self.read(CutInput, request)
        question = checked(metaphase, given["box"], given["points"], given["rings"])
        return self.show(CutSerializer, questions.ask("inference.tasks.cut", question), request)


def checked(metaphase: Metaphase, box: Any, points: Any, rings: Any) -> dict[str, Any]:
    """The question for the worker.  Raises Invalid."""
    width, height = metaphase.width, metaphase.height
    numbers = [*(box or []), *(value for point in points for value in point)]
    numbers += [value for ring in rings or [] for corner in ring for value in corner]
    if not all(map(math.isfinite, numbers)):
        raise Invalid("A coordinate is not a number. Nothing was cut.", code="no-number")
    if box is not None:
        box = [max(0.0, box[0]), max(0.0, box[1]), min(float(width), box[2]), min(float(height), box[3])]
        if box[2] - box[0] < LEAST_SIDE or box[3] - box[1] < LEAST_SIDE:
            raise Invalid(
                "The box holds nothing of the picture: it lies outside, or has no area. Nothing was cut; "
                "draw it around the chromosome.",
                code="empty-box",
            )
    for x, y, this in points:
        if not (0 <= x <= width and 0 <= y <= height):
            raise Invalid("A click lies outside the picture. Nothing was cut.", code="outside")
        if this not in (0, 1):
            raise Invalid("A click says 1 (this too) or 0 (not this). Nothing was cut.", code="no-sign")
    if rings is not None:
        if sum(map(len, rings)) > MOST_CORNERS:
            raise Invalid(f"The outline has more than {MOST_CORNERS} points. Nothing was cut.", code="too-long")
        if not all(-1 <= x <= width + 1 and -1 <= y <= height + 1 for ring in rings for x, y in ring):
            raise Invalid("The outline reaches out of the picture. Nothing was cut.", code="outside")
    if box is None and not rings and not any(this for *_, this in points):
        raise Invalid(
            "Nothing was pointed at: send a box, a click on the chromosome, or its outline. Nothing was cut.",
            code="nothing-asked",
        )
    return {"metaphase": str(metaphase.pk), "box": box, "points": points, "rings": rings or None}
