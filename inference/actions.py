"""Which versions of the models a laboratory works with: an audited act of its administrator."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from cases import policies
from inference.backends import weights
from inference.cards import Card, cards, fixed_by_settings
from inference.models import ActiveModel
from karyosite.accounts.models import Laboratory, User
from karyosite.audit.record import record, register
from karyosite.errors import Conflict, Invalid, NotFound

MODEL_ACTIVATED = register("model.activated", "Model version activated")
_WHY = "Say why: name the validation that this rests on."
_TOO_LONG = "The reason is too long: 5000 characters at most."


@transaction.atomic
def activate_model(*, user: User, role: str, name: str, version: str, reason: str) -> ActiveModel:
    """From the next job on the laboratory's cells are analysed with this version.  What is there already stays.

    Raises NotFound for a version that is not installed, Conflict where its files are not whole, where it is active
    already, or where the installation's settings name another; Invalid without a reason.
    """
    membership = policies.require(user, "activate_model")
    laboratory = Laboratory.objects.select_for_update(no_key=True).get(pk=membership.laboratory_id)
    reason = reason.strip()
    if not reason:
        raise Invalid(_WHY, fields={"reason": [_WHY]})
    if len(reason) > 5000:
        raise Invalid(_TOO_LONG, fields={"reason": [_TOO_LONG]})
    installed = {(card.role, card.name, card.version): card for card in cards(laboratory.pk)}
    card = installed.get((role, name, version))
    if card is None:
        raise NotFound("This version is not installed.")
    _must_be_usable(card)
    before = next((one for one in installed.values() if one.role == role and one.active), None)
    active, _ = ActiveModel.objects.update_or_create(
        laboratory=laboratory,
        role=role,
        defaults={
            "name": name,
            "version": version,
            "files": card.files,
            "activated_at": timezone.now(),
            "activated_by": user,
        },
    )
    record(
        laboratory=laboratory,
        actor=user,
        verb=MODEL_ACTIVATED,
        about=active,
        summary=f"{role.capitalize()} {name} {version} activated.",
        old=_facts(before) if before else None,
        new=_facts(card),
        reason=reason,
        at=active.activated_at,
    )
    return active


def _must_be_usable(card: Card) -> None:
    if sentence := fixed_by_settings(card.role):
        raise Conflict(sentence)
    if card.activation is not None and not card.changed:
        raise Conflict(f"{card.name} {card.version} was activated already.")
    for path, sha256 in weights.files(card.entry):
        if sentence := weights.fault(path, sha256):
            raise Conflict(f"{sentence} The {card.role} in use stays.")


def _facts(card: Card) -> dict[str, Any]:
    return {"role": card.role, "name": card.name, "version": card.version, "sha256": card.files}
