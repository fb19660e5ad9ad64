from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from cases.actions import verbs
from cases.actions.comment_rows import locked_comment, short, where
from cases.actions.karyogram_steps import summary
from cases.models import Comment
from karyosite.accounts.models import User
from karyosite.audit.record import record


@transaction.atomic
def resolve_comment(*, user: User, comment_id: Any) -> Comment:
    """What was said is dealt with.  One that is resolved already stays so, by whoever resolved it first.

    Raises Forbidden for others than its author and those who may change the karyogram, Conflict where the case is
    signed.
    """
    metaphase, comment = locked_comment(user, comment_id)
    if comment.resolved_at is None:
        comment.resolved_at = timezone.now()
        comment.resolved_by = user
        comment.resolved_by_name = str(user)
        comment.save()
        record(
            laboratory=metaphase.case.laboratory,
            actor=user,
            verb=verbs.COMMENT_RESOLVED,
            about=comment,
            case_id=metaphase.case_id,
            summary=summary(metaphase, f"comment {where(comment)} resolved: {short(comment.text)}"),
        )
    return comment
