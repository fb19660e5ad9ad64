"""Making and revoking the keys that programs sign in with."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.db.models import QuerySet

from karyosite.accounts.models import ApiToken, User
from karyosite.accounts.selectors import current_membership
from karyosite.audit.record import record, register
from karyosite.errors import Conflict, NotFound

TOKEN_CREATED = register("token.created", "API token created")
TOKEN_REVOKED = register("token.revoked", "API token revoked")
MOST_TOKENS = 50


def tokens(user: User) -> QuerySet[ApiToken]:
    """The user's own tokens; nobody sees another person's."""
    return ApiToken.objects.filter(user=user)


def token(user: User, token_id: uuid.UUID) -> ApiToken:
    found = tokens(user).filter(pk=token_id).first()
    if found is None:
        raise NotFound("There is no such token among yours.")
    return found


@transaction.atomic
def create_token(*, user: User, name: str, lifetime: datetime.timedelta | None = None) -> tuple[ApiToken, str]:
    """The token's row and its text.  The text is shown this once and cannot be had again.

    lifetime: None for a token that holds until it is revoked.
    """
    membership = current_membership(user)
    if membership is None:
        raise NotFound("You belong to no laboratory, so a token would open nothing.")
    User.objects.select_for_update().get(pk=user.pk)
    if tokens(user).count() >= MOST_TOKENS:
        raise Conflict(
            f"You have {MOST_TOKENS} tokens, the most that are allowed. Revoke one that is not used any more."
        )
    row, text = ApiToken.objects.create(user=user, expiry=lifetime, name=name)
    record(
        laboratory=membership.laboratory,
        actor=user,
        verb=TOKEN_CREATED,
        about=row,
        summary=f"API token “{name}” created.",
        new={"name": name, "expires_at": row.expiry.isoformat() if row.expiry else ""},
    )
    return row, text


@transaction.atomic
def revoke_token(*, user: User, token_id: uuid.UUID) -> None:
    """From this moment the token opens nothing.  One may revoke only one's own."""
    row = token(user, token_id)
    membership = current_membership(user)
    if membership is not None:
        record(
            laboratory=membership.laboratory,
            actor=user,
            verb=TOKEN_REVOKED,
            about=row,
            summary=f"API token “{row.name}” revoked.",
            old={"name": row.name, "expires_at": row.expiry.isoformat() if row.expiry else ""},
        )
    row.delete()
