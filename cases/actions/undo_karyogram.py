from __future__ import annotations

from typing import Any

from cases.actions import verbs
from cases.actions.karyogram_steps import Applied
from cases.actions.undo_and_redo import Way, step_karyogram
from cases.models import EditKind
from karyosite.accounts.models import User

_BACK = Way(EditKind.UNDO, "undo", verbs.KARYOGRAM_UNDONE, "taken back")


def undo_karyogram(*, user: User, metaphase_id: Any, base_version: int, client_key: str = "") -> Applied:
    """Takes back the newest change that still stands, as a new step: history only grows.

    Raises Conflict where the base is stale, the case is locked, or there is nothing to undo.
    """
    return step_karyogram(_BACK, user=user, metaphase_id=metaphase_id, base_version=base_version, client_key=client_key)
