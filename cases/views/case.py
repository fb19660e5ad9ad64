"""The page of one case: patient and order, cells, and the emerging result."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from cases import policies, selectors, together
from cases.actions.add_culture import add_culture
from cases.forms import AmendForm, CultureForm, LabForm, ReturnForm, SignForm, SubmitForm
from cases.models import Case, CaseState, Report, ReportState
from cases.views.counting import Shown, count_from, orders, standings
from cases.views.emerging import emerging
from karyosite.accounts.models import User
from karyosite.env import environment
from karyosite.errors import Forbidden, NotFound, Refusal
from karyosite.pages import page, person

_SUFFIXES = ".tif,.tiff,.png,.jpg,.jpeg,.bmp"


@page
def case(request: HttpRequest, case_id: str) -> HttpResponse:
    return case_page(request, selectors.case(person(request), case_id))


@page
def case_cells(request: HttpRequest, case_id: str) -> HttpResponse:
    """The cells as they now are; asked for every two seconds while something runs, and after an upload."""
    return cells_fragment(request, selectors.case(person(request), case_id))


@page
@require_POST
def culture_new(request: HttpRequest, case_id: str) -> HttpResponse:
    user = person(request)
    found = selectors.case(user, case_id)
    form = CultureForm(request.POST)
    policies.require(user, "add_culture")
    if form.is_valid():
        try:
            made = add_culture(user=user, case_id=found.pk, **form.cleaned_data)
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            form.take(refusal)
        else:
            messages.success(request, f"Culture {made.label} is added. Choose it when you add metaphases.")
            return redirect("case", found.pk)
    return case_page(request, found, culture=form)


def cells_fragment(request: HttpRequest, found: Case, said: str = "") -> HttpResponse:
    """said: a sentence about what was just refused, shown above the cells."""
    context = _cells(request, found) | {"said": said, "fragment": True}
    return render(request, "cases/partials/cells.html", context)


def case_page(request: HttpRequest, found: Case, **typed: LabForm) -> HttpResponse:
    """The whole page; `typed` holds forms that came back refused, so that nothing typed is lost."""
    user = person(request)
    reports = list(selectors.reports(user, found))
    context = _cells(request, found) | _reports(user, found, reports)
    earlier = context["current"] or context["returned"]
    context["forms"] = {
        "culture": typed.get("culture") or CultureForm(),
        "submit": typed.get("submit")
        or SubmitForm(initial={"result": earlier.result, "comment": earlier.comment} if earlier else None),
        "return": typed.get("return") or ReturnForm(),
        "sign": typed.get("sign") or SignForm(),
        "amend": typed.get("amend") or AmendForm(),
    }
    context["cultures"] = list(selectors.cultures(user, found))
    limit = environment.upload_max_bytes
    context["upload"] = {
        "max_bytes": limit,
        "max_words": f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit} bytes",
        "suffixes": _SUFFIXES,
    }
    context["may"] = {right: policies.may(user, right) for right in policies.RIGHTS}
    return render(request, "cases/case.html", context, status=422 if typed else 200)


def _cells(request: HttpRequest, found: Case) -> dict[str, Any]:
    user = person(request)
    cells = list(selectors.metaphases(user, found))
    shown = Shown.asked(request)
    comments = list(together.open_comments(user, found))
    return {
        "case": found,
        "open_comments": comments,
        "comments_by_cell": Counter(comment.metaphase_id for comment in comments),
        "cells": shown.of(cells),
        "shown": shown,
        "standings": standings(cells, shown),
        "orders": orders(shown) if any(hasattr(cell, "karyogram") for cell in cells) else [],
        "count_from": count_from(cells) if policies.may(user, "record_count") and found.editable else None,
        "emerging": emerging(cells),
        "may_analyse": policies.may(user, "request_analysis") and found.editable,
    }


def _reports(user: User, found: Case, reports: list[Report]) -> dict[str, Any]:
    """current: what lies with the reviewer or is signed; returned: why it came back, while that still stands."""
    last = reports[-1] if reports else None
    this_version = last if last and last.version == found.version else None
    current = this_version if found.state in (CaseState.SUBMITTED, CaseState.SIGNED) else None
    returned = (
        this_version
        if found.state == CaseState.RETURNED and this_version and this_version.state == ReportState.RETURNED
        else None
    )
    return {
        "reports": reports[::-1],
        "current": current,
        "returned": returned,
        "signatures": list(current.signatures.all()) if current else [],
        "own_submission": bool(current and found.state == CaseState.SUBMITTED and current.submitted_by_id == user.pk),
    }
