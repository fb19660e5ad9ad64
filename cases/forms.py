"""What people type, checked for shape only; the actions decide what is allowed."""

from __future__ import annotations

from typing import Any

from django import forms

from cases.models import CaseState, Meaning, Sex, Specimen
from karyosite.accounts.models import User
from karyosite.forms import LabForm

_DATE = {"type": "date"}


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs=_DATE, format="%Y-%m-%d")


class PatientForm(LabForm):
    identifier = forms.CharField(
        label="Identifier", max_length=64, help_text="Medical record number; unique in the laboratory."
    )
    family_name = forms.CharField(label="Family name", max_length=120, required=False)
    given_name = forms.CharField(label="Given name", max_length=120, required=False)
    birth_date = forms.DateField(label="Date of birth", required=False, widget=_date_input())
    sex = forms.ChoiceField(label="Sex as ordered", choices=Sex.choices, initial=Sex.UNKNOWN)


class _CaseFields(LabForm):
    specimen = forms.ChoiceField(label="Specimen", choices=Specimen.choices)
    indication = forms.CharField(label="Indication", max_length=300, required=False)
    received_on = forms.DateField(
        label="Received",
        widget=_date_input(),
        error_messages={"required": "The day the specimen was received is needed."},
    )
    due_on = forms.DateField(
        label="Due", required=False, widget=_date_input(), help_text="Empty: no due date is watched."
    )
    assignee_id = forms.ModelChoiceField(
        label="Assigned to", queryset=User.objects.none(), required=False, empty_label="Nobody yet"
    )

    def __init__(self, *args: Any, colleagues: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser = self.fields["assignee_id"]
        assert isinstance(chooser, forms.ModelChoiceField)
        chooser.queryset = colleagues

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        received, due = cleaned.get("received_on"), cleaned.get("due_on")
        if received and due and due < received:
            self.add_error("due_on", "The due date lies before the day the specimen was received.")
        return cleaned


class CaseEditForm(_CaseFields):
    pass


class CaseNewForm(_CaseFields):
    """A case and its patient in one form: `patient` names one on record, or the new patient's fields are read."""

    accession_number = forms.CharField(
        label="Accession number", max_length=64, help_text="The laboratory's case number; unique."
    )
    patient = forms.UUIDField(required=False, widget=forms.HiddenInput)
    patient_search = forms.CharField(
        label="Find a patient on record",
        required=False,
        max_length=120,
        help_text="Identifier or name; matches appear as you type.",
    )
    identifier = forms.CharField(label="Identifier", max_length=64, required=False)
    family_name = forms.CharField(label="Family name", max_length=120, required=False)
    given_name = forms.CharField(label="Given name", max_length=120, required=False)
    birth_date = forms.DateField(label="Date of birth", required=False, widget=_date_input())
    sex = forms.ChoiceField(label="Sex as ordered", choices=Sex.choices, initial=Sex.UNKNOWN, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("patient") and "identifier" not in self.errors and not cleaned.get("identifier"):
            self.add_error("identifier", "Choose a patient on record, or give the new patient's identifier.")
        return cleaned


class CultureForm(LabForm):
    label = forms.CharField(label="Label", max_length=40)
    medium = forms.CharField(label="Medium", max_length=120, required=False)


class SubmitForm(LabForm):
    result = forms.CharField(
        label="Result line",
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control iscn", "spellcheck": "false"}),
        help_text="In ISCN, for example 46,XX[20].",
    )
    comment = forms.CharField(
        label="Comment for the reviewer", required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    with_open_comments = forms.BooleanField(label="Submit with open comments", required=False)


class ReturnForm(LabForm):
    reason = forms.CharField(
        label="What is to be done before it can be signed",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what is to be done, so that the author can."},
    )


class SignForm(LabForm):
    meaning = forms.ChoiceField(label="My signature means", choices=Meaning.choices, initial=Meaning.APPROVED)
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Asked for again so that the signature is yours.",
    )


class AmendForm(LabForm):
    reason = forms.CharField(label="Why the signed report is amended", widget=forms.Textarea(attrs={"rows": 3}))


class CaseFilter(LabForm):
    q = forms.CharField(label="Search", required=False, max_length=120)
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Any state"), *CaseState.choices])
    assignee = forms.ChoiceField(label="Assigned to", required=False)

    def __init__(self, *args: Any, colleagues: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser = self.fields["assignee"]
        assert isinstance(chooser, forms.ChoiceField)
        people = [(str(one.pk), str(one)) for one in colleagues]
        chooser.choices = [("", "Anybody"), ("me", "Me"), ("none", "Nobody yet"), *people]
