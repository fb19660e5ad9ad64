"""What is on my table today: for supervisors the review queue first, then the cases in work."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import DateField, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cases import policies, selectors
from cases.models import Case, CaseState
from cases.views.paging import keyset_page
from karyosite.accounts.selectors import current_membership
from karyosite.pages import page, person

_NO_DUE_DATE = datetime.date.max
_WHOSE = (("mine", "Mine"), ("free", "Nobody's yet"), ("all", "Everybody's"))
_DUE_FIRST = ("due_first", "created_at", "id")


def _due_first(found: QuerySet[Case]) -> QuerySet[Case]:
    return found.annotate(due_first=Coalesce("due_on", Value(_NO_DUE_DATE), output_field=DateField()))


@page
def worklist(request: HttpRequest) -> HttpResponse:
    user = person(request)
    if current_membership(user) is None:
        return render(request, "accounts/no_laboratory.html")
    search = request.GET.get("q", "").strip()
    whose = request.GET.get("whose", "mine")
    if whose not in dict(_WHOSE):
        whose = "mine"
    assignee = {"mine": "me", "free": "none", "all": ""}[whose]
    in_work = selectors.cases(user, search=search, assignee=assignee).filter(
        Q(state=CaseState.OPEN) | Q(state=CaseState.RETURNED)
    )
    context: dict[str, Any] = {
        "search": search,
        "whose": whose,
        "whose_choices": _WHOSE,
        "work": keyset_page(request, _due_first(in_work), ordering=_DUE_FIRST),
        "may_create": policies.may(user, "create_case"),
    }
    if policies.may(user, "sign_case"):
        waiting = selectors.cases(user, search=search, state=CaseState.SUBMITTED)
        context["review"] = keyset_page(
            request, _due_first(waiting), ordering=_DUE_FIRST, size=25, parameter="review_from"
        )
    return render(request, "cases/worklist.html", context)
