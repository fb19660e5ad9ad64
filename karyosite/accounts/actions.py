"""Laboratories and their people: every change, with its right, its state and its audit entry."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from karyosite.accounts.models import ApiToken, Laboratory, Membership, Role, User
from karyosite.accounts.selectors import current_membership
from karyosite.audit.record import record, register
from karyosite.errors import Conflict, Forbidden, Invalid, NotFound

LABORATORY_CREATED = register("laboratory.created", "Laboratory created")
LABORATORY_CHANGED = register("laboratory.changed", "Laboratory settings changed")
MEMBER_ADDED = register("member.added", "Person added")
MEMBER_CHANGED = register("member.changed", "Person changed")
MEMBER_REMOVED = register("member.removed", "Person removed")
PASSWORD_SET = register("member.password-set", "Password set by the administrator")


class Unchanged:
    """Stands for “leave it as it is” where None has a meaning of its own."""


UNCHANGED = Unchanged()
PIXEL_SIZES = (0.005, 5.0)  # µm; a camera on a 100× objective has about 0.05 to 0.1


@transaction.atomic
def create_laboratory(*, name: str) -> Laboratory:
    """For whoever runs the server (a command, never a page).  Raises Invalid where the name is taken."""
    laboratory = Laboratory(name=_text(name, "name", 200, "A laboratory needs a name."))
    _save(laboratory, {"name": "There is a laboratory of this name already."})
    record(
        laboratory=laboratory,
        actor=None,
        verb=LABORATORY_CREATED,
        about=laboratory,
        summary=f"Laboratory {laboratory.name} created.",
        new={"name": laboratory.name, "research_use_only": laboratory.research_use_only},
    )
    return laboratory


@transaction.atomic
def change_laboratory(
    *,
    user: User,
    name: str | None = None,
    research_use_only: bool | None = None,
    micrometres_per_pixel: float | None | Unchanged = UNCHANGED,
    reason: str = "",
) -> Laboratory:
    """Renames the laboratory, or ends (or restores) “for research use only”, which needs a reason: the validation.

    micrometres_per_pixel: on the slide, for scale bars; None where it is not known.
    """
    membership = _administrator(user)
    laboratory = Laboratory.objects.select_for_update(no_key=True).get(pk=membership.laboratory_id)
    before = _laboratory_facts(laboratory)
    if name is not None:
        laboratory.name = _text(name, "name", 200, "A laboratory needs a name.")
    if research_use_only is not None and bool(research_use_only) != laboratory.research_use_only:
        reason = _text(reason, "reason", 5000, "Name the validation that this decision rests on.")
        laboratory.research_use_only = bool(research_use_only)
    if not isinstance(micrometres_per_pixel, Unchanged):
        laboratory.micrometres_per_pixel = _pixel_size(micrometres_per_pixel)
    after = _laboratory_facts(laboratory)
    if after != before:
        _save(laboratory, {"name": "There is a laboratory of this name already."})
        record(
            laboratory=laboratory,
            actor=user,
            verb=LABORATORY_CHANGED,
            about=laboratory,
            summary="Laboratory settings changed.",
            old=before,
            new=after,
            reason=reason,
        )
    return laboratory


@transaction.atomic
def create_first_administrator(
    *, laboratory: Laboratory, username: str, printed_name: str, password: str
) -> Membership:
    """For whoever runs the server: the person who adds everybody else."""
    laboratory = Laboratory.objects.select_for_update(no_key=True).get(pk=laboratory.pk)
    return _add(laboratory, None, username, printed_name, Role.ADMINISTRATOR, password)


@transaction.atomic
def add_member(*, user: User, username: str, printed_name: str, role: str, password: str) -> Membership:
    """A new person or integration client of the laboratory.  Raises Invalid, naming the fields."""
    laboratory = _locked_laboratory(user)
    return _add(laboratory, user, username, printed_name, role, password)


@transaction.atomic
def change_member(
    *, user: User, member_id: Any, role: str | None = None, printed_name: str | None = None
) -> Membership:
    """member_id: the person's user id.  Raises Conflict where the laboratory would lose its last administrator."""
    laboratory = _locked_laboratory(user)
    membership = _member(laboratory, member_id)
    before = _facts(membership)
    if role is not None and role != membership.role:
        if membership.role == Role.ADMINISTRATOR:
            _keep_an_administrator(laboratory, membership)
        membership.role = _role(role)
        membership.save(update_fields=["role"])
    if printed_name is not None:
        membership.user.printed_name = _text(printed_name, "printed_name", 200, "A person needs a printed name.")
        membership.user.save(update_fields=["printed_name"])
    after = _facts(membership)
    if after != before:
        record(
            laboratory=laboratory,
            actor=user,
            verb=MEMBER_CHANGED,
            about=membership.user,
            summary=f"{membership.user} changed.",
            old=before,
            new=after,
        )
    return membership


