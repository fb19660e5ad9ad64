"""One step of a karyogram's history: what edit, undo, redo and a new proposal have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cases.domain import karyogram as domain
from cases.domain.likely import expected_corrections
from cases.models import Karyogram, KaryogramEdit, Metaphase
from cases.selectors import karyogram_state
from karyosite.accounts.models import User
from karyosite.errors import Conflict, Invalid


@dataclass(frozen=True)
class Applied:
    """repeated: the client had sent this step before; nothing was done again."""

    karyogram: Karyogram
    step: KaryogramEdit
    repeated: bool = False


def check_base(karyogram: Karyogram, base_version: Any) -> None:
    """Raises Conflict, with what the client needs to go on, where the karyogram has moved on."""
    if type(base_version) is not int:
        raise Invalid(
            "A change must name the version that it was made on.",
            fields={"base_version": ["This must be a whole number."]},
        )
    if base_version != karyogram.version:
        state = karyogram_state(karyogram)
        raise Conflict(
            "This karyogram was changed meanwhile. Your last change was not stored; the newest state is shown now.",
            code="stale-version",
            version=karyogram.version,
            document=karyogram.document,
            can_undo=state["can_undo"],
            can_redo=state["can_redo"],
        )


def sent_before(karyogram: Karyogram, client_key: str, kind: str, edit: Any = None) -> Applied | None:
    """The step that the client stored under this key already."""
    if not isinstance(client_key, str) or len(client_key) > 64 or not client_key.isprintable():
        sentence = "A client key is text of at most 64 characters."
        raise Invalid(sentence, fields={"client_key": [sentence]})
    step = KaryogramEdit.objects.filter(karyogram=karyogram, client_key=client_key).first() if client_key else None
    if step is None:
        return None
    if step.kind != kind or (edit is not None and step.edit != edit):
        raise Conflict(
            "Another change was stored under this client key. Nothing was changed.", code="client-key-reused"
        )
    step.karyogram = karyogram
    return Applied(karyogram, step, repeated=True)


def take_step(
    karyogram: Karyogram,
    edit: dict[str, Any],
    *,
    kind: str,
    author: User | None,
    client_key: str = "",
    undoes: int | None = None,
    restores: int | None = None,
) -> KaryogramEdit:
    """Applies the edit to the locked karyogram and appends it to the history; acceptance is withdrawn.

    Raises Invalid with the reducer's sentence; nothing is stored then.
    """
    try:
        document, inverse = domain.apply(karyogram.document, edit)
    except domain.EditRefused as refused:
        raise Invalid(refused.sentence, code="edit-refused") from None
    karyogram.document = document
    karyogram.version += 1
    karyogram.count = domain.count(document)
    karyogram.doubts = domain.doubts(document)
    karyogram.expected_corrections = expected_corrections(document)
    karyogram.note = document["note"]
    for_lists = ["count", "doubts", "expected_corrections", "note"]
    karyogram.save(update_fields=["document", "version", *for_lists, "changed_at"])
    step = KaryogramEdit.objects.create(
        karyogram=karyogram,
        version=karyogram.version,
        kind=kind,
        edit=edit,
        inverse=inverse,
        undoes=undoes,
        restores=restores,
        author=author,
        author_name=str(author) if author else "Karyosite",
        client_key=client_key,
    )
    withdraw_acceptance(karyogram.metaphase)
    return step


def withdraw_acceptance(metaphase: Metaphase) -> None:
    if metaphase.accepted_at is not None:
        metaphase.accepted_by = None
        metaphase.accepted_at = None
        metaphase.save(update_fields=["accepted_by", "accepted_at"])


def summary(metaphase: Metaphase, what: str) -> str:
    return f"Cell {metaphase.ordinal}: {what}"


def in_words(edit: dict[str, Any]) -> str:
    """One edit for the audit log's reader."""
    match edit["op"]:
        case "move":
            return f"{edit['id']} moved to {edit['label']}, place {edit['index'] + 1}."
        case "swap":
            return f"{edit['id']} and {edit['other']} changed places."
        case "debris":
            return f"{edit['id']} marked as debris."
        case "rotate":
            return f"{edit['id']} turned to {edit['angle']}°."
        case "flip":
            return f"{edit['id']} flipped."
        case "review":
            return f"{edit['id']} marked as {'looked at' if edit['reviewed'] else 'not looked at'}."
        case "place":
            where = "debris" if edit["state"] == "debris" else f"{edit['label']}, place {edit['index'] + 1}"
            return f"{edit['id']} put to {where}."
        case "mark":
            return f"{edit['id']} marked as {edit['role'] or 'neither marker nor derivative'}."
        case "straighten":
            return f"{edit['id']} shown {'straightened' if edit['straight'] else 'as it lies'}."
        case "lost":
            return f"{edit['label']}: {edit['count'] or 'none'} counted as lost by preparation."
        case "reshape":
            return f"{edit['id']} drawn anew."
        case "add":
            return f"{edit['chromosome']['id']} added as {edit['chromosome']['label']}."
        case "remove":
            return f"{edit['id']} taken away."
        case "batch":
            return _several_in_words(edit)
        case _:
            return "the whole karyogram replaced."


def _several_in_words(edit: dict[str, Any]) -> str:
    singles = edit["edits"]
    first = singles[0].get("id", "")
    of = {op: [single for single in singles if single["op"] == op] for op in ("add", "remove")}
    match edit.get("as"):
        case "marker" | "derivative":
            return f"{first} marked as {edit['as']}."
        case "split" if of["add"]:
            return f"{', '.join(single['chromosome']['id'] for single in of['add'])} split off from {first}."
        case "merge" if of["remove"]:
            return f"{', '.join(single['id'] for single in of['remove'])} merged into {first}."
        case "restore":
            return f"{first or singles[0]['chromosome']['id']} put back as the machine proposed it."
        case _:
            return in_words(singles[0]) if len(singles) == 1 else f"{len(singles)} changes at once."
