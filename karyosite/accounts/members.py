"""The people of a laboratory: who is in it, in which role, and the administrator's changes to that."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from karyosite.accounts.models import Laboratory, Membership, Role, User
from karyosite.accounts.selectors import current_membership
from karyosite.audit.record import record, register
from karyosite.errors import Conflict, Forbidden, Invalid, NotFound

MEMBER_ADDED = register("member.added", "Member added")
MEMBER_CHANGED = register("member.changed", "Member changed")
PASSWORD_CHANGED = register("password.changed", "Password changed")
PASSWORD_SET = register("password.set", "Password set by an administrator")
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
    """Members of the administrator's own laboratory, by name, those signed out for good included."""
    return (
        Membership.objects.filter(laboratory=administered(user))
        .select_related("user")
        .order_by("-user__is_active", "user__printed_name", "id")
    )


def member(user: User, member_id: int) -> Membership:
    found = members(user).filter(pk=member_id).first()
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


@transaction.atomic
def add_member(*, user: User, username: str, printed_name: str, role: str, password: str) -> Membership:
    """A new person of the laboratory, who should change the password at the first sign-in.  Raises Invalid."""
    laboratory = administered(user)
    _known_role(role)
    person = User(username=username, printed_name=printed_name)
    _good_password(password, person)
    person.set_password(password)
    try:
        person.full_clean(exclude=["password"])
        with transaction.atomic():
            person.save()
    except (ValidationError, IntegrityError) as error:
        given = getattr(error, "message_dict", {"username": ["This user name is taken. Choose another."]})
        raise Invalid("This person cannot be added as given.", fields=given) from error
    made = Membership.objects.create(user=person, laboratory=laboratory, role=role)
    record(
        laboratory=laboratory,
        actor=user,
        verb=MEMBER_ADDED,
        about=made,
        summary=f"{person} ({username}) added as {made.get_role_display().lower()}.",
        new={"username": username, "printed_name": printed_name, "role": role},
    )
    return made


@transaction.atomic
def change_member(*, user: User, member_id: int, printed_name: str, role: str, active: bool) -> Membership:
    """Name on signatures, role, and whether the person may sign in at all.  One cannot lock oneself out."""
    laboratory = administered(user)
    found = member(user, member_id)
    _known_role(role)
    if found.user_id == user.pk and (role != found.role or not active):
        raise Conflict("You cannot take away your own rights. Another administrator can.")
    person = User.objects.select_for_update().get(pk=found.user_id)
    old = {"printed_name": person.printed_name, "role": found.role, "active": person.is_active}
    new = {"printed_name": printed_name, "role": role, "active": active}
    if old == new:
        return found
    person.printed_name, person.is_active, found.role = printed_name, active, role
    person.save(update_fields=["printed_name", "is_active"])
    found.save(update_fields=["role"])
    found.user = person
    changed = ", ".join(key.replace("_", " ") for key in new if new[key] != old[key])
    record(
        laboratory=laboratory,
        actor=user,
        verb=MEMBER_CHANGED,
        about=found,
        summary=f"{person} ({person.username}): {changed} changed.",
        old=old,
        new=new,
    )
    return found


@transaction.atomic
def set_password(*, user: User, member_id: int, password: str) -> None:
    """A new first password for a colleague who lost theirs; open sessions of that person end."""
    laboratory = administered(user)
    found = member(user, member_id)
    if found.user_id == user.pk:
        raise Conflict("Change your own password on your account page, where the present one is asked for.")
    _good_password(password, found.user)
    found.user.set_password(password)
    found.user.save(update_fields=["password"])
    record(
        laboratory=laboratory,
        actor=user,
        verb=PASSWORD_SET,
        about=found,
        summary=f"A new password was set for {found.user} ({found.user.username}).",
    )


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """The user's own new password; that the present one was right is the form's check."""
    _good_password(password, user)
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


def _known_role(role: str) -> None:
    if role not in Role.values:
        raise Invalid("There is no such role.", fields={"role": ["Choose a role from the list."]})


def _good_password(password: str, person: User) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid("This password is not good enough.", fields={"password": list(error.messages)}) from error
