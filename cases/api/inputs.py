"""What clients send: shapes only.  Whether it may be done, and whether it makes sense, the actions decide."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cases.domain.karyogram import LABELS, PURPOSES
from cases.domain.karyogram_document import MAX_LOST, ROLES
from cases.domain.outlines import MAX_POINTS, MAX_RINGS
from cases.models import CaseState, CellStanding, Meaning, Sex, Specimen
from karyosite.api_views import InputSerializer

MOST = 2**31 - 1
TEXT = 10_000
_LABELS = list(LABELS)


def _edit(op: str, optional: dict[str, Any] | None = None, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"op": {"type": "string", "enum": [op]}, **properties, **(optional or {})},
        "required": ["op", *properties],
        "additionalProperties": False,
    }


_ID: dict[str, Any] = {"type": "string", "description": "The chromosome's id in the document, e.g. c01."}
_LABEL: dict[str, Any] = {"type": "string", "enum": _LABELS}
_INDEX: dict[str, Any] = {"type": "integer", "minimum": 0, "description": "Place in the slot from the left."}
_POINTS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
}
_RINGS: dict[str, Any] = {
    "type": "array",
    "items": {**_POINTS, "minItems": 3},
    "minItems": 1,
    "maxItems": MAX_RINGS,
    "description": f"Polygons in pixels of the original, even-odd, none crossing itself; {MAX_POINTS} points at most.",
}
_BOX: dict[str, Any] = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_AXIS: dict[str, Any] = {
    **_POINTS,
    "nullable": True,
    "minItems": 2,
    "maxItems": 64,
    "description": "Along the middle, from the p end to the q end.",
}
_SHARE: dict[str, Any] = {"type": "number", "nullable": True, "minimum": 0, "maximum": 1}
_SINGLE = [
    _edit("move", id=_ID, label=_LABEL, index=_INDEX),
    _edit("swap", id=_ID, other=_ID),
    _edit("debris", id=_ID),
    _edit("rotate", id=_ID, angle={"type": "number", "description": "Degrees clockwise that turn the p arm up."}),
    _edit("flip", id=_ID),
    _edit("review", id=_ID, reviewed={"type": "boolean"}),
    _edit("mark", id=_ID, role={"type": "string", "enum": ["", *ROLES]}),
    _edit("straighten", id=_ID, straight={"type": "boolean"}),
    _edit(
        "lost",
        label={"type": "string", "enum": _LABELS[:-1]},
        count={"type": "integer", "minimum": 0, "maximum": MAX_LOST},
    ),
    _edit("reshape", id=_ID, rings=_RINGS, box=_BOX, axis=_AXIS, centromere=_SHARE),
    _edit(
        "add",
        {"at": {"type": "integer", "minimum": 0, "description": "Place in the document's list; the end if absent."}},
        chromosome={"type": "object", "description": "As in the document, without `order`; its id is new."},
        index=_INDEX,
    ),
    _edit("remove", id=_ID),
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
_AS: dict[str, Any] = {"as": {"type": "string", "enum": list(PURPOSES), "description": "What they amount to."}}
EDIT_SCHEMA: dict[str, Any] = {
    "description": "One change of a karyogram; see docs/karyogram-document.md.",
    "oneOf": [*_SINGLE, _edit("batch", _AS, edits={"type": "array", "items": {"oneOf": _SINGLE}})],
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


class MetaphaseQuery(InputSerializer):
    standing = serializers.ChoiceField(choices=CellStanding.choices, required=False)


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


class Restore(KeyedStep):
    id = serializers.CharField(
        max_length=32, required=False, allow_null=True, help_text="The chromosome's id; the whole cell without one."
    )


@extend_schema_field(EDIT_SCHEMA)
class EditField(serializers.DictField):
    pass


class Edit(KeyedStep):
    edit = EditField()


class Submission(InputSerializer):
    result = serializers.CharField(max_length=2000, help_text="The result line.")
    comment = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    with_open_comments = serializers.BooleanField(
        required=False, help_text="You know that comments of this case are open, and hand them on to the reviewer."
    )


class Reason(InputSerializer):
    reason = serializers.CharField(max_length=TEXT)


class Signing(InputSerializer):
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True, help_text="Yours, again.")
    meaning = serializers.ChoiceField(choices=Meaning.choices, required=False)
