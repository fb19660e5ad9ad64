"""What the site's forms share."""

from __future__ import annotations

from typing import Any

from django import forms

from karyosite.errors import Invalid, Refusal


class LabForm(forms.Form):
    """Bootstrap's classes on every widget, and refusals of an action shown beside the field they speak of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    def take(self, refusal: Refusal) -> None:
        """Show an action's refusal in this form, so that what was typed stays."""
        fields = refusal.fields if isinstance(refusal, Invalid) else {}
        placed = False
        for name, sentences in fields.items():
            if name in self.fields:
                for sentence in sentences:
                    self.add_error(name, sentence)
                placed = True
        if not placed:
            self.add_error(None, refusal.sentence)


def dress(field: forms.Field) -> None:
    """Classes, and sentences instead of Django's fragments."""
    widget = field.widget
    if isinstance(widget, forms.CheckboxInput):
        widget.attrs.setdefault("class", "form-check-input")
    elif isinstance(widget, forms.Select):
        widget.attrs.setdefault("class", "form-select")
    elif not isinstance(widget, forms.RadioSelect | forms.HiddenInput):
        widget.attrs.setdefault("class", "form-control")
    if isinstance(field, forms.CharField) and not isinstance(widget, forms.PasswordInput):
        widget.attrs.setdefault("autocomplete", "off")
    if field.required and field.error_messages["required"] == forms.Field.default_error_messages["required"]:
        field.error_messages["required"] = f"{field.label} is needed." if field.label else "This is needed."
    if isinstance(field, forms.DateField):
        field.error_messages["invalid"] = "This is not a date. Write it as year-month-day, for example 2026-11-18."