@transaction.atomic
def remove_member(*, user: User, member_id: Any, reason: str = "") -> None:
    """Ends a person's membership, their tokens and, where it was their only one, their account.

    The account itself stays: signatures and the audit log name it.
    """
    laboratory = _locked_laboratory(user)
    membership = _member(laboratory, member_id)
    if membership.role == Role.ADMINISTRATOR:
        _keep_an_administrator(laboratory, membership)
    person, before = membership.user, _facts(membership)
    membership.delete()
    if not Membership.objects.filter(user=person).exists():
        person.is_active = False
        person.save(update_fields=["is_active"])
        ApiToken.objects.filter(user=person).delete()
    record(
        laboratory=laboratory,
        actor=user,
        verb=MEMBER_REMOVED,
        about=person,
        summary=f"{person} removed from the laboratory.",
        old=before,
        reason=_text(reason, "reason", 5000),
    )


@transaction.atomic
def set_password(*, user: User, member_id: Any, password: str) -> None:
    """A new password from the administrator, e.g. where one was forgotten; open sessions of the person end."""
    laboratory = _locked_laboratory(user)
    person = _member(laboratory, member_id).user
    _set_password(person, password)
    person.save(update_fields=["password"])
    record(
        laboratory=laboratory,
        actor=user,
        verb=PASSWORD_SET,
        about=person,
        summary=f"New password set for {person}.",
    )


def _administrator(user: User) -> Membership:
    membership = current_membership(user)
    if membership is None:
        raise NotFound("There is nothing here under this address.")
    if membership.role != Role.ADMINISTRATOR:
        raise Forbidden("Only the lab administrator may do this.")
    return membership


def _locked_laboratory(user: User) -> Laboratory:
    """One change of people at a time, so that two administrators cannot remove each other at once."""
    return Laboratory.objects.select_for_update(no_key=True).get(pk=_administrator(user).laboratory_id)


def _member(laboratory: Laboratory, member_id: Any) -> Membership:
    found = None
    if str(member_id).isdecimal() and len(str(member_id)) < 19:
        found = Membership.objects.filter(laboratory=laboratory, user_id=int(member_id)).select_related("user").first()
    if found is None:
        raise NotFound("There is no such person in your laboratory.")
    return found


def _keep_an_administrator(laboratory: Laboratory, leaving: Membership) -> None:
    others = Membership.objects.filter(laboratory=laboratory, role=Role.ADMINISTRATOR, user__is_active=True)
    if not others.exclude(pk=leaving.pk).exists():
        raise Conflict(
            "This is the laboratory's last administrator. Make somebody else administrator first.",
            code="last-administrator",
        )


def _add(
    laboratory: Laboratory, actor: User | None, username: str, printed_name: str, role: str, password: str
) -> Membership:
    role = _role(role)
    person = User(
        username=User.normalize_username(_text(username, "username", 150, "A person needs a user name.")),
        printed_name=_text(printed_name, "printed_name", 200, "A person needs a printed name."),
    )
    _set_password(person, password)
    _save(person, {"username": "This user name is taken. Choose another one."})
    membership = Membership.objects.create(user=person, laboratory=laboratory, role=role)
    record(
        laboratory=laboratory,
        actor=actor,
        verb=MEMBER_ADDED,
        about=person,
        summary=f"{person} added as {membership.get_role_display().lower()}.",
        new=_facts(membership),
    )
    return membership


def _laboratory_facts(laboratory: Laboratory) -> dict[str, Any]:
    return {
        "name": laboratory.name,
        "research_use_only": laboratory.research_use_only,
        "micrometres_per_pixel": laboratory.micrometres_per_pixel,
    }


def _pixel_size(value: Any) -> float | None:
    if value is None:
        return None
    least, most = PIXEL_SIZES
    if type(value) not in (int, float) or not least <= value <= most:
        sentence = f"The size of a pixel on the slide is a number of micrometres from {least:g} to {most:g}."
        raise Invalid(sentence, fields={"micrometres_per_pixel": [sentence]})
    return float(value)


def _facts(membership: Membership) -> dict[str, str]:
    person = membership.user
    return {"username": person.username, "printed_name": person.printed_name, "role": membership.role}


def _role(role: str) -> str:
    if role not in Role.values:
        sentence = "A person is a technologist, a supervisor, a lab administrator or an integration client."
        raise Invalid(sentence, fields={"role": [sentence]})
    return role


def _text(value: Any, field: str, limit: int, required: str = "") -> str:
    text = (
        "".join(sign for sign in value if sign.isprintable() or sign in "\n\t").strip()
        if isinstance(value, str)
        else ""
    )
    if required and not text:
        raise Invalid(required, fields={field: [required]})
    if len(text) > limit:
        sentence = f"This is longer than {limit} characters."
        raise Invalid(sentence, fields={field: [sentence]})
    return text


def _set_password(person: User, password: str) -> None:
    try:
        validate_password(password if isinstance(password, str) else "", person)
    except ValidationError as error:
        raise Invalid("The password cannot be used.", fields={"password": list(error.messages)}) from None
    person.set_password(password)


def _save(row: Laboratory | User, taken: dict[str, str]) -> None:
    try:
        row.full_clean(exclude=["password"])
        with transaction.atomic():
            row.save()
    except ValidationError as error:
        fields = {name: [str(text) for text in texts] for name, texts in error.message_dict.items()}
        for field, sentence in taken.items():
            if any(fault.code == "unique" for fault in error.error_dict.get(field, [])):
                fields[field] = [sentence]
        raise Invalid(next(iter(fields.values()))[0], fields=fields) from None
    except IntegrityError as error:
        raise Invalid(next(iter(taken.values())), fields={key: [text] for key, text in taken.items()}) from error
