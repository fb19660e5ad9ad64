"""Reading counts: what counting a cell starts from, and how the cells of a case add up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cases import policies, selectors
from cases.domain import standing, states, ticks
from cases.models import CellCount, Karyogram, Metaphase
from karyosite.accounts.models import User
from karyosite.errors import Forbidden


def counting_state(user: User, metaphase_id: Any) -> dict[str, Any]:
    """All that a person needs to count one cell.

    ticks: the person's own count where there is one, else the machine's chromosomes, one tick each (`proposed`).
    base_version: to be sent with the next count.  NotFound for what the user may not see.
    """
    cell = selectors.metaphase(user, metaphase_id)
    tally = CellCount.objects.filter(metaphase=cell).first()
    drawn = Karyogram.objects.filter(metaphase=cell).only("document").first() if tally is None else None
    locked = states.locked_because(cell.case.state)
    try:
        policies.require(user, "record_count")
    except Forbidden as refusal:
        locked = refusal.sentence
    return {
        "metaphase": cell,
        "ticks": tally.ticks if tally else ticks.proposed(drawn.document) if drawn else [],
        "proposed": tally is None,
        "sure": tally.sure if tally else True,
        "base_version": tally.version if tally else 0,
        "counted_by": tally.counted_by_name if tally else "",
        "counted_at": tally.counted_at if tally else None,
        "editable": not locked,
        "locked_because": locked,
    }


def facts(cell: Metaphase) -> standing.CellFacts:
    """cell: as selectors.metaphases gives it."""
    return standing.CellFacts(
        standing=cell.standing,
        number=cell.chromosome_count,
        sure=not hasattr(cell, "tally") or cell.tally.sure,
        differs=cell.count_differs,
        reason=cell.exclusion_reason,
    )


def case_sum(cells: Iterable[Metaphase]) -> standing.CellSum:
    return standing.in_sum(facts(cell) for cell in cells)
