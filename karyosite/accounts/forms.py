from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from karyosite.accounts.models import Role, User
from karyosite.forms import LabForm, dress


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": (
            "User name and password do not belong together. Capital letters matter in both. "
            "Your lab administrator can set a new password."
        ),
        "inactive": "This account is closed. Your lab administrator can open it again.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"
        for field in self.fields.values():
            dress(field)
        self.fields["username"].widget.attrs.update({"autocomplete": "username", "autocapitalize": "none"})


def _password(label: str, kind: str, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": kind}), **more)


class PasswordForm(LabForm):
    present = _password("Present password", "current-password")
    password = _password(
        "New password",
        "new-password",
        help_text="At least ten characters, not a common password, not like your name.",
    )
    again = _password("New password again", "new-password")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_present(self) -> str:
        given: str = self.cleaned_data["present"]
        if not self.user.check_password(given):
            raise forms.ValidationError("This is not your present password.")
        return given

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("password") and cleaned.get("again") and cleaned["password"] != cleaned["again"]:
            self.add_error("again", "The two new passwords are not the same.")
        return cleaned


class TokenForm(LabForm):
    name = forms.CharField(label="What will use it", max_length=80, help_text="For example: order system, pilot.")
    days = forms.TypedChoiceField(
        label="Holds for",
        coerce=int,
        choices=[(30, "30 days"), (90, "90 days"), (365, "One year"), (0, "Until it is revoked")],
        initial=365,
    )


class MemberForm(LabForm):
    printed_name = forms.CharField(label="Printed name", max_length=200, help_text="Goes on signatures and reports.")
    role = forms.ChoiceField(label="Role", choices=Role.choices)


class MemberNewForm(MemberForm):
    username = forms.CharField(label="User name", max_length=150, help_text="To sign in with.")
    password = _password("First password", "new-password", help_text="At least ten characters; tell it in person.")
    field_order = ("username", "printed_name", "role", "password")


class SetPasswordForm(LabForm):
    password = _password("New password", "new-password", help_text="At least ten characters; tell it in person.")


class RemoveForm(LabForm):
    reason = forms.CharField(label="Reason", required=False, max_length=5000, help_text="Kept in the audit log.")


class LaboratoryForm(LabForm):
    name = forms.CharField(label="Name", max_length=200, help_text="Printed on every report.")
    micrometres_per_pixel = forms.FloatField(
        label="Micrometres per pixel",
        required=False,
        help_text="On the slide, from a stage micrometer. Scale bars are drawn where it is known.",
        widget=forms.NumberInput(attrs={"step": "any", "min": 0, "inputmode": "decimal"}),
    )
    research_use_only = forms.BooleanField(label="Results are for research use only", required=False)
    reason = forms.CharField(
        label="The validation that this decision rests on",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed to end the research mark, or to bring it back.",
    )
