"""Patients: list, open, register, correct."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cases import policies, selectors
from cases.actions.change_patient import change_patient
from cases.actions.create_patient import create_patient
from cases.forms import PatientForm
from cases.models import Patient
from cases.views.paging import keyset_page
from karyosite.accounts.models import User
from karyosite.errors import Forbidden, NotFound, Refusal
from karyosite.pages import page, person

MATCHES_SHOWN = 8


@page
def patient_list(request: HttpRequest) -> HttpResponse:
    user = person(request)
    search = request.GET.get("q", "").strip()
    return render(
        request,
        "cases/patient_list.html",
        {
            "search": search,
            "page": keyset_page(request, selectors.patients(user, search=search)),
            "may_create": policies.may(user, "create_patient"),
        },
    )


@page
def patient_find(request: HttpRequest) -> HttpResponse:
    """A fragment for the new-case form: patients on record that match what is being typed."""
    user = person(request)
    policies.require(user, "create_case")
    search = request.GET.get("patient_search", "")
    return render(
        request,
        "cases/partials/patient_matches.html",
        matches(user, search=search, chosen=request.GET.get("patient", "")),
    )


def matches(user: User, *, search: str, chosen: str) -> dict[str, Any]:
    """Patients to choose from.  The one already chosen stays in the list, whatever is searched for next."""
    search = search.strip()
    found = list(selectors.patients(user, search=search)[: MATCHES_SHOWN + 1]) if search else []
    shown = found[:MATCHES_SHOWN]
    try:
        kept: Patient | None = selectors.patient(user, chosen)
    except NotFound:
        kept = None
    if kept is not None and kept not in shown:
        shown.insert(0, kept)
    return {
        "search": search,
        "matches": shown,
        "more": len(found) > MATCHES_SHOWN,
        "chosen": str(kept.pk) if kept else "",
    }


@page
def patient(request: HttpRequest, patient_id: str) -> HttpResponse:
    user = person(request)
    found = selectors.patient(user, patient_id)
    return render(
        request,
        "cases/patient.html",
        {
            "patient": found,
            "page": keyset_page(request, selectors.cases(user, patient=found.pk)),
            "may_change": policies.may(user, "change_patient"),
            "may_create_case": policies.may(user, "create_case"),
        },
    )


@page
def patient_new(request: HttpRequest) -> HttpResponse:
    user = person(request)
    policies.require(user, "create_patient")
    form = PatientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_patient(user=user, **form.cleaned_data)
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            form.take(refusal)
        else:
            messages.success(request, f"{made} is registered. Open a case for the patient when the specimen arrives.")
            return redirect("patient", made.pk)
    return render(request, "cases/patient_form.html", {"form": form}, status=422 if form.errors else 200)


@page
def patient_edit(request: HttpRequest, patient_id: str) -> HttpResponse:
    user = person(request)
    found = selectors.patient(user, patient_id)
    policies.require(user, "change_patient")
    initial = {name: getattr(found, name) for name in PatientForm.base_fields}
    form = PatientForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            change_patient(user=user, patient_id=found.pk, **form.cleaned_data)
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            form.take(refusal)
        else:
            messages.success(request, "The patient's record is changed.")
            return redirect("patient", found.pk)
    return render(
        request, "cases/patient_form.html", {"form": form, "patient": found}, status=422 if form.errors else 200
    )
