"""The karyogram document and the edits that people make to it: `karyosite.karyogram/1`.

A pure reducer, after docs/karyogram-document.md.  The editor has the same one in JavaScript; both run the table
tests/contracts/karyogram_edits.json.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from cases.domain.karyogram_document import AUTOSOMES, LABELS, MAX_CHROMOSOMES, EditRefused, check, slot_of

Document = dict[str, Any]
Edit = dict[str, Any]

# Rows of groups of labels, as sheets from several laboratories show them; "unknown" stands after Y as markers.
SHEET_ROWS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (AUTOSOMES[0:3], AUTOSOMES[3:5]),
    (AUTOSOMES[5:12],),
    (AUTOSOMES[12:15], AUTOSOMES[15:18]),
    (AUTOSOMES[18:20], AUTOSOMES[20:22], ("X", "Y")),
)
MAX_BATCH = 200


class Applied(NamedTuple):
    document: Document
    inverse: Edit


def apply(document: Document, edit: Edit) -> Applied:
    """The document after one edit, and the edit that takes it back.

    document: valid, as `karyogram_document.check` passes it; never changed.  edit: anything that JSON can hold.
    Raises EditRefused with a sentence for a person; nothing has changed then.
    """
    op = _op(edit)
    if op == "replace":
        _keys(edit, {"op", "document"})
        check(edit["document"])
        return Applied(copy.deepcopy(edit["document"]), {"op": "replace", "document": copy.deepcopy(document)})
    # Rings are shared with the old document: no edit here changes them, and copying them would cost the most.
    result = {**document, "chromosomes": [dict(chromosome) for chromosome in document["chromosomes"]]}
    if op != "batch":
        return Applied(result, _OPERATIONS[op](result, edit))
    _keys(edit, {"op", "edits"})
    edits = edit["edits"]
    if not isinstance(edits, list) or not 1 <= len(edits) <= MAX_BATCH:
        raise EditRefused(f"A batch holds between 1 and {MAX_BATCH} edits.")
    inverses: list[Edit] = []
    for single in edits:
        if _op(single) not in _OPERATIONS:
            raise EditRefused("A batch cannot hold another batch or a new proposal.")
        inverses.append(_OPERATIONS[single["op"]](result, single))
    return Applied(result, {"op": "batch", "edits": inverses[::-1]})


def count(document: Document) -> int:
    """Chromosomes present; debris left out, unknown ones counted."""
    return sum(chromosome["state"] == "present" for chromosome in document["chromosomes"])


def doubts(document: Document) -> int:
    """Chromosomes with a reason for doubt that no person has looked at yet, debris included."""
    return sum(bool(chromosome["flags"]) and not chromosome["reviewed"] for chromosome in document["chromosomes"])


def sex_complement(document: Document) -> str:
    """ "XX", "XY", "X", "XXY" …, as many as are present; empty where there is neither X nor Y."""
    present = [chromosome["label"] for chromosome in document["chromosomes"] if chromosome["state"] == "present"]
    return "X" * present.count("X") + "Y" * present.count("Y")


def slots(document: Document) -> dict[str, list[dict[str, Any]]]:
    """Slot name (1 … 22, X, Y, unknown, debris) → its chromosomes from the left.  Every slot is there, empty or not."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*LABELS, "debris")}
    for chromosome in document["chromosomes"]:
        found[slot_of(chromosome)].append(chromosome)
    for members in found.values():
        members.sort(key=lambda chromosome: chromosome["order"])
    return found


def _op(edit: Any) -> str:
    op = edit.get("op") if isinstance(edit, dict) else None
    if not isinstance(op, str) or (op not in _OPERATIONS and op not in ("replace", "batch")):
        raise EditRefused("This change is not one that a karyogram knows.")
    return op


def _keys(edit: Edit, expected: set[str]) -> None:
    if set(edit) != expected:
        raise EditRefused(f"The change “{edit['op']}” needs exactly: {', '.join(sorted(expected - {'op'}))}.")


def _find(document: Document, edit: Edit) -> dict[str, Any]:
    for chromosome in document["chromosomes"]:
        if isinstance(edit["id"], str) and chromosome["id"] == edit["id"]:
            found: dict[str, Any] = chromosome
            return found
    raise EditRefused("The chromosome of this change is not in this karyogram.")


def _label(edit: Edit) -> str:
    label = edit["label"]
    if not isinstance(label, str) or label not in LABELS:
        raise EditRefused("A chromosome is one of 1 to 22, X, Y or unknown.")
    return label


