"""What was ever done to a karyogram: its steps, any version of it, and who made each chromosome what it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from cases import selectors
from cases.domain import karyogram as domain
from cases.models import EditKind, KaryogramEdit
from karyosite.accounts.models import User
from karyosite.errors import NotFound

# What a person can have decided about a chromosome, by the edits that decide it.
_ASPECTS = {
    "move": ("named",),
    "debris": ("named",),
    "place": ("named",),
    "swap": ("named",),
    "mark": ("named",),
    "rotate": ("turned",),
    "flip": ("turned",),
    "straighten": ("turned",),
    "reshape": ("outlined",),
    "add": ("outlined", "named"),
    "review": ("reviewed",),
}


class Version(NamedTuple):
    """One version of a karyogram; newest: the version that stands now."""

    version: int
    newest: int
    document: dict[str, Any]
    step: KaryogramEdit


class Decision(NamedTuple):
    """Who last decided one thing (named, turned, outlined, reviewed) about a chromosome, and in which version."""

    what: str
    by: str
    at: datetime
    version: int


def version_document(user: User, metaphase_id: Any, version: int) -> Version:
    """The karyogram of a cell as it was at `version`, made by taking back every later step.

    A later step that replaced the whole document holds the one before it, so that the way back never leads further
    than from there.  Raises NotFound for a version that there never was.
    """
    karyogram = selectors.karyogram(user, metaphase_id)
    steps = KaryogramEdit.objects.filter(karyogram=karyogram, version__lte=karyogram.version)
    step = steps.filter(version=version).select_related("author").first()
    if step is None:
        raise NotFound(f"This karyogram has versions 1 to {karyogram.version}; there is no version {version}.")
    later = steps.filter(version__gt=version)
    whole = later.filter(inverse__op="replace").order_by("version").first()
    document = karyogram.document
    if whole is not None:
        document = whole.inverse["document"]
        later = later.filter(version__lt=whole.version)
    for inverse in later.order_by("-version").values_list("inverse", flat=True):
        document = domain.apply(document, inverse).document
    return Version(version, karyogram.version, document, step)


def newest_steps(user: User, metaphase_id: Any) -> QuerySet[KaryogramEdit]:
    """The steps of a cell's karyogram, newest first; empty where there is no karyogram yet."""
    return selectors.history(user, metaphase_id).order_by("-version")


def origins(user: User, metaphase_id: Any) -> dict[str, list[Decision]]:
    """Chromosome id → what people decided about it and still stands, oldest first; the machine's work is not listed.

    Undo, redo and a return to an earlier version bring back who had decided before, not who pressed the key.
    """
    karyogram = selectors.karyogram(user, metaphase_id)
    rows = KaryogramEdit.objects.filter(karyogram=karyogram, version__lte=karyogram.version).order_by("version")
    # (id, aspect) → decision, at every version: each is a shallow copy, and the decisions in it are shared.
    at: dict[int, dict[tuple[str, str], Decision]] = {0: {}}
    now: dict[tuple[str, str], Decision] = {}
    for version, kind, edit, undoes, restores, by, when in rows.values_list(
        "version", "kind", "edit", "undoes", "restores", "author_name", "created_at"
    ):
        if kind in (EditKind.UNDO, EditKind.REDO) and undoes is not None:
            now = dict(at.get(undoes - 1, {}))
        elif kind == EditKind.RESTORE and restores is not None:
            now = dict(at.get(restores, {}))
        elif kind == EditKind.PROPOSAL:
            now = {}
        elif edit.get("as") == "restore":
            back = {identifier for identifier, _ in _decided(edit)}
            now = {key: decision for key, decision in now.items() if key[0] not in back}
        else:
            now = now | {
                (identifier, aspect): Decision(aspect, by, when, version) for identifier, aspect in _decided(edit)
            }
        at[version] = now
    here = {chromosome["id"] for chromosome in karyogram.document["chromosomes"]}
    found: dict[str, list[Decision]] = {}
    for (identifier, _), decision in sorted(now.items(), key=lambda item: item[1].version):
        if identifier in here:
            found.setdefault(identifier, []).append(decision)
    return found


def _decided(edit: dict[str, Any]) -> list[tuple[str, str]]:
    """(chromosome id, aspect) of everything that an edit decides."""
    if edit["op"] == "batch":
        return [one for single in edit["edits"] for one in _decided(single)]
    identifiers = [edit.get("id"), edit.get("other"), (edit.get("chromosome") or {}).get("id")]
    return [
        (identifier, aspect)
        for identifier in identifiers
        if isinstance(identifier, str)
        for aspect in _ASPECTS.get(edit["op"], ())
    ]
