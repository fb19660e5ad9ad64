"""The karyogram document and the edits that people make to it: `karyosite.karyogram/1`.

A pure reducer, after docs/karyogram-document.md.  The editor has the same one in JavaScript; both run the table
tests/contracts/karyogram_edits.json.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from cases.domain.karyogram_document import AUTOSOMES, LABELS, MAX_CHROMOSOMES, EditRefused, check, slots
from cases.domain.karyogram_edits import OPERATIONS, Document, Edit, need_keys, upright_angle

# Rows of groups of labels, as sheets from several laboratories show them; "unknown" stands after Y as markers.
SHEET_ROWS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (AUTOSOMES[0:3], AUTOSOMES[3:5]),
    (AUTOSOMES[5:12],),
    (AUTOSOMES[12:15], AUTOSOMES[15:18]),
    (AUTOSOMES[18:20], AUTOSOMES[20:22], ("X", "Y")),
)
MAX_BATCH = 200
# What several edits at once, or a document put back, amount to: for the reader of the history only.
PURPOSES: tuple[str, ...] = ("marker", "derivative", "split", "merge", "restore", "version")


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
        _needs(edit, "document")
        check(edit["document"])
        return Applied(copy.deepcopy(edit["document"]), {"op": "replace", "document": copy.deepcopy(document)})
    # Rings are shared with the old document: edits exchange them, none changes one, and copying would cost the most.
    result = {**document, "chromosomes": [dict(chromosome) for chromosome in document["chromosomes"]]}
    if op != "batch":
        return Applied(result, OPERATIONS[op](result, edit))
    _needs(edit, "edits")
    edits = edit["edits"]
    if not isinstance(edits, list) or not 1 <= len(edits) <= MAX_BATCH:
        raise EditRefused(f"A batch holds between 1 and {MAX_BATCH} edits.")
    inverses: list[Edit] = []
    for single in edits:
        if _op(single) not in OPERATIONS:
            raise EditRefused("A batch cannot hold another batch or a new proposal.")
        inverse = OPERATIONS[single["op"]](result, single)
        inverses = [*(inverse["edits"] if inverse["op"] == "batch" else [inverse]), *inverses]
    if len(inverses) > MAX_BATCH:  # a swap is taken back by two edits
        raise EditRefused(f"A batch holds between 1 and {MAX_BATCH} edits.")
    return Applied(result, {"op": "batch", "edits": inverses})


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


def _op(edit: Any) -> str:
    op = edit.get("op") if isinstance(edit, dict) else None
    if not isinstance(op, str) or (op not in OPERATIONS and op not in ("replace", "batch")):
        raise EditRefused("This change is not one that a karyogram knows.")
    return op


def _needs(edit: Edit, part: str) -> None:
    need_keys(edit, {part}, {"as"})
    if "as" in edit and (not isinstance(edit["as"], str) or edit["as"] not in PURPOSES):
        raise EditRefused("This change does not say what it amounts to in a known word.")


__all__ = [
    "LABELS",
    "MAX_BATCH",
    "MAX_CHROMOSOMES",
    "PURPOSES",
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
