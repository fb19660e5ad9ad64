from __future__ import annotations

from typing import Any

from cases.actions import verbs
from cases.actions.karyogram_steps import Applied
from cases.actions.undo_and_redo import Way, step_karyogram
from cases.models import EditKind
from karyosite.accounts.models import User

_AGAIN = Way(EditKind.REDO, "redo", verbs.KARYOGRAM_REDONE, "made again")


def redo_karyogram(*, user: User, metaphase_id: Any, base_version: int, client_key: str = "") -> Applied:
    """Makes the change again that the newest undo took back; undoes names the undo step.

    Raises Conflict where the base is stale, the case is locked, or there is nothing to redo.
    """
    return step_karyogram(
        _AGAIN, user=user, metaphase_id=metaphase_id, base_version=base_version, client_key=client_key
    )
