from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from cases import policies
from cases.actions import rows
from cases.models import Metaphase, Presence
from karyosite.accounts.models import User
from karyosite.errors import NotFound

FRESH = datetime.timedelta(seconds=8)
FORGOTTEN = datetime.timedelta(hours=1)


@transaction.atomic
def be_present(*, user: User, metaphase_id: Any) -> bool:
    """The user has this cell open now; → whether anything was written.  A passing fact: no lock and no audit entry.

    However often a page asks, its row is written at most once in eight seconds; rows of long ago are cleared away
    when someone new arrives.
    """
    cell = Metaphase.objects.filter(pk=rows.as_uuid(metaphase_id)).select_related("case__laboratory").first()
    if cell is None:
        raise NotFound(rows.NOTHING_HERE)
    policies.require(user, "view", cell.case.laboratory)
    now = timezone.now()
    if Presence.objects.filter(metaphase=cell, user=user, seen_at__gt=now - FRESH).exists():
        return False
    _, new = Presence.objects.update_or_create(metaphase=cell, user=user, defaults={"seen_at": now})
    if new:
        Presence.objects.filter(seen_at__lt=now - FORGOTTEN).delete()
    return True
