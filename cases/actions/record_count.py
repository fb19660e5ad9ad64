from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from cases.actions import rows, verbs
from cases.actions.karyogram_steps import summary
from cases.domain import standing, ticks
from cases.models import CellCount, Metaphase
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict, Invalid


@transaction.atomic
def record_count(
    *, user: User, metaphase_id: Any, ticks: list[Any], sure: bool, base_version: int, analysed: bool = False
) -> Metaphase:
    """Stores a person's count of a cell, a tick on each chromosome; a cell that was new is counted from then on.

    ticks: [[x, y], …], pixels of the image.  base_version: of the count that was seen, 0 where there was none.
    analysed: the chromosomes were analysed too.  The same count sent twice is stored once.
    Raises Conflict where someone else has counted meanwhile or the case is locked, Invalid for ticks that are none.
    """
    metaphase = rows.locked_metaphase(user, "record_count", metaphase_id)
    points = _points(metaphase, ticks)
    if type(sure) is not bool or type(analysed) is not bool or type(base_version) is not int:
        raise Invalid("A count says whether it is sure, and which count it was made on.")
    found = CellCount.objects.filter(metaphase=metaphase).first()
    known = (found.ticks, found.sure) if found else None
    if known != (points, sure):
        _must_be_newest(found, base_version)
        _store(user, metaphase, found, points, sure)
    _raise_standing(user, metaphase, analysed)
    return metaphase


def _points(metaphase: Metaphase, given: Any) -> list[list[float]]:
    try:
        return ticks.checked(given, metaphase.width, metaphase.height)
    except ticks.TicksRefused as refused:
        raise Invalid(refused.sentence, code="ticks-refused") from None


def _must_be_newest(found: CellCount | None, base_version: int) -> None:
    version = found.version if found else 0
    if base_version == version:
        return
    now = f"{found.counted_by_name} counted {found.number}" if found else "that count was taken away"
    raise Conflict(
        f"Someone else counted this cell meanwhile: {now}. Your count was not stored; look at theirs first.",
        code="stale-count",
        version=version,
        ticks=found.ticks if found else [],
        sure=found.sure if found else True,
    )


def _store(user: User, metaphase: Metaphase, found: CellCount | None, points: list[list[float]], sure: bool) -> None:
    old = {"number": found.number, "sure": found.sure, "ticks": found.ticks} if found else None
    count = found or CellCount(metaphase=metaphase, version=0)
    count.number, count.ticks, count.sure = len(points), points, sure
    count.version += 1
    count.counted_by, count.counted_by_name, count.counted_at = user, str(user), timezone.now()
    count.save(force_insert=found is None)
    metaphase.tally = count
    words = f"{count.number} chromosomes counted{'' if sure else ', not sure'}."
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.CELL_COUNTED,
        about=metaphase,
        case_id=metaphase.case_id,
        summary=summary(metaphase, words),
        old=old,
        new={"number": count.number, "sure": sure, "ticks": points},
    )


def _raise_standing(user: User, metaphase: Metaphase, analysed: bool) -> None:
    """Only upwards, and never out of exclusion: that is said in so many words, not by counting."""
    before = metaphase.own_standing
    after = standing.ANALYSED if analysed else standing.COUNTED
    if before == standing.NEW or (before == standing.COUNTED and analysed):
        metaphase.own_standing = after
        metaphase.save(update_fields=["own_standing"])
        record(
            laboratory=metaphase.case.laboratory,
            actor=user,
            verb=verbs.CELL_STANDING_SET,
            about=metaphase,
            case_id=metaphase.case_id,
            summary=summary(metaphase, f"{after}."),
            old={"standing": before},
            new={"standing": after},
        )
