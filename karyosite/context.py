"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from karyosite.accounts.models import User
from karyosite.accounts.preferences import preferences
from karyosite.accounts.selectors import current_membership


def site(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    membership = current_membership(user) if user is not None else None
    return {
        "membership": membership,
        "preferences": preferences(user) if isinstance(user, User) else None,
        "research_use_only": membership is None or membership.laboratory.research_use_only,
    }
