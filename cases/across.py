"""One class of chromosomes through all cells of a case: which homologues each cell has, and how large they stand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from cases import selectors
from cases.domain.karyogram_document import AUTOSOMES, LABELS
from cases.domain.standing import EXCLUDED, commonest_first
from cases.models import Case, Karyogram, Metaphase
from cases.reports import straight
from cases.reports.geometry import turned
from karyosite.accounts.models import User

_TALLEST_PX = 190  # of the page, for tall homologues
_ROWS = 64  # looked at for the width of a straightened one
_MOST_SCALE = 2.4  # beyond this, small ones are only blur


@dataclass(frozen=True)
class Homologue:
    """width, height: CSS pixels at the page's one scale.  words: what a reader who does not see it is told."""

    id: str
    width: int
    height: int
    doubtful: bool
    words: str


@dataclass(frozen=True)
class CellOfClass:
    cell: Metaphase
    version: int
    homologues: list[Homologue]
    odd: bool


@dataclass(frozen=True)
class Across:
    """rows: the cells in order.  counts: homologues of this class → cells, commonest first.

    odd_classes: classes in which a cell does not have what is usual.  typical: the median height, CSS pixels.
    """

    label: str
    rows: list[CellOfClass]
    counts: dict[int, int]
    odd_classes: set[str]
    typical: int
    karyotyped: int
    analysed: int


def across(user: User, case: Case, label: str, *, everything: bool) -> Across:
    """label: one of LABELS.  everything: proposals that nobody has accepted too; excluded cells never."""
    drawn = [
        cell for cell in selectors.metaphases(user, case) if hasattr(cell, "karyogram") and cell.standing != EXCLUDED
    ]
    shown = [cell for cell in drawn if everything or cell.accepted_at is not None]
    documents = dict(Karyogram.objects.filter(metaphase__in=shown).values_list("metaphase_id", "document"))
    members = {cell.pk: _by_class(documents[cell.pk]) for cell in shown if cell.pk in documents}
    usual = {one: _usual(one, [len(found.get(one, [])) for found in members.values()]) for one in LABELS}
    sizes = {(cell.pk, one["id"]): _size(one) for cell in shown for one in members.get(cell.pk, {}).get(label, [])}
    heights = [height for _, height in sizes.values()]
    # One monster of a wrong cut must not shrink the others to dots.
    scale = min(_MOST_SCALE, _TALLEST_PX / float(np.percentile(heights, 95))) if heights else 1.0
    rows = [
        CellOfClass(
            cell=cell,
            version=cell.karyogram.version,
            homologues=[
                _homologue(one, place, cell, sizes[cell.pk, one["id"]], scale)
                for place, one in enumerate(members[cell.pk].get(label, []), 1)
            ],
            odd=len(members[cell.pk].get(label, [])) != usual[label],
        )
        for cell in shown
        if cell.pk in members
    ]
    return Across(
        label=label,
        rows=rows,
        counts=commonest_first(Counter(len(row.homologues) for row in rows)),
        odd_classes={one for one in LABELS if any(len(found.get(one, [])) != usual[one] for found in members.values())},
        typical=round(float(np.median(heights)) * scale) if heights else 0,
        karyotyped=sum(cell.accepted_at is not None for cell in drawn),
        analysed=len(drawn),
    )


def _by_class(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(document["chromosomes"], key=lambda one: one["order"]):
        if one["state"] == "present":
            found.setdefault(one["label"], []).append(one)
    return found


def _usual(label: str, counts: list[int]) -> int:
    """Two of an autosome, no marker; of X and Y what most of the cells have."""
    if label in AUTOSOMES:
        return 2
    if label not in ("X", "Y"):
        return 0
    return next(iter(commonest_first(Counter(counts))), 0)


def _size(chromosome: dict[str, Any]) -> tuple[float, float]:
    """Width and height once upright, pixels of the original, as `geometry.upright` draws it."""
    if straight.is_straightened(chromosome):
        sides = straight.frame(chromosome, _ROWS)
        return float(sides.left.max() + sides.right.max()), straight.length(chromosome)
    x1, y1, x2, y2 = chromosome["box"]
    rings = [ring for ring in chromosome["rings"] if len(ring) >= 3] or [[[x1, y1], [x2, y1], [x2, y2], [x1, y2]]]
    points = np.concatenate([np.asarray(ring, np.float64) for ring in rings])
    spread = np.ptp(turned(points, float(chromosome["angle"]), bool(chromosome["flip"])), axis=0)
    return float(spread[0]), float(spread[1])


def _homologue(
    chromosome: dict[str, Any], place: int, cell: Metaphase, size: tuple[float, float], scale: float
) -> Homologue:
    label = chromosome["label"]
    named = "unclassified chromosome" if label == "unknown" else f"chromosome {label}"
    doubtful = bool(chromosome["flags"]) and not chromosome["reviewed"]
    why = f", doubtful: {'; '.join(chromosome['flags'])}" if doubtful else ""
    return Homologue(
        id=chromosome["id"],
        width=max(4, round(size[0] * scale)),
        height=max(4, round(size[1] * scale)),
        doubtful=doubtful,
        words=f"Cell {cell.ordinal}, {named}, copy {place}{why}",
    )
