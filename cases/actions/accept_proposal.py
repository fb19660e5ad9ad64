from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.karyogram_steps import summary, take_step
from cases.domain import karyogram as domain
from cases.domain.karyogram_document import settled
from cases.domain.likely import expected_corrections
from cases.models import Case, EditKind, Karyogram, KaryogramEdit, Metaphase
from karyosite.audit.record import record
from karyosite.errors import Invalid, NotFound


@transaction.atomic
def accept_proposal(*, metaphase_id: Any, document: dict[str, Any]) -> Karyogram:
    """Stores what the models propose for a cell: version 1, or one more step on top of what people did.

    Called for the machine, inside the transaction that finishes its job; no user, so no right is asked for.
    Raises Conflict where the case is locked, Invalid where the document is not a karyogram of this image.
    """
    case_id = Metaphase.objects.filter(pk=rows.as_uuid(metaphase_id)).values_list("case_id", flat=True).first()
    if case_id is None:
        raise NotFound(rows.NOTHING_HERE)
    case = Case.objects.select_for_update(no_key=True, of=("self",)).select_related("laboratory").get(pk=case_id)
    rows.must_be_editable(case)
    metaphase = rows.metaphase_of(case, metaphase_id)
    try:
        document = settled(document)
    except domain.EditRefused as refused:
        raise Invalid(refused.sentence) from None
    image = document["image"]
    if (image["sha256"], image["page"]) != (metaphase.image.sha256, metaphase.page):
        raise Invalid("The proposed karyogram was made from another image.")
    karyogram = Karyogram.objects.select_for_update(no_key=True).filter(metaphase=metaphase).first()
    if karyogram is None:
        karyogram = Karyogram.objects.create(
            metaphase=metaphase,
            version=1,
            document=document,
            proposal=document,
            count=domain.count(document),
            doubts=domain.doubts(document),
            expected_corrections=expected_corrections(document),
            note=document["note"],
        )
        KaryogramEdit.objects.create(
            karyogram=karyogram,
            version=1,
            kind=EditKind.PROPOSAL,
            edit={"op": "replace", "document": document},
            inverse={},
            author_name="Karyosite",
        )
    else:
        karyogram.metaphase = metaphase
        karyogram.proposal = document
        karyogram.save(update_fields=["proposal"])
        take_step(karyogram, {"op": "replace", "document": document}, kind=EditKind.PROPOSAL, author=None)
    record(
        laboratory=case.laboratory,
        actor=None,
        verb=verbs.PROPOSAL_ACCEPTED,
        about=karyogram,
        case_id=case.pk,
        summary=summary(metaphase, f"{karyogram.count} chromosomes proposed, {karyogram.doubts} in doubt."),
        old={"version": karyogram.version - 1} if karyogram.version > 1 else None,
        new={"version": karyogram.version, "models": document["models"], "count": karyogram.count},
    )
    return karyogram
