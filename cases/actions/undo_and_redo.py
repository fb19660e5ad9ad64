"""What undo and redo share: one takes back the newest standing change, the other the newest undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from django.db import transaction

from cases.actions import rows
from cases.actions.karyogram_steps import Applied, check_base, sent_before, summary, take_step
from cases.models import EditKind, KaryogramEdit
from cases.selectors import standing_steps
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict


@dataclass(frozen=True)
class Way:
    kind: EditKind
    steps: Literal["undo", "redo"]
    verb: str
    done: str  # as in "the change of version 3 taken back"


@transaction.atomic
def step_karyogram(way: Way, *, user: User, metaphase_id: Any, base_version: int, client_key: str) -> Applied:
    """Raises Conflict where the base is stale, the case is locked, or there is nothing to step over."""
    metaphase = rows.locked_metaphase(user, "edit_karyogram", metaphase_id)
    karyogram = rows.locked_karyogram(metaphase)
    repeated = sent_before(karyogram, client_key, way.kind)
    if repeated:
        return repeated
    check_base(karyogram, base_version)
    standing = getattr(standing_steps(karyogram), way.steps)
    if not standing:
        raise Conflict(f"There is nothing to {way.steps}.", code=f"nothing-to-{way.steps}")
    target = KaryogramEdit.objects.get(karyogram=karyogram, version=standing[-1])
    step = take_step(
        karyogram,
        target.inverse,
        kind=way.kind,
        author=user,
        client_key=client_key,
        undoes=target.version,
    )
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=way.verb,
        about=karyogram,
        case_id=metaphase.case_id,
        summary=summary(metaphase, f"the change of version {target.version} {way.done}."),
        old={"version": step.version - 1},
        new={"version": step.version, "undoes": target.version},
    )
    return Applied(karyogram, step)
