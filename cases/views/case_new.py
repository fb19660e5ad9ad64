"""Opening a case, with its patient in the same form, and correcting the order."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from cases import policies, selectors
from cases.actions.change_case import change_case
from cases.actions.create_case import create_case
from cases.actions.create_patient import create_patient
from cases.forms import CaseEditForm, CaseNewForm
from cases.models import Case
from cases.views.patients import matches
from karyosite.accounts.models import User
from karyosite.accounts.selectors import colleagues, current_membership
from karyosite.errors import Forbidden, NotFound, Refusal
from karyosite.pages import page, person

_ORDER = ("specimen", "indication", "received_on", "due_on")
_PATIENT = ("identifier", "family_name", "given_name", "birth_date", "sex")


def _assignees(user: User) -> Any:
    """Those who may be given the work: it needs someone who may change karyograms."""
    membership = current_membership(user)
    roles = [role for role in policies.RIGHTS["edit_karyogram"]]
    return colleagues(user).filter(
        memberships__laboratory=membership.laboratory if membership else None, memberships__role__in=roles
    )


def _order(cleaned: dict[str, Any]) -> dict[str, Any]:
    chosen = cleaned.get("assignee_id")
    return {name: cleaned[name] for name in _ORDER} | {"assignee_id": chosen.pk if chosen else None}


@page
def case_new(request: HttpRequest) -> HttpResponse:
    user = person(request)
    policies.require(user, "create_case")
    people = _assignees(user)
    initial = {
        "received_on": timezone.localdate(),
        "patient": request.GET.get("patient", ""),
        "assignee_id": user.pk if policies.may(user, "edit_karyogram") else None,
    }
    form = CaseNewForm(request.POST or None, initial=initial, colleagues=people)
    if request.method == "POST" and form.is_valid():
        try:
            made = _open(user, form.cleaned_data)
        except Forbidden:
            raise
        except Refusal as refusal:
            form.take(refusal)
        else:
            messages.success(request, f"Case {made.accession_number} is open. Add its metaphases next.")
            return redirect("case", made.pk)
    context = {"form": form, **_picker(user, form)}
    return render(request, "cases/case_new.html", context, status=422 if form.errors else 200)


def _open(user: User, cleaned: dict[str, Any]) -> Case:
    """Both or neither: a refused case leaves no patient behind."""
    with transaction.atomic():
        patient_id = cleaned["patient"]
        if not patient_id:
            facts = {name: cleaned[name] for name in _PATIENT}
            patient_id = create_patient(user=user, **(facts | {"sex": facts["sex"] or "unknown"})).pk
        return create_case(
            user=user, patient_id=patient_id, accession_number=cleaned["accession_number"], **_order(cleaned)
        )


def _picker(user: User, form: CaseNewForm) -> dict[str, Any]:
    """The chosen patient, and the matches of what was typed, so that a refused form comes back as it was."""
    search, chosen = form["patient_search"].value(), form["patient"].value()
    return matches(user, search=str(search or ""), chosen=str(chosen or ""))


@page
def case_edit(request: HttpRequest, case_id: str) -> HttpResponse:
    user = person(request)
    found = selectors.case(user, case_id)
    policies.require(user, "change_case")
    initial = {name: getattr(found, name) for name in (*_ORDER, "assignee_id")}
    form = CaseEditForm(request.POST or None, initial=initial, colleagues=_assignees(user))
    if request.method == "POST" and form.is_valid():
        try:
            change_case(user=user, case_id=found.pk, **_order(form.cleaned_data))
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            form.take(refusal)
        else:
            messages.success(request, "The order is changed.")
            return redirect("case", found.pk)
    return render(request, "cases/case_edit.html", {"form": form, "case": found}, status=422 if form.errors else 200)
