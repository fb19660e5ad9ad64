"""What each kind of edit does to a karyogram (docs/karyogram-document.md); `karyogram.apply` is the way in.

Each changes the given copy of the document in place and returns the edit that takes it back; where it raises
EditRefused, the copy is thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Set
from typing import Any

from cases.domain.karyogram_document import (
    CLASSES,
    LABELS,
    MAX_CHROMOSOMES,
    MAX_LOST,
    ROLES,
    EditRefused,
    chromosome_fault,
    shape_fault,
    slot_of,
    slots,
)

Document = dict[str, Any]
Edit = dict[str, Any]
NO_SUCH_PLACE = "There is no such place in this position of the sheet."


def need_keys(edit: Edit, expected: set[str], optional: Set[str] = frozenset()) -> None:
    if set(edit) - {"op"} - optional != expected:
        raise EditRefused(f"The change “{edit['op']}” needs exactly: {', '.join(sorted(expected))}.")


def upright_angle(angle: float) -> float:
    """0 ≤ angle < 360, rounded half up to 0.01: the same arithmetic as the editor's."""
    turned = math.fmod(angle, 360.0)
    rounded = math.floor((turned + 360.0 if turned < 0 else turned) * 100 + 0.5) / 100
    return rounded - 360.0 if rounded >= 360 else rounded


def _find(document: Document, identifier: Any) -> dict[str, Any]:
    for chromosome in document["chromosomes"]:
        if isinstance(identifier, str) and chromosome["id"] == identifier:
            found: dict[str, Any] = chromosome
            return found
    raise EditRefused("The chromosome of this change is not in this karyogram.")


def _label(edit: Edit) -> str:
    label = edit["label"]
    if not isinstance(label, str) or label not in LABELS:
        raise EditRefused("A chromosome is one of 1 to 22, X, Y or unknown.")
    return label


def _numbered(members: list[dict[str, Any]]) -> None:
    for place, chromosome in enumerate(members):
        chromosome["order"] = place


def _put(document: Document, chromosome: dict[str, Any], label: str, state: str, index: Any) -> Edit:
    """Takes a chromosome out of its slot and puts it at index of another; both slots stay without gaps."""
    inverse = _place_of(chromosome)
    target = slot_of({"label": label, "state": state})
    members = [other for other in slots(document)[target] if other is not chromosome]
    if index is None:
        index = len(members)
    if type(index) is not int or not 0 <= index <= len(members):
        raise EditRefused(NO_SUCH_PLACE)
    _numbered([other for other in slots(document)[slot_of(chromosome)] if other is not chromosome])
    chromosome["label"], chromosome["state"] = label, state
    members.insert(index, chromosome)
    _numbered(members)
    return inverse


def _place_of(chromosome: dict[str, Any]) -> Edit:
    return {
        "op": "place",
        "id": chromosome["id"],
        "label": chromosome["label"],
        "state": chromosome["state"],
        "index": chromosome["order"],
        "reviewed": chromosome["reviewed"],
        "source": chromosome["source"],
    }


