"""What the pages show of counting: the cell page's counting mode, and the case page's filters."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.http import HttpRequest
from django.urls import reverse

from cases.domain.standing import EXCLUSION_REASONS
from cases.models import CellStanding, Metaphase


def counting_config(cells: list[Metaphase], here: Metaphase) -> dict[str, Any]:
    """cells: the case's, as selectors.metaphases gives them."""
    return {
        "case": str(here.case_id),
        "cells": [_cell(cell) for cell in cells],
        "reasons": EXCLUSION_REASONS,
    }


def _cell(cell: Metaphase) -> dict[str, Any]:
    return {
        "id": str(cell.pk),
        "ordinal": cell.ordinal,
        "name": cell.original_name,
        "count": cell.chromosome_count,
        "counted": cell.tally.number if hasattr(cell, "tally") else None,
        "sure": not hasattr(cell, "tally") or cell.tally.sure,
        "differs": cell.count_differs,
        "standing": cell.standing,
        "reason": cell.exclusion_reason,
        "page": reverse("cell", args=[cell.pk]),
        "countUrl": reverse("api:metaphase-count", args=[cell.pk]),
        "standingUrl": reverse("api:metaphase-standing", args=[cell.pk]),
    }


def asked_standing(request: HttpRequest) -> str:
    """The standing that the cells are filtered by; a fragment asked for by the page keeps the page's own filter."""
    asked = request.GET.get("standing", "")
    htmx = getattr(request, "htmx", None)
    if not asked and htmx and request.method == "POST":
        asked = parse_qs(urlsplit(htmx.current_url or "").query).get("standing", [""])[0]
    return asked if asked in CellStanding.values else ""


def standings(cells: list[Metaphase]) -> list[dict[str, Any]]:
    """The filters above the cells, each with how many cells it shows."""
    many = Counter(cell.standing for cell in cells)
    each = [{"name": name, "words": words, "cells": many[name]} for name, words in CellStanding.choices]
    return [{"name": "", "words": "All", "cells": len(cells)}, *each]


def count_from(cells: list[Metaphase]) -> Metaphase | None:
    """Where counting goes on: the first cell that nobody has counted, else the first."""
    return next((cell for cell in cells if cell.standing == CellStanding.NEW), cells[0] if cells else None)
