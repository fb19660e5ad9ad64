"""The cell page: one metaphase and its karyogram.  The editor itself talks to /api/v1/ (docs/editor.md)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie

from cases import policies, selectors
from cases.models import CaseState, Metaphase
from cases.views.counting import counting_config
from karyosite.accounts.models import User
from karyosite.accounts.preferences import preferences
from karyosite.pages import page, person


@page
@ensure_csrf_cookie
def cell(request: HttpRequest, metaphase_id: str) -> HttpResponse:
    user = person(request)
    metaphase = selectors.metaphase(user, metaphase_id)
    cells = list(selectors.metaphases(user, metaphase.case))
    here = next(index for index, other in enumerate(cells) if other.pk == metaphase.pk)
    around = {
        "previous": cells[here - 1] if here else None,
        "next": cells[here + 1] if here + 1 < len(cells) else None,
    }
    addresses = {
        name: reverse("cell", args=[other.pk]) if other is not None else None for name, other in around.items()
    }
    context = {
        "metaphase": metaphase,
        "case": metaphase.case,
        "cells": cells,
        "sheet_url": reverse("api:karyogram-sheet", args=[metaphase.pk]),
        "config": _config(metaphase, cells, user, addresses, may_analyse=policies.may(user, "request_analysis")),
        **addresses,
    }
    return render(request, "cases/cell.html", context)


def _config(
    metaphase: Metaphase, cells: list[Metaphase], user: User, addresses: dict[str, str | None], *, may_analyse: bool
) -> dict[str, Any]:
    """What the editor must know before it asks the API."""
    key = [metaphase.pk]
    return {
        "metaphase": str(metaphase.pk),
        "user": user.pk,
        "image": {"width": metaphase.width, "height": metaphase.height},
        "analysis": {
            "state": metaphase.analysis_state,
            "stage": metaphase.analysis_stage,
            "error": metaphase.analysis_error,
        },
        "preferences": preferences(user),
        "micrometresPerPixel": metaphase.case.laboratory.micrometres_per_pixel,
        "mayAnalyse": may_analyse and metaphase.case.editable,
        "mayComment": metaphase.case.state != CaseState.SIGNED,
        "counting": counting_config(cells, metaphase),
        "urls": {
            "preferences": reverse("api:preferences"),
            "karyogram": reverse("api:karyogram", args=key),
            "metaphase": reverse("api:metaphase", args=key),
            "view": reverse("api:metaphase-view", args=key),
            "analyse": reverse("api:metaphase-analyse", args=key),
            "job": reverse("api:job", args=[metaphase.analysis_job]) if metaphase.analysis_job else None,
            **addresses,
        },
    }