def _put(document: Document, chromosome: dict[str, Any], label: str, state: str, index: Any) -> Edit:
    """Takes a chromosome out of its slot and puts it at index of another; both slots stay without gaps."""
    inverse = {
        "op": "place",
        "id": chromosome["id"],
        "label": chromosome["label"],
        "state": chromosome["state"],
        "index": chromosome["order"],
        "reviewed": chromosome["reviewed"],
        "source": chromosome["source"],
    }
    target = slot_of({"label": label, "state": state})
    members = [other for other in slots(document)[target] if other is not chromosome]
    if index is None:
        index = len(members)
    if type(index) is not int or not 0 <= index <= len(members):
        raise EditRefused("There is no such place in this position of the sheet.")
    left = [other for other in slots(document)[slot_of(chromosome)] if other is not chromosome]
    for place, other in enumerate(left):
        other["order"] = place
    chromosome["label"], chromosome["state"] = label, state
    members.insert(index, chromosome)
    for place, other in enumerate(members):
        other["order"] = place
    return inverse


def _move(document: Document, edit: Edit) -> Edit:
    _keys(edit, {"op", "id", "label", "index"})
    chromosome = _find(document, edit)
    if edit["index"] is None:
        raise EditRefused("There is no such place in this position of the sheet.")
    inverse = _put(document, chromosome, _label(edit), "present", edit["index"])
    chromosome["reviewed"], chromosome["source"] = True, "person"
    return inverse


def _debris(document: Document, edit: Edit) -> Edit:
    _keys(edit, {"op", "id"})
    chromosome = _find(document, edit)
    inverse = _put(document, chromosome, chromosome["label"], "debris", None)
    chromosome["reviewed"] = True
    return inverse


def _place(document: Document, edit: Edit) -> Edit:
    _keys(edit, {"op", "id", "label", "state", "index", "reviewed", "source"})
    chromosome = _find(document, edit)
    if edit["state"] not in ("present", "debris"):
        raise EditRefused("A chromosome is either present or debris.")
    if not isinstance(edit["reviewed"], bool) or edit["source"] not in ("machine", "person") or edit["index"] is None:
        raise EditRefused("This change does not say exactly where the chromosome belongs.")
    inverse = _put(document, chromosome, _label(edit), edit["state"], edit["index"])
    chromosome["reviewed"], chromosome["source"] = edit["reviewed"], edit["source"]
    return inverse


def upright_angle(angle: float) -> float:
    """0 ≤ angle < 360, rounded half up to 0.01: the same arithmetic as the editor's."""
    turned = math.fmod(angle, 360.0)
    rounded = math.floor((turned + 360.0 if turned < 0 else turned) * 100 + 0.5) / 100
    return rounded - 360.0 if rounded >= 360 else rounded


def _rotate(document: Document, edit: Edit) -> Edit:
    _keys(edit, {"op", "id", "angle"})
    chromosome = _find(document, edit)
    angle = edit["angle"]
    if type(angle) not in (int, float) or not abs(angle) < 1e9:  # NaN is not below anything
        raise EditRefused("An angle is a number of degrees.")
    inverse = {"op": "rotate", "id": chromosome["id"], "angle": chromosome["angle"]}
    chromosome["angle"] = upright_angle(angle)
    return inverse


def _flip(document: Document, edit: Edit) -> Edit:
    _keys(edit, {"op", "id"})
    chromosome = _find(document, edit)
    chromosome["flip"] = not chromosome["flip"]
    return {"op": "flip", "id": chromosome["id"]}


def _review(document: Document, edit: Edit) -> Edit:
    _keys(edit, {"op", "id", "reviewed"})
    chromosome = _find(document, edit)
    if not isinstance(edit["reviewed"], bool):
        raise EditRefused("A chromosome has either been looked at or not.")
    inverse = {"op": "review", "id": chromosome["id"], "reviewed": chromosome["reviewed"]}
    chromosome["reviewed"] = edit["reviewed"]
    return inverse


_OPERATIONS: dict[str, Callable[[Document, Edit], Edit]] = {
    "move": _move,
    "debris": _debris,
    "place": _place,
    "rotate": _rotate,
    "flip": _flip,
    "review": _review,
}

__all__ = [
    "LABELS",
    "MAX_BATCH",
    "MAX_CHROMOSOMES",
    "SHEET_ROWS",
    "Applied",
    "EditRefused",
    "apply",
    "check",
    "count",
    "doubts",
    "sex_complement",
    "slots",
    "upright_angle",
]
