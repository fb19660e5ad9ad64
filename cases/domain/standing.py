"""What has been done with a cell: counted, analysed, karyotyped, or left out with a reason; and a case's cells in sum.

Laboratories report cells cumulatively: a karyotyped cell has been analysed, an analysed one counted.  An excluded cell
is none of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NEW, COUNTED, ANALYSED, KARYOTYPED, EXCLUDED = "new", "counted", "analysed", "karyotyped", "excluded"
# A person sets these; a cell is karyotyped by accepting its karyogram, and in no other way.
SETTABLE = (NEW, COUNTED, ANALYSED, EXCLUDED)
EXCLUSION_REASONS = (
    "Chromosomes overlap too much",
    "Incomplete or broken spread",
    "Two cells in one picture",
    "Bands cannot be read",
    "Out of focus",
    "The same cell as another picture",
)


def standing(own: str, accepted: bool) -> str:
    """own: what a person set, one of SETTABLE.  accepted: a person has accepted the cell's karyogram."""
    if own == EXCLUDED:
        return EXCLUDED
    return KARYOTYPED if accepted else own


def number(counted: int | None, karyogram: int | None, accepted: bool) -> int | None:
    """A cell's chromosome count: what a person counted, else the accepted karyogram's; a mere proposal is none."""
    if counted is not None:
        return counted
    return karyogram if accepted else None


def differs(counted: int | None, karyogram: int | None) -> bool:
    """Whether a person's count and the karyogram disagree: a doubt, whoever is right."""
    return counted is not None and karyogram is not None and counted != karyogram


@dataclass(frozen=True)
class CellFacts:
    """One cell, as the sum needs it.  number: as `number` gives it.  sure: False where a person was not."""

    standing: str
    number: int | None = None
    sure: bool = True
    differs: bool = False
    reason: str = ""


@dataclass(frozen=True)
class CellSum:
    """A case's cells.  distribution: chromosome count → cells that show it, commonest first; excluded cells left out.

    counted includes analysed, and analysed includes karyotyped.  reasons: why cells were excluded → how many.
    """

    cells: int
    counted: int
    analysed: int
    karyotyped: int
    excluded: int
    not_sure: int
    differing: int
    distribution: dict[int, int]
    reasons: dict[str, int]


def in_sum(cells: Iterable[CellFacts]) -> CellSum:
    every = list(cells)
    kept = [cell for cell in every if cell.standing != EXCLUDED]
    done = Counter(cell.standing for cell in kept)
    # A count is worth no more than the work that stands behind it: an untouched cell shows nothing yet.
    counts = Counter(cell.number for cell in kept if cell.number is not None and cell.standing != NEW)
    left_out = [cell for cell in every if cell.standing == EXCLUDED]
    return CellSum(
        cells=len(every),
        counted=done[COUNTED] + done[ANALYSED] + done[KARYOTYPED],
        analysed=done[ANALYSED] + done[KARYOTYPED],
        karyotyped=done[KARYOTYPED],
        excluded=len(left_out),
        not_sure=sum(not cell.sure for cell in kept if cell.number is not None),
        differing=sum(cell.differs for cell in kept),
        distribution=commonest_first(counts),
        reasons=commonest_first(Counter(cell.reason or "No reason given" for cell in left_out)),
    )


def commonest_first(counts: Counter[Any]) -> dict[Any, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def in_words(found: CellSum) -> list[str]:
    """The sum as sentences for a report's reader, without what is nought."""
    said = [f"{_cells(found.counted)} counted, {found.analysed} analysed, {found.karyotyped} karyotyped."]
    if found.distribution:
        said.append(distribution_words(found.distribution) + ".")
    if found.not_sure:
        said.append(f"Count not certain in {_cells(found.not_sure)}.")
    if found.differing:
        said.append(f"Count and karyogram differ in {_cells(found.differing)}.")
    if found.excluded:
        why = ", ".join(f"{reason[0].lower()}{reason[1:]} ({number})" for reason, number in found.reasons.items())
        said.append(f"{_cells(found.excluded)} excluded: {why}.")
    return said


def distribution_words(distribution: dict[int, int]) -> str:
    """ "46 chromosomes in 19 cells, 45 in 1 cell" """
    parts = [
        f"{number}{' chromosomes' if place == 0 else ''} in {_cells(cells)}"
        for place, (number, cells) in enumerate(distribution.items())
    ]
    return ", ".join(parts)


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"
