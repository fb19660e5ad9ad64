from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.karyogram_steps import check_base, summary, withdraw_acceptance
from cases.models import Metaphase
from karyosite.accounts.models import User
from karyosite.audit.record import record


@transaction.atomic
def reopen_karyogram(*, user: User, metaphase_id: Any, base_version: int) -> Metaphase:
    """Withdraws the acceptance of a cell; one that is not accepted stays as it is.

    Raises Conflict where the base is stale or the case is locked.
    """
    metaphase = rows.locked_metaphase(user, "accept_karyogram", metaphase_id)
    karyogram = rows.locked_karyogram(metaphase)
    check_base(karyogram, base_version)
    if metaphase.accepted_at is not None:
        accepted_by = str(metaphase.accepted_by or "")
        withdraw_acceptance(metaphase)
        record(
            laboratory=metaphase.case.laboratory,
            actor=user,
            verb=verbs.KARYOGRAM_REOPENED,
            about=karyogram,
            case_id=metaphase.case_id,
            summary=summary(metaphase, "acceptance withdrawn."),
            old={"accepted_by": accepted_by},
            new={"version": karyogram.version},
        )
    return metaphase
