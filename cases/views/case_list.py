"""Every case of the laboratory, searched and filtered by the address alone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cases import policies, selectors
from cases.forms import CaseFilter
from cases.views.paging import keyset_page
from karyosite.accounts.selectors import colleagues
from karyosite.pages import page, person


@page
def case_list(request: HttpRequest) -> HttpResponse:
    user = person(request)
    search = request.GET.get("q", "").strip()
    state, assignee = request.GET.get("state", ""), request.GET.get("assignee", "")
    found = selectors.cases(user, search=search, state=state, assignee=assignee)
    return render(
        request,
        "cases/case_list.html",
        {
            "filter": CaseFilter(request.GET or None, colleagues=colleagues(user)),
            "filtered": bool(search or state or assignee),
            "page": keyset_page(request, found),
            "may_create": policies.may(user, "create_case"),
        },
    )
