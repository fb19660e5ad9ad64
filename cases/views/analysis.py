"""Starting a cell's analysis again, and stopping it.  Both answer with the cells as they now are."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from cases import selectors
from cases.actions.cancel_analysis import cancel_analysis
from cases.actions.request_analysis import request_analysis
from cases.models import Metaphase
from cases.views.case import cells_fragment
from karyosite.errors import Forbidden, NotFound, Refusal
from karyosite.pages import page, person


@page
@require_POST
def analyse(request: HttpRequest, metaphase_id: str) -> HttpResponse:
    return _act(request, metaphase_id, request_analysis)


@page
@require_POST
def cancel(request: HttpRequest, metaphase_id: str) -> HttpResponse:
    return _act(request, metaphase_id, cancel_analysis)


def _act(request: HttpRequest, metaphase_id: str, action: Callable[..., Metaphase]) -> HttpResponse:
    user = person(request)
    cell = selectors.metaphase(user, metaphase_id)
    said = ""
    try:
        action(user=user, metaphase_id=cell.pk)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        said = refusal.sentence
    if getattr(request, "htmx", False):
        return cells_fragment(request, selectors.case(user, cell.case_id), said=said)
    if said:
        messages.error(request, said)
    return redirect("case", cell.case_id)
