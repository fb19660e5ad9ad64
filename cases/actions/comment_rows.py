"""What the actions on comments share: who may, and that a signed case is only read."""

from __future__ import annotations

from typing import Any

from cases import policies
from cases.actions import rows
from cases.domain import states
from cases.models import Comment, Metaphase
from karyosite.accounts.models import User
from karyosite.errors import Conflict, Forbidden, NotFound


def commented_cell(user: User, metaphase_id: Any) -> Metaphase:
    """The cell, locked.  Comments go on while a case is under review: that is what review is made of."""
    metaphase = rows.locked_metaphase(user, "comment", metaphase_id, editable=False)
    if metaphase.case.state == states.SIGNED:
        raise Conflict(
            "This case is signed: its comments can be read, not changed. Nothing was stored. To go on with the case, "
            "a supervisor opens an amendment.",
            code="case-locked",
            state=metaphase.case.state,
        )
    return metaphase


def locked_comment(user: User, comment_id: Any) -> tuple[Metaphase, Comment]:
    """A comment that the user may resolve or open again: its author, or whoever may change the karyogram."""
    found = Comment.objects.filter(pk=rows.as_uuid(comment_id)).values_list("metaphase", "author").first()
    if found is None:
        raise NotFound(rows.NOTHING_HERE)
    laboratory = Metaphase.objects.select_related("case__laboratory").get(pk=found[0]).case.laboratory
    policies.require(user, "comment", laboratory)
    if found[1] != user.pk and not policies.may(user, "edit_karyogram"):
        raise Forbidden("Only its author, a technologist or a supervisor may resolve a comment or open it again.")
    metaphase = commented_cell(user, found[0])
    comment = Comment.objects.select_for_update(no_key=True).get(pk=comment_id)
    comment.metaphase = metaphase
    return metaphase, comment


def where(comment: Comment) -> str:
    """For the audit log's reader."""
    if comment.chromosome:
        return f"on {comment.chromosome}"
    return "on a spot" if comment.x is not None else "on the cell"


def short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"