def _move(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id", "label", "index"})
    chromosome = _find(document, edit["id"])
    if edit["index"] is None:
        raise EditRefused(NO_SUCH_PLACE)
    inverse = _put(document, chromosome, _label(edit), "present", edit["index"])
    chromosome["reviewed"], chromosome["source"] = True, "person"
    return inverse


def _swap(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id", "other"})
    one, other = _find(document, edit["id"]), _find(document, edit["other"])
    if one is other or one["state"] != "present" or other["state"] != "present":
        raise EditRefused("Two different chromosomes of the sheet can change places; debris cannot.")
    inverse = {"op": "batch", "edits": [_place_of(one), _place_of(other)]}
    for key in ("label", "order"):
        one[key], other[key] = other[key], one[key]
    for chromosome in (one, other):
        chromosome["reviewed"], chromosome["source"] = True, "person"
    return inverse


def _debris(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id"})
    chromosome = _find(document, edit["id"])
    inverse = _put(document, chromosome, chromosome["label"], "debris", None)
    chromosome["reviewed"] = True
    return inverse


def _place(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id", "label", "state", "index", "reviewed", "source"})
    chromosome = _find(document, edit["id"])
    if edit["state"] not in ("present", "debris"):
        raise EditRefused("A chromosome is either present or debris.")
    if not isinstance(edit["reviewed"], bool) or edit["source"] not in ("machine", "person") or edit["index"] is None:
        raise EditRefused("This change does not say exactly where the chromosome belongs.")
    inverse = _put(document, chromosome, _label(edit), edit["state"], edit["index"])
    chromosome["reviewed"], chromosome["source"] = edit["reviewed"], edit["source"]
    return inverse


def _rotate(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id", "angle"})
    chromosome = _find(document, edit["id"])
    angle = edit["angle"]
    if type(angle) not in (int, float) or not abs(angle) < 1e9:  # NaN is not below anything
        raise EditRefused("An angle is a number of degrees.")
    inverse = {"op": "rotate", "id": chromosome["id"], "angle": chromosome["angle"]}
    chromosome["angle"] = upright_angle(angle)
    return inverse


def _flip(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id"})
    chromosome = _find(document, edit["id"])
    chromosome["flip"] = not chromosome["flip"]
    return {"op": "flip", "id": chromosome["id"]}


def _review(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id", "reviewed"})
    chromosome = _find(document, edit["id"])
    if not isinstance(edit["reviewed"], bool):
        raise EditRefused("A chromosome has either been looked at or not.")
    inverse = {"op": "review", "id": chromosome["id"], "reviewed": chromosome["reviewed"]}
    chromosome["reviewed"] = edit["reviewed"]
    return inverse


def _mark(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id", "role"})
    chromosome = _find(document, edit["id"])
    if edit["role"] not in ("", *ROLES):
        raise EditRefused("A chromosome can be marked as a marker, as a derivative, or not at all.")
    inverse = {"op": "mark", "id": chromosome["id"], "role": chromosome.get("role", "")}
    _set(chromosome, "role", edit["role"] or None)
    return inverse


def _straighten(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id", "straight"})
    chromosome = _find(document, edit["id"])
    if not isinstance(edit["straight"], bool):
        raise EditRefused("A chromosome is either shown straightened or as it lies.")
    inverse = {"op": "straighten", "id": chromosome["id"], "straight": chromosome.get("straight", False)}
    _set(chromosome, "straight", edit["straight"] or None)
    return inverse


def _lost(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"label", "count"})
    label, number = edit["label"], edit["count"]
    if not isinstance(label, str) or label not in CLASSES:
        raise EditRefused("Only a homologue of 1 to 22, X or Y can be counted as lost.")
    if type(number) is not int or not 0 <= number <= MAX_LOST:
        raise EditRefused(f"Between none and {MAX_LOST} homologues of a class can be counted as lost.")
    before = document.get("lost", {})
    after = {key: value for key, value in before.items() if key != label} | ({label: number} if number else {})
    _set(document, "lost", after or None)
    return {"op": "lost", "label": label, "count": before.get(label, 0)}


def _reshape(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id", "rings", "box", "axis", "centromere"})
    chromosome = _find(document, edit["id"])
    fault = shape_fault(edit)
    if fault:
        raise EditRefused(f"This outline cannot be used: the chromosome {fault}.")
    keys = ("rings", "box", "axis", "centromere")
    inverse = {"op": "reshape", "id": chromosome["id"]} | {key: chromosome.get(key) for key in keys}
    for key in keys:
        _set(chromosome, key, edit[key])
    return inverse


def _add(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"chromosome", "index"}, {"at"})
    given = edit["chromosome"]
    if not isinstance(given, dict) or "order" in given:
        raise EditRefused("This chromosome cannot be added: its parts are not the agreed ones.")
    chromosome = {**given, "order": 0}
    fault = chromosome_fault(chromosome)
    if fault:
        raise EditRefused(f"This chromosome cannot be added: {fault}.")
    if any(other["id"] == chromosome["id"] for other in document["chromosomes"]):
        raise EditRefused("A chromosome of this name is in the karyogram already.")
    if len(document["chromosomes"]) >= MAX_CHROMOSOMES:
        raise EditRefused(f"A karyogram holds at most {MAX_CHROMOSOMES} chromosomes.")
    members = slots(document)[slot_of(chromosome)]
    index, at = edit["index"], edit.get("at", len(document["chromosomes"]))
    if type(index) is not int or not 0 <= index <= len(members):
        raise EditRefused(NO_SUCH_PLACE)
    if type(at) is not int or at < 0:
        raise EditRefused("There is no such place in the list of chromosomes.")
    document["chromosomes"].insert(at, chromosome)
    members.insert(index, chromosome)
    _numbered(members)
    return {"op": "remove", "id": chromosome["id"]}


def _remove(document: Document, edit: Edit) -> Edit:
    need_keys(edit, {"id"})
    chromosome = _find(document, edit["id"])
    at = next(place for place, other in enumerate(document["chromosomes"]) if other is chromosome)
    inverse = {
        "op": "add",
        "chromosome": {key: value for key, value in chromosome.items() if key != "order"},
        "index": chromosome["order"],
        "at": at,
    }
    document["chromosomes"].pop(at)
    _numbered(slots(document)[slot_of(chromosome)])
    return inverse


def _set(holder: dict[str, Any], key: str, value: Any) -> None:
    """None takes the key away: what is absent is the default."""
    if value is None:
        holder.pop(key, None)
    else:
        holder[key] = value


OPERATIONS: dict[str, Callable[[Document, Edit], Edit]] = {
    "move": _move,
    "swap": _swap,
    "debris": _debris,
    "place": _place,
    "rotate": _rotate,
    "flip": _flip,
    "review": _review,
    "mark": _mark,
    "straighten": _straighten,
    "lost": _lost,
    "reshape": _reshape,
    "add": _add,
    "remove": _remove,
}
