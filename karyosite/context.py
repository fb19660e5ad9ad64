"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from karyosite.accounts.selectors import current_membership


def site(request: HttpRequest) -> dict[str, Any]:
    membership = current_membership(request.user) if getattr(request, "user", None) is not None else None
    return {
        "membership": membership,
        "research_use_only": membership is None or membership.laboratory.research_use_only,
    }
