"""How a case's and a cell's addresses find their record: through the selectors, so that a stranger gets 404."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from karyosite.api import KeysetPagination

JOB_LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, response=[202], description="The analysis job to watch."
)


class InOrder(KeysetPagination):
    """Cells by their number in the case."""

    ordering: Any = ("ordinal",)


class ByVersion(KeysetPagination):
    """A karyogram's steps, oldest first."""

    ordering: Any = ("version",)


class ByRound(KeysetPagination):
    """A case's reports, oldest first."""

    ordering: Any = ("submitted_at", "id")


class OldestFirst(KeysetPagination):
    ordering: Any = ("created_at", "id")
