from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.karyogram_steps import Applied, check_base, in_words, sent_before, summary, take_step
from cases.domain.karyogram_document import EditRefused
from cases.domain.restoring import restoring
from cases.models import EditKind, Karyogram, KaryogramEdit
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Conflict, Invalid


@transaction.atomic
def restore_proposal(
    *, user: User, metaphase_id: Any, base_version: int, id: str | None = None, client_key: str = ""
) -> Applied:
    """Puts one chromosome, or with id None the whole cell, back as the machine last proposed it: one step, which can be
    undone like any other.

    Raises Conflict where the base is stale, the case is locked, or everything is as proposed already; Invalid for a
    chromosome that the machine did not propose.
    """
    metaphase = rows.locked_metaphase(user, "edit_karyogram", metaphase_id)
    karyogram = rows.locked_karyogram(metaphase)
    kind = EditKind.RESTORE if id is None else EditKind.EDIT
    repeated = sent_before(karyogram, client_key, kind)
    if repeated:
        return repeated
    check_base(karyogram, base_version)
    edit, restores = _whole(karyogram) if id is None else (_one(karyogram, id), None)
    step = take_step(karyogram, edit, kind=kind, author=user, client_key=client_key, restores=restores)
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.PROPOSAL_RESTORED,
        about=karyogram,
        case_id=metaphase.case_id,
        summary=summary(metaphase, "back to the machine's proposal." if id is None else in_words(edit)),
        old={"version": step.version - 1} | ({} if id is None else {"edit": step.inverse}),
        new={"version": step.version} | ({"restores": restores} if id is None else {"edit": edit}),
    )
    return Applied(karyogram, step)


def _whole(karyogram: Karyogram) -> tuple[dict[str, Any], int]:
    """The edit, and the version that the proposal made."""
    if karyogram.document == karyogram.proposal:
        raise Conflict("The karyogram is as the machine proposed it already.", code="nothing-to-restore")
    proposals = KaryogramEdit.objects.filter(karyogram=karyogram, kind=EditKind.PROPOSAL)
    version = proposals.order_by("-version").values_list("version", flat=True)[0]
    return {"op": "replace", "document": karyogram.proposal, "as": "restore"}, version


def _one(karyogram: Karyogram, identifier: str) -> dict[str, Any]:
    try:
        edit = restoring(karyogram.document, karyogram.proposal, identifier)
    except EditRefused as refused:
        raise Invalid(refused.sentence, code="edit-refused") from None
    if edit is None:
        raise Conflict("This chromosome is as the machine proposed it already.", code="nothing-to-restore")
    return edit
