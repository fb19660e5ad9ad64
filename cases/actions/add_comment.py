from __future__ import annotations

import math
from typing import Any

from django.db import transaction

from cases.actions import verbs
from cases.actions.checks import clean_text
from cases.actions.comment_rows import commented_cell, short, where
from cases.actions.karyogram_steps import summary
from cases.models import Comment, Karyogram, Metaphase
from karyosite.accounts.models import User
from karyosite.audit.record import record
from karyosite.errors import Invalid

LONGEST = 2000


@transaction.atomic
def add_comment(
    *, user: User, metaphase_id: Any, text: str, chromosome: str = "", spot: list[float] | None = None
) -> Comment:
    """Says something about a cell, about one chromosome of it, or about a spot [x, y] in pixels of the original.

    Raises Conflict where the case is signed, Invalid for an empty text, an unknown chromosome or a spot outside.
    """
    metaphase = commented_cell(user, metaphase_id)
    text = clean_text(text, "text", limit=LONGEST, required="A comment needs some words.")
    karyogram = Karyogram.objects.filter(metaphase=metaphase).only("document", "version").first()
    if chromosome and spot is not None:
        raise Invalid("A comment is pinned to a chromosome or to a spot, not to both. Nothing was stored.")
    if chromosome:
        spot = _middle(karyogram, chromosome)
    elif spot is not None:
        _require_inside(metaphase, spot)
    comment = Comment.objects.create(
        metaphase=metaphase,
        chromosome=chromosome,
        x=spot[0] if spot else None,
        y=spot[1] if spot else None,
        version=karyogram.version if karyogram else None,
        text=text,
        author=user,
        author_name=str(user),
    )
    record(
        laboratory=metaphase.case.laboratory,
        actor=user,
        verb=verbs.COMMENT_ADDED,
        about=comment,
        case_id=metaphase.case_id,
        summary=summary(metaphase, f"comment {where(comment)}: {short(text)}"),
        new={"text": text, "chromosome": chromosome, "x": comment.x, "y": comment.y, "version": comment.version},
    )
    return comment


def _middle(karyogram: Karyogram | None, identifier: str) -> list[float]:
    for chromosome in karyogram.document["chromosomes"] if karyogram else []:
        if chromosome["id"] == identifier:
            x1, y1, x2, y2 = chromosome["box"]
            return [(x1 + x2) / 2, (y1 + y2) / 2]
    raise Invalid("The chromosome of this comment is not in this karyogram. Nothing was stored.")


def _require_inside(metaphase: Metaphase, spot: Any) -> None:
    whole = isinstance(spot, list) and len(spot) == 2 and all(type(value) in (int, float) for value in spot)
    if not whole or not all(math.isfinite(value) for value in spot):
        raise Invalid("A spot is two numbers: pixels from the left and from the top.")
    if not (0 <= spot[0] <= metaphase.width and 0 <= spot[1] <= metaphase.height):
        raise Invalid("The spot of this comment lies outside the photograph. Nothing was stored.")
