from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import rows, verbs
from cases.actions.karyogram_steps import Applied, check_base, in_words, sent_before, summary, take_step
from cases.domain.karyogram_document import EditRefused
from cases.domain.outlines import check_outlines
from cases.models import EditKind
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Invalid


@transaction.atomic
def edit_karyogram(
    *, user: User, metaphase_id: Any, base_version: int, edit: dict[str, Any], client_key: str = ""
) -> Applied:
    """Applies one edit (docs/karyogram-document.md) made on base_version; acceptance of the cell is withdrawn.

    client_key: the same edit sent twice under one key counts once.
    Raises Conflict where the base is stale (with the newest document) or the case is locked, Invalid otherwise.
    """
    metaphase = rows.locked_metaphase(user, "edit_karyogram", metaphase_id)
    karyogram = rows.locked_karyogram(metaphase)
    repeated = sent_before(karyogram, client_key, EditKind.EDIT, edit)
    if repeated:
        return repeated
    check_base(karyogram, base_version)
    if isinstance(edit, dict) and edit.get("op") == "replace":
        raise Invalid("Only a new analysis can replace a whole karyogram.", code="edit-refused")
    try:
        check_outlines(karyogram.document, edit)
    except EditRefused as refused:
        raise Invalid(refused.sentence, code="edit-refused") from None
    step = take_step(karyogram, edit, kind=EditKind.EDIT, author=user, client_key=client_key)
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.KARYOGRAM_EDITED,
        about=karyogram,
        case_id=metaphase.case_id,
        summary=summary(metaphase, in_words(edit)),
        old={"version": step.version - 1, "edit": step.inverse},
        new={"version": step.version, "edit": step.edit},
    )
    return Applied(karyogram, step)
