"""The result as it emerges from a case's cells: counts, sex complements, and what is still missing."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from django.core.cache import cache
from django.utils import timezone

from cases.counting import case_sum
from cases.domain import karyogram as domain
from cases.domain.standing import EXCLUDED, CellSum, in_sum
from cases.models import AnalysisState, Karyogram, Metaphase

_WORKING = (AnalysisState.QUEUED, AnalysisState.RUNNING)
_PACE_WINDOW = datetime.timedelta(minutes=10)
_KEPT_S = 3600


@dataclass(frozen=True)
class Finding:
    """Cells that show the same thing.  accepted: how many of them a person accepted."""

    words: str
    cells: int
    accepted: int


@dataclass(frozen=True)
class Emerging:
    """Numbers over the cells of one case; `counts` and `complements` are of the `shown` cells, commonest first.

    shown: cells with a count or a karyogram, excluded ones left out.  sum: what people have done with the cells.
    """

    cells: int = 0
    analysed: int = 0
    shown: int = 0
    sum: CellSum = field(default_factory=lambda: in_sum([]))
    accepted: int = 0
    working: int = 0
    failed: int = 0
    doubts: int = 0
    seconds_left: int | None = None
    counts: list[Finding] = field(default_factory=list)
    complements: list[Finding] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    blockers: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def finished(self) -> int:
        return self.cells - self.working


def emerging(cells: list[Metaphase]) -> Emerging:
    """Reads each karyogram's document once per version, then remembers the few words of it that are needed here."""
    drawn = [(cell, cell.karyogram) for cell in cells if hasattr(cell, "karyogram")]
    words = _words([karyogram for _, karyogram in drawn])
    counts: dict[str, list[bool]] = {}
    complements: dict[str, list[bool]] = {}
    models: list[str] = []
    shown = [cell for cell in cells if cell.standing != EXCLUDED]
    for cell in shown:
        # What a person counted goes before what is drawn; a mere proposal stands for a cell that nobody counted.
        number = cell.chromosome_count
        if number is not None or hasattr(cell, "karyogram"):
            proposed = cell.karyogram.count if number is None else number
            counts.setdefault(str(proposed), []).append(number is not None)
    for cell, karyogram in drawn:
        complement, used = words[_key(karyogram)]
        if cell.standing != EXCLUDED:
            complements.setdefault(complement or "neither X nor Y", []).append(cell.accepted_at is not None)
        models.extend(name for name in used if name not in models)
    working = sum(cell.analysis_state in _WORKING for cell in cells)
    failed = sum(cell.analysis_state == AnalysisState.FAILED for cell in cells)
    accepted_cells = sum(cell.accepted_at is not None for cell in cells)
    kept = [(cell, karyogram) for cell, karyogram in drawn if cell.standing != EXCLUDED]
    doubts = sum(karyogram.doubts for _, karyogram in kept)
    return Emerging(
        cells=len(cells),
        analysed=len(drawn),
        shown=sum(len(marks) for marks in counts.values()),
        sum=case_sum(cells),
        accepted=accepted_cells,
        working=working,
        failed=failed,
        doubts=doubts,
        seconds_left=_seconds_left([karyogram for _, karyogram in drawn], working),
        counts=_findings(counts),
        complements=_findings(complements),
        models=models,
        blockers=_blockers(len(cells), accepted_cells, working),
        remarks=_remarks(len(kept), accepted_cells, failed, doubts),
    )


def _findings(groups: dict[str, list[bool]]) -> list[Finding]:
    found = [Finding(words, len(marks), sum(marks)) for words, marks in groups.items()]
    return sorted(found, key=lambda finding: (-finding.cells, finding.words))


def _key(karyogram: Karyogram) -> str:
    return f"karyogram-words:{karyogram.pk}:{karyogram.version}"


def _words(karyograms: list[Karyogram]) -> dict[str, tuple[str, list[str]]]:
    """Cache key → (sex complement, models used).  Keyed by version, so a changed karyogram is read again."""
    known: dict[str, tuple[str, list[str]]] = cache.get_many([_key(one) for one in karyograms])
    unread = [one.pk for one in karyograms if _key(one) not in known]
    if unread:
        fresh = {}
        for one in Karyogram.objects.filter(pk__in=unread).only("version", "document").iterator(chunk_size=20):
            used = [_model_words(model) for model in one.document.get("models", [])]
            fresh[_key(one)] = (domain.sex_complement(one.document), used)
        cache.set_many(fresh, _KEPT_S)
        known |= fresh
    # A karyogram may have moved on between the two reads: its older version then says nothing.
    return {_key(one): known.get(_key(one), ("", [])) for one in karyograms}


def _model_words(model: dict[str, str]) -> str:
    return " ".join(part for part in (model.get("role", ""), model.get("name", ""), model.get("version", "")) if part)


def _seconds_left(karyograms: list[Karyogram], working: int) -> int | None:
    """From the pace of the cells that finished lately; None before there is a pace."""
    since = timezone.now() - _PACE_WINDOW
    times = sorted(one.created_at for one in karyograms if one.created_at > since)
    if working == 0 or len(times) < 2:
        return None
    pace = (times[-1] - times[0]).total_seconds() / (len(times) - 1)
    return max(1, round(pace * working))


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number} cells"


def _blockers(cells: int, accepted: int, working: int) -> list[str]:
    """What submit_case would refuse, said before it is tried."""
    found = []
    if not cells:
        found.append("No metaphase has been added yet.")
    elif not accepted:
        found.append("No cell is accepted yet. Open a cell, check it, and accept it.")
    if working:
        found.append(f"{_cells(working)} {'is' if working == 1 else 'are'} still being analysed.")
    return found


def _remarks(analysed: int, accepted: int, failed: int, doubts: int) -> list[str]:
    """Worth knowing, but no obstacle."""
    found = []
    if doubts:
        found.append(f"{doubts} {'doubt' if doubts == 1 else 'doubts'} not looked at.")
    if analysed > accepted > 0:
        found.append(f"{_cells(analysed - accepted)} analysed, not accepted.")
    if failed:
        found.append(f"{_cells(failed)} could not be analysed.")
    return found
