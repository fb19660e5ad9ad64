"""People at one cell at the same time: who is there, what has changed since, and what they say to each other."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Max, QuerySet
from django.utils import timezone

from cases import policies, selectors
from cases.domain import states
from cases.models import Case, Comment, Karyogram, KaryogramEdit, Metaphase, Presence
from cases.selectors import NOTHING_HERE, _uuid
from karyosite.accounts.models import User
from karyosite.errors import Forbidden, NotFound

HERE = datetime.timedelta(seconds=16)  # pages say that they are there every ten seconds
MOST_STEPS = 50  # further behind, a page loads the whole karyogram


@dataclass(frozen=True)
class Person:
    id: int
    name: str

    @property
    def initials(self) -> str:
        """ "Tess Okafor" → "TO"; one word gives its first two letters."""
        words = self.name.split()
        return (words[0][0] + words[-1][0] if len(words) > 1 else self.name[:2]).upper()


@dataclass(frozen=True)
class Pulse:
    """What a page asks for every moment; no document is read.  version: 0 while there is no karyogram."""

    version: int
    accepted: bool
    state: str
    right: str  # why this user may not edit at all; empty where they may
    comments: str  # changes whenever a comment is added, resolved or reopened
    comments_open: int
    here: list[Person]

    @property
    def etag(self) -> str:
        people = ",".join(f"{one.id}:{one.name}" for one in self.here)
        said = f"{self.version}|{self.accepted}|{self.state}|{self.right}|{self.comments}|{people}"
        return f'"{hashlib.sha256(said.encode()).hexdigest()[:24]}"'


@dataclass(frozen=True)
class Changes:
    """steps: those after `since`, oldest first; complete only while `reload` is false."""

    pulse: Pulse
    can_undo: bool = False
    can_redo: bool = False
    reload: bool = False
    steps: list[KaryogramEdit] = field(default_factory=list)

    @property
    def editable(self) -> bool:
        return self.locked_because == ""

    @property
    def locked_because(self) -> str:
        return self.pulse.right or states.locked_because(self.pulse.state)


def pulse(user: User, metaphase_id: Any) -> Pulse:
    """Three small queries.  Raises NotFound."""
    laboratory = policies.require(user, "view").laboratory
    row = (
        Metaphase.objects.filter(case__laboratory=laboratory, pk=_uuid(metaphase_id))
        .values("pk", "accepted_at", "case__state", "karyogram__version")
        .first()
    )
    if row is None:
        raise NotFound(NOTHING_HERE)
    said = Comment.objects.filter(metaphase=row["pk"]).aggregate(
        number=Count("pk"), closed=Count("resolved_at"), last=Max("changed_at")
    )
    there = (
        Presence.objects.filter(metaphase=row["pk"], seen_at__gt=timezone.now() - HERE)
        .exclude(user=user)
        .select_related("user")
        .order_by("user_id")
    )
    return Pulse(
        version=row["karyogram__version"] or 0,
        accepted=row["accepted_at"] is not None,
        state=row["case__state"],
        right=_no_right(user),
        comments=f"{said['number']}-{said['last'].isoformat() if said['last'] else ''}",
        comments_open=said["number"] - said["closed"],
        here=[Person(one.user_id, str(one.user)) for one in there],
    )


def _no_right(user: User) -> str:
    try:
        policies.require(user, "edit_karyogram")
    except Forbidden as refusal:
        return refusal.sentence
    return ""


def changes(user: User, metaphase_id: Any, since: int, now: Pulse) -> Changes:
    """What a page that shows version `since` has to take in; `now` as `pulse` has just given it.

    A page that is too far behind, or ahead of what is stored, is told to load everything.
    """
    if not now.version:
        return Changes(now)
    karyogram = Karyogram.objects.only("pk").get(metaphase=_uuid(metaphase_id))
    standing = selectors.standing_steps(karyogram)
    behind = now.version - since
    steps: list[KaryogramEdit] = []
    if 0 < behind <= MOST_STEPS:
        found = KaryogramEdit.objects.filter(karyogram=karyogram, version__gt=since, version__lte=now.version)
        steps = list(found.order_by("version"))
    return Changes(
        now,
        can_undo=bool(standing.undo),
        can_redo=bool(standing.redo),
        reload=not 0 <= behind <= MOST_STEPS,
        steps=steps,
    )


def comments(user: User, metaphase_id: Any) -> QuerySet[Comment]:
    """What was said about a cell, oldest first."""
    cell = selectors.metaphase(user, metaphase_id)
    return _comments().filter(metaphase=cell)


def comment(user: User, comment_id: Any) -> Comment:
    laboratory = policies.require(user, "view").laboratory
    found = _comments().filter(metaphase__case__laboratory=laboratory, pk=_uuid(comment_id)).first()
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


def open_comments(user: User, case: Case) -> QuerySet[Comment]:
    """What is still open in a case, cell by cell.  Raises NotFound for another laboratory's."""
    cells = selectors.metaphases(user, case)
    return (
        _comments()
        .filter(metaphase__in=cells.order_by().values("pk"), resolved_at=None)
        .order_by("metaphase__ordinal", "created_at", "id")
    )


def _comments() -> QuerySet[Comment]:
    return Comment.objects.select_related("metaphase__case", "author").annotate(cell=F("metaphase__ordinal"))
