"""Submit, return, sign, amend: forms of the case page, each one action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from cases import policies, selectors
from cases.actions.amend_case import amend_case
from cases.actions.return_case import return_case
from cases.actions.sign_case import sign_case
from cases.actions.submit_case import submit_case
from cases.forms import AmendForm, LabForm, ReturnForm, SignForm, SubmitForm
from cases.views.case import case_page
from karyosite.errors import Forbidden, NotFound, Refusal
from karyosite.pages import page, person


@page
@require_POST
def case_submit(request: HttpRequest, case_id: str) -> HttpResponse:
    said = "Submitted for review. The case is locked until a supervisor signs or returns it."
    return _decide(request, case_id, "submit", SubmitForm, submit_case, said)


@page
@require_POST
def case_return(request: HttpRequest, case_id: str) -> HttpResponse:
    return _decide(request, case_id, "return", ReturnForm, return_case, "Returned to its author, with your reason.")


@sensitive_post_parameters("password")
@page
@require_POST
def case_sign(request: HttpRequest, case_id: str) -> HttpResponse:
    return _decide(request, case_id, "sign", SignForm, sign_case, "Signed. The report is ready as PDF.")


@page
@require_POST
def case_amend(request: HttpRequest, case_id: str) -> HttpResponse:
    said = "The amendment is open as a new version. The signed report stays as it is."
    return _decide(request, case_id, "amend", AmendForm, amend_case, said)


def _decide(
    request: HttpRequest,
    case_id: str,
    name: str,
    form_class: type[LabForm],
    action: Callable[..., Any],
    said: str,
) -> HttpResponse:
    user = person(request)
    found = selectors.case(user, case_id)
    policies.require(user, f"{name}_case")
    form = form_class(request.POST)
    if form.is_valid():
        try:
            action(user=user, case_id=found.pk, **form.cleaned_data)
        except Refusal as refusal:
            if isinstance(refusal, NotFound) or (isinstance(refusal, Forbidden) and refusal.code == Forbidden.code):
                raise
            if refusal.code == "wrong-password":
                form.add_error("password", refusal.sentence)
            else:
                form.take(refusal)
        else:
            messages.success(request, said)
            return redirect("case", found.pk)
    # Read again: the refusal may be that somebody else was quicker.
    return case_page(request, selectors.case(user, case_id), **{name: form})
