from __future__ import annotations

from typing import Any

from django.db import transaction

from cases import history
from cases.actions import rows, verbs
from cases.actions.karyogram_steps import Applied, check_base, sent_before, summary, take_step
from cases.models import EditKind
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict


@transaction.atomic
def restore_version(*, user: User, metaphase_id: Any, base_version: int, version: int, client_key: str = "") -> Applied:
    """Brings back an earlier version as one new step, which can be undone like any other; nothing in between is lost.

    Raises Conflict where the base is stale, the case is locked, or that version is what stands already; NotFound for
    a version that there never was.
    """
    metaphase = rows.locked_metaphase(user, "edit_karyogram", metaphase_id)
    karyogram = rows.locked_karyogram(metaphase)
    repeated = sent_before(karyogram, client_key, EditKind.RESTORE)
    if repeated:
        return repeated
    check_base(karyogram, base_version)
    earlier = history.version_document(user, metaphase.pk, version)
    if earlier.document == karyogram.document:
        raise Conflict(f"The karyogram is as it was in version {version} already.", code="nothing-to-restore")
    step = take_step(
        karyogram,
        {"op": "replace", "document": earlier.document},
        kind=EditKind.RESTORE,
        author=user,
        client_key=client_key,
        restores=version,
    )
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.KARYOGRAM_RESTORED,
        about=karyogram,
        case_id=metaphase.case_id,
        summary=summary(metaphase, f"taken back to version {version}."),
        old={"version": step.version - 1},
        new={"version": step.version, "restores": version},
    )
    return Applied(karyogram, step)
