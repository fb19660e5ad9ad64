from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.checks import save_checked
from cases.models import Culture
from karyosite.accounts.models import User
from karyosite.audit.record import record


@transaction.atomic
def add_culture(*, user: User, case_id: Any, label: str, medium: str = "") -> Culture:
    """Adds a culture to an editable case.  Raises Conflict where it is locked, Invalid, naming the fields."""
    membership, case = rows.locked_case(user, "add_culture", case_id)
    culture = Culture(case=case, label=label, medium=medium)
    save_checked(culture, taken={"label": "This case already has a culture with this label."})
    record(
        laboratory=membership.laboratory,
        actor=user,
        verb=verbs.CULTURE_ADDED,
        about=culture,
        case_id=case.pk,
        summary=f"Culture {culture.label} added.",
        new={"label": culture.label, "medium": culture.medium},
    )
    return culture
