from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from cases.actions import verbs
from cases.models import Case
from cases.signed_cells import SignedCell
from karyosite.accounts.models import Laboratory
from karyosite.audit.record import record


@transaction.atomic
def export_signed_cells(*, laboratory: Laboratory, cells: Sequence[SignedCell]) -> None:
    """Notes in the audit log of each case which of its cells are about to leave, and under which names.

    Called by the server's command before anything is written, so that nothing leaves without an entry; no user, so
    no right is asked for.
    """
    names: dict[uuid.UUID, list[str]] = {}
    for cell in cells:
        names.setdefault(cell.case_id, []).append(cell.name)
    for case in Case.objects.filter(laboratory=laboratory, pk__in=names).order_by("pk"):
        exported = names[case.pk]
        record(
            laboratory=laboratory,
            actor=None,
            verb=verbs.CELLS_EXPORTED,
            about=case,
            case_id=case.pk,
            summary=f"Case {case.accession_number}: {len(exported)} cell(s) exported for training, without names.",
            new={"names": exported},
        )
