"""Who is in the laboratory, for its administrator; and one's own password."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from karyosite.accounts.models import Laboratory, Membership, Role, User
from karyosite.accounts.selectors import current_membership
from karyosite.audit.record import record, register
from karyosite.errors import Forbidden, Invalid, NotFound

PASSWORD_CHANGED = register("password.changed", "Own password changed")
NOTHING_HERE = "There is nothing here under this address."


def administered(user: User) -> Laboratory:
    """The laboratory that the user administers.  Raises NotFound or Forbidden."""
    membership = current_membership(user)
    if membership is None:
        raise NotFound(NOTHING_HERE)
    if membership.role != Role.ADMINISTRATOR:
        raise Forbidden("Only a lab administrator may look after the laboratory and its members.")
    return membership.laboratory


def members(user: User) -> QuerySet[Membership]:
    """Members of the administrator's own laboratory, by name."""
    return (
        Membership.objects.filter(laboratory=administered(user))
        .select_related("user")
        .order_by("user__printed_name", "id")
    )


def member(user: User, member_id: int) -> Membership:
    """member_id: the person's user id, as in karyosite.accounts.actions."""
    found = members(user).filter(user_id=member_id).first()
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """The user's own new password; that the present one was right is the form's check.  Raises Invalid."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid("The password cannot be used.", fields={"password": list(error.messages)}) from None
    user.set_password(password)
    user.save(update_fields=["password"])
    membership = current_membership(user)
    if membership is not None:
        record(
            laboratory=membership.laboratory,
            actor=user,
            verb=PASSWORD_CHANGED,
            about=user,
            summary=f"{user} ({user.username}) changed the password.",
        )
