"""Whole rows checked field by field, with the sentences that forms and the API show."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction

from karyosite.errors import Invalid


def clean_text(value: Any, field: str, *, limit: int = 10_000, required: str = "") -> str:
    """Text without control characters and outer space.  required: the sentence where it may not be empty."""
    if not isinstance(value, str):
        raise Invalid(f"The {field} must be text.", fields={field: ["This must be text."]})
    text = "".join(sign for sign in value if sign.isprintable() or sign in "\n\t").strip()
    if required and not text:
        raise Invalid(required, fields={field: [required]})
    if len(text) > limit:
        sentence = f"The {field} is longer than {limit} characters."
        raise Invalid(sentence, fields={field: [sentence]})
    return text


def save_checked(row: models.Model, *, taken: dict[str, str], exclude: tuple[str, ...] = ()) -> None:
    """Validates every field and stores the row; must run in a transaction.

    taken: field → sentence where its value belongs to another row of the laboratory already.
    Raises Invalid with all faults by field; the row is not stored then.
    """
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(field, models.CharField | models.TextField) and isinstance(value, str):
            setattr(row, field.attname, clean_text(value, str(field.verbose_name), limit=10**6))
    try:
        row.clean_fields(exclude=set(exclude))
    except ValidationError as error:
        fields = {name: [str(text) for text in texts] for name, texts in error.message_dict.items()}
        raise Invalid("Some of what was entered cannot be used.", fields=fields) from None
    try:
        row.validate_constraints()
    except ValidationError as error:
        raise _taken(taken, error.message_dict) from None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        # Two people entered the same value at the same moment.
        raise _taken(taken, {}) from error


def _taken(taken: dict[str, str], faults: dict[str, list[str]]) -> Invalid:
    if taken:
        return Invalid(next(iter(taken.values())), fields={field: [text] for field, text in taken.items()})
    return Invalid(
        "Some of what was entered cannot be used.", fields={k: v for k, v in faults.items() if k != NON_FIELD_ERRORS}
    )


def apply_changes(row: models.Model, changes: dict[str, Any], allowed: frozenset[str]) -> None:
    """Sets the named fields.  Raises Invalid for a field that is not open to change."""
    strange = sorted(set(changes) - allowed)
    if strange:
        raise Invalid(
            "Some of what was sent cannot be changed.",
            fields={field: ["This cannot be changed here."] for field in strange},
        )
    for field, value in changes.items():
        setattr(row, field, value)
