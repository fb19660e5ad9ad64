"""What the pages show of counting: the cell page's counting mode, and the case page's filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

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


SUREST = "surest"
_ORDERS = (("", "As added"), (SUREST, "Surest first"))


@dataclass(frozen=True)
class Shown:
    """Which cells a case page shows, and how ordered.  standing: one of CellStanding, or all.  order: SUREST, or as
    they were added."""

    standing: str = ""
    order: str = ""

    @classmethod
    def asked(cls, request: HttpRequest) -> Shown:
        """A fragment asked for by the page keeps what the page itself shows."""
        asked: Mapping[str, str] = request.GET.dict()
        htmx = getattr(request, "htmx", None)
        if not asked and htmx and request.method == "POST":
            asked = dict(parse_qsl(urlsplit(htmx.current_url or "").query))
        standing, order = asked.get("standing", ""), asked.get("order", "")
        return cls(standing if standing in CellStanding.values else "", order if order == SUREST else "")

    @property
    def query(self) -> str:
        """As it stands in an address; empty where all are shown as added."""
        said = {name: value for name, value in (("standing", self.standing), ("order", self.order)) if value}
        return f"?{urlencode(said)}" if said else ""

    def of(self, cells: list[Metaphase]) -> list[Metaphase]:
        """cells: the case's, as selectors.metaphases gives them."""
        kept = [cell for cell in cells if cell.standing == self.standing] if self.standing else cells
        return sorted(kept, key=_what_it_needs) if self.order == SUREST else kept


def _what_it_needs(cell: Metaphase) -> tuple[bool, bool, float]:
    """Those that wait to be checked come first, by what they are likely to need; then those that a person has answered
    for; what was excluded or has no karyogram last."""
    drawn = hasattr(cell, "karyogram")
    done = cell.standing == CellStanding.EXCLUDED or not drawn
    return done, cell.accepted_at is not None, cell.karyogram.expected_corrections if drawn else 0.0


def standings(cells: list[Metaphase], shown: Shown) -> list[dict[str, Any]]:
    """The filters above the cells, each with how many cells it shows."""
    many = Counter(cell.standing for cell in cells)
    each = [("", "All", len(cells)), *((name, words, many[name]) for name, words in CellStanding.choices)]
    return [
        {"name": name, "words": words, "cells": count, "query": replace(shown, standing=name).query}
        for name, words, count in each
    ]


def orders(shown: Shown) -> list[dict[str, str]]:
    return [{"name": name, "words": words, "query": replace(shown, order=name).query} for name, words in _ORDERS]


def count_from(cells: list[Metaphase]) -> Metaphase | None:
    """Where counting goes on: the first cell that nobody has counted, else the first."""
    return next((cell for cell in cells if cell.standing == CellStanding.NEW), cells[0] if cells else None)
