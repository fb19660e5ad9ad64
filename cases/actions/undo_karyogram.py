from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.karyogram_steps import Applied, check_base, sent_before, summary, take_step
from cases.models import EditKind, KaryogramEdit
from cases.selectors import standing_steps
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict


@transaction.atomic
def undo_karyogram(*, user: User, metaphase_id: Any, base_version: int, client_key: str = "") -> Applied:
    """Takes back the newest change that still stands, as a new step: history only grows.

    Raises Conflict where the base is stale, the case is locked, or there is nothing to undo.
    """
    metaphase = rows.locked_metaphase(user, "edit_karyogram", metaphase_id)
    karyogram = rows.locked_karyogram(metaphase)
    repeated = sent_before(karyogram, client_key, EditKind.UNDO)
    if repeated:
        return repeated
    check_base(karyogram, base_version)
    standing = standing_steps(karyogram).undo
    if not standing:
        raise Conflict("There is nothing to undo.", code="nothing-to-undo")
    target = KaryogramEdit.objects.get(karyogram=karyogram, version=standing[-1])
    step = take_step(
        karyogram,
        target.inverse,
        kind=EditKind.UNDO,
        author=user,
        client_key=client_key,
        undoes=target.version,
    )
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.KARYOGRAM_UNDONE,
        about=karyogram,
        case_id=metaphase.case_id,
        summary=summary(metaphase, f"the change of version {target.version} taken back."),
        old={"version": step.version - 1},
        new={"version": step.version, "undoes": target.version},
    )
    return Applied(karyogram, step)
