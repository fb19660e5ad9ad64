from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions import verbs
from cases.actions.comment_rows import locked_comment, short, where
from cases.actions.karyogram_steps import summary
from cases.models import Comment
from karyosite.accounts.models import User
from karyosite.audit.record import record


@transaction.atomic
def reopen_comment(*, user: User, comment_id: Any) -> Comment:
    """What was said is not dealt with after all; an open comment stays as it is.  Raises as resolve_comment does."""
    metaphase, comment = locked_comment(user, comment_id)
    if comment.resolved_at is not None:
        resolved_by, comment.resolved_by_name = comment.resolved_by_name, ""
        comment.resolved_at = comment.resolved_by = None
        comment.save()
        record(
            laboratory=metaphase.case.laboratory,
            actor=user,
            verb=verbs.COMMENT_REOPENED,
            about=comment,
            case_id=metaphase.case_id,
            summary=summary(metaphase, f"comment {where(comment)} opened again: {short(comment.text)}"),
            old={"resolved_by": resolved_by},
        )
    return comment
