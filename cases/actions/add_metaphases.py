from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max

from cases import events, policies, storage
from cases.actions import rows, verbs
from cases.models import Case, Culture, Metaphase, StoredImage
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.env import environment
from karyosite.errors import Invalid, NotFound
from karyosite.imaging import ImageFacts, ImageRefused, inspect


@dataclass(frozen=True)
class AddedMetaphases:
    """metaphases: the new cells, one a page.  duplicates: cells of this case that show the same page already."""

    metaphases: list[Metaphase]
    duplicates: list[Metaphase]


def add_metaphases(*, user: User, case_id: Any, upload: Any, name: str, culture_id: Any = None) -> AddedMetaphases:
    """Keeps one uploaded file byte for byte and adds a cell for each of its pages; announces each new cell.

    upload: an UploadedFile, or anything with read().  name: as the client gave it; shown, never used as a path.
    Raises NotFound, Forbidden, Conflict (case locked), TooLarge, StorageFull, or Invalid with the reason why the file
    is not usable; nothing of the file is kept then.
    """
    _may_add(user, case_id)
    with storage.received(upload, limit=environment.upload_max_bytes) as incoming:
        # Decoding can take seconds: no transaction is open meanwhile.
        try:
            facts = inspect(
                incoming.path,
                max_pixels=environment.image_max_pixels,
                min_side=environment.image_min_side,
                max_pages=environment.image_max_pages,
            )
        except ImageRefused as refused:
            raise Invalid(refused.sentence, code="image-refused", fields={"file": [refused.sentence]}) from None
        laboratory = policies.require(user, "add_metaphase").laboratory
        with storage.placing(laboratory.pk):
            try:
                return _store(user, case_id, incoming, facts, storage.display_name(name), culture_id)
            except BaseException:
                if not StoredImage.objects.filter(laboratory=laboratory, sha256=incoming.sha256).exists():
                    storage.remove(storage.original_name(laboratory.pk, incoming.sha256))
                raise


def _may_add(user: User, case_id: Any) -> None:
    """The refusals that need no file, before the file is read; they are looked at again under the lock."""
    case = Case.objects.select_related("laboratory").filter(pk=rows.as_uuid(case_id)).first()
    if case is None:
        raise NotFound(rows.NOTHING_HERE)
    policies.require(user, "add_metaphase", case.laboratory)
    rows.must_be_editable(case)


@transaction.atomic
def _store(
    user: User, case_id: Any, incoming: storage.Incoming, facts: ImageFacts, name: str, culture_id: Any
) -> AddedMetaphases:
    _, case = rows.locked_case(user, "add_metaphase", case_id)
    culture = _culture(case, culture_id)
    image = _image(case, incoming, facts)
    present = {cell.page: cell for cell in Metaphase.objects.filter(case=case, image=image)}
    ordinal = Metaphase.objects.filter(case=case).aggregate(last=Max("ordinal"))["last"] or 0
    added: list[Metaphase] = []
    for page, (width, height, bit_depth) in enumerate(facts.pages):
        if page in present:
            continue
        ordinal += 1
        metaphase = Metaphase.objects.create(
            case=case,
            culture=culture,
            image=image,
            page=page,
            ordinal=ordinal,
            original_name=name,
            width=width,
            height=height,
            bit_depth=bit_depth,
            added_by=user,
        )
        record(
            laboratory=case.laboratory,
            actor=user,
            verb=verbs.METAPHASE_ADDED,
            about=metaphase,
            case_id=case.pk,
            summary=f"Cell {ordinal} added from “{name}”" + (f", page {page + 1}." if len(facts.pages) > 1 else "."),
            new={"sha256": image.sha256, "page": page, "width": width, "height": height, "bytes": image.byte_size},
        )
        added.append(metaphase)
    for metaphase in added:
        events.metaphase_added.announce(metaphase=metaphase, user=user)
    return AddedMetaphases(added, [present[page] for page in sorted(present)])


def _culture(case: Case, culture_id: Any) -> Culture | None:
    if culture_id in (None, ""):
        return None
    try:
        culture = Culture.objects.filter(case=case, pk=rows.as_uuid(culture_id)).first()
    except NotFound:
        culture = None
    if culture is None:
        sentence = "There is no such culture in this case."
        raise Invalid(sentence, fields={"culture": [sentence]})
    return culture


def _image(case: Case, incoming: storage.Incoming, facts: ImageFacts) -> StoredImage:
    """The laboratory's one row and one file for these bytes."""
    name = storage.original_name(case.laboratory_id, incoming.sha256)
    image = StoredImage.objects.filter(laboratory=case.laboratory, sha256=incoming.sha256).first()
    if image is None or not Path(image.file.path).exists():
        storage.place(incoming, name)
    if image is None:
        image = StoredImage.objects.create(
            laboratory=case.laboratory,
            sha256=incoming.sha256,
            file=name,
            byte_size=incoming.byte_size,
            media_type=facts.media_type,
            pages=len(facts.pages),
        )
    return image
