"""What the cell page's counting mode must know about the case's cells before it asks the API."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from cases.counting import others
from cases.domain.standing import EXCLUSION_REASONS
from cases.models import Metaphase


def counting_config(cells: list[Metaphase], here: Metaphase) -> dict[str, Any]:
    """cells: the case's, as selectors.metaphases gives them.  others: [[count, cells], …], commonest first."""
    return {
        "case": str(here.case_id),
        "cells": [_cell(cell) for cell in cells],
        "reasons": EXCLUSION_REASONS,
        "others": [list(pair) for pair in others(cells, here).items()],
        "counted": here.tally.number if hasattr(here, "tally") else None,
    }


def _cell(cell: Metaphase) -> dict[str, Any]:
    return {
        "id": str(cell.pk),
        "ordinal": cell.ordinal,
        "name": cell.original_name,
        "count": cell.chromosome_count,
        "sure": not hasattr(cell, "tally") or cell.tally.sure,
        "differs": cell.count_differs,
        "standing": cell.standing,
        "reason": cell.exclusion_reason,
        "page": reverse("cell", args=[cell.pk]),
        "countUrl": reverse("api:metaphase-count", args=[cell.pk]),
        "standingUrl": reverse("api:metaphase-standing", args=[cell.pk]),
    }
