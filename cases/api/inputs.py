"""What clients send: shapes only.  Whether it may be done, and whether it makes sense, the actions decide."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cases.models import CaseState, Meaning, Sex, Specimen
from karyosite.api_views import InputSerializer

MOST = 2**31 - 1
TEXT = 10_000
_LABELS = [*(str(number) for number in range(1, 23)), "X", "Y", "unknown"]


def _edit(op: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"op": {"type": "string", "enum": [op]}, **properties},
        "required": ["op", *properties],
        "additionalProperties": False,
    }


_ID: dict[str, Any] = {"type": "string", "description": "The chromosome's id in the document, e.g. c01."}
_LABEL: dict[str, Any] = {"type": "string", "enum": _LABELS}
_INDEX: dict[str, Any] = {"type": "integer", "minimum": 0, "description": "Place in the slot from the left."}
_SINGLE = [
    _edit("move", id=_ID, label=_LABEL, index=_INDEX),
    _edit("debris", id=_ID),
    _edit("rotate", id=_ID, angle={"type": "number", "description": "Degrees clockwise that turn the p arm up."}),
    _edit("flip", id=_ID),
    _edit("review", id=_ID, reviewed={"type": "boolean"}),
    _edit(
        "place",
        id=_ID,
        label=_LABEL,
        state={"type": "string", "enum": ["present", "debris"]},
        index=_INDEX,
        reviewed={"type": "boolean"},
        source={"type": "string", "enum": ["machine", "person"]},
    ),
]
EDIT_SCHEMA: dict[str, Any] = {
    "description": "One change of a karyogram; see docs/karyogram-document.md.",
    "oneOf": [*_SINGLE, _edit("batch", edits={"type": "array", "items": {"oneOf": _SINGLE}})],
}


class PatientQuery(InputSerializer):
    search = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Words from identifier and names."
    )


class NewPatient(InputSerializer):
    identifier = serializers.CharField(max_length=64, help_text="Unique in your laboratory.")
    family_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    given_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    birth_date = serializers.DateField(required=False, allow_null=True)
    sex = serializers.ChoiceField(choices=Sex.choices, required=False)


class CaseQuery(InputSerializer):
    search = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Words from accession number, patient identifier and names.",
    )
    state = serializers.ChoiceField(choices=CaseState.choices, required=False)
    assignee = serializers.RegexField(
        r"^(me|none|[0-9]{1,18})$", required=False, help_text="A person's id, `me` or `none`."
    )
    patient = serializers.UUIDField(required=False)


class ChangedCase(InputSerializer):
    specimen = serializers.ChoiceField(choices=Specimen.choices)
    indication = serializers.CharField(max_length=300, required=False, allow_blank=True)
    received_on = serializers.DateField()
    due_on = serializers.DateField(required=False, allow_null=True)
    assignee_id = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, allow_null=True, help_text="A person of your laboratory."
    )


class NewCase(ChangedCase):
    patient_id = serializers.UUIDField()
    accession_number = serializers.CharField(max_length=64, help_text="Unique in your laboratory.")


class NewCulture(InputSerializer):
    label = serializers.CharField(max_length=40)  # type: ignore[assignment]
    medium = serializers.CharField(max_length=120, required=False, allow_blank=True)


class NewMetaphases(InputSerializer):
    file = serializers.FileField(allow_empty_file=True, help_text="One TIFF, PNG, JPEG or BMP, of one or many pages.")
    culture = serializers.UUIDField(required=False, allow_null=True, help_text="A culture of this case.")


class Step(InputSerializer):
    base_version = serializers.IntegerField(min_value=0, max_value=MOST, help_text="The version you are looking at.")


class KeyedStep(Step):
    client_key = serializers.CharField(
        max_length=64, required=False, allow_blank=True, help_text="Chosen by you: sent twice, it counts once."
    )


@extend_schema_field(EDIT_SCHEMA)
class EditField(serializers.DictField):
    pass


class Edit(KeyedStep):
    edit = EditField()


class Submission(InputSerializer):
    result = serializers.CharField(max_length=2000, help_text="The result line.")
    comment = serializers.CharField(max_length=20_000, required=False, allow_blank=True)


class Reason(InputSerializer):
    reason = serializers.CharField(max_length=TEXT)


class Signing(InputSerializer):
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True, help_text="Yours, again.")
    meaning = serializers.ChoiceField(choices=Meaning.choices, required=False)
