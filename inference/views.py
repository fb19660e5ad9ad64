"""The installed models as cards, and the form that activates another version; no model is loaded to show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from cases import policies
from inference import selectors
from inference.actions import activate_model
from inference.cards import Card, ManifestUnreadable, fixed_by_settings, judge_of
from karyosite.env import environment
from karyosite.errors import Conflict, Invalid
from karyosite.pages import page, person

_ROLES = {"detector": "Detector", "segmenter": "Segmenter", "classifier": "Classifier", "judge": "Judge"}
_NOT_ASKED = (
    "The judge was trained on what other models find than those in use. It is not asked: every candidate "
    "is judged by itself."
)


@page
def models(request: HttpRequest) -> HttpResponse:
    return _shown(request)


def _shown(request: HttpRequest, refused: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """refused: the version whose form comes back, its sentence, and the reason as it was typed."""
    user = person(request)
    policies.require(user, "view_models")
    try:
        cards, unreadable = selectors.model_cards(user), False
    except ManifestUnreadable:
        cards, unreadable = [], True
    used = {
        "detector": Path(environment.detector_weights).name or _named(cards, "detector"),
        "classifier": "none" if environment.classifier == "none" else _named(cards, "classifier"),
        "segmenter": _named(cards, "segmenter", "threshold")
        if environment.segmenter == "shipped"
        else environment.segmenter,
    }
    judge = judge_of(cards, used)
    idle = {} if judge else {"judge": _NOT_ASKED}
    context = {
        "roles": [
            {"role": role, "title": title, "fixed": fixed_by_settings(role) or idle.get(role, ""), "cards": found}
            for role, title in _titles(cards)
            if (found := [card for card in cards if card.role == role])
        ],
        "unreadable": unreadable,
        "may_activate": policies.may(user, "activate_model"),
        "refused": refused or {},
        "settings": {
            "device": environment.device,
            **used,
            "judge": judge or "none for these: every candidate is judged by itself",
            "sam": Path(environment.sam_checkpoint).name if environment.segmenter == "sam" else "",
        },
    }
    return render(request, "inference/models.html", context, status=status)


def _titles(cards: list[Card]) -> list[tuple[str, str]]:
    others = {card.role: card.role.capitalize() for card in cards if card.role not in _ROLES}
    return list((_ROLES | others).items())


def _named(cards: list[Card], role: str, otherwise: str = "none") -> str:
    return next((f"{card.name} {card.version}" for card in cards if card.role == role and card.active), otherwise)


@require_POST
@page
def activate(request: HttpRequest) -> HttpResponse:
    given = {field: request.POST.get(field, "") for field in ("role", "name", "version", "reason")}
    try:
        active = activate_model(user=person(request), **given)
    except (Invalid, Conflict) as refusal:
        return _shown(request, given | {"sentence": refusal.sentence}, status=refusal.status_code)
    said = f"{active.name} {active.version} is the {active.role} in use from the next analysis on."
    messages.success(request, f"{said} Cells that are there keep what they have.")
    return redirect("models")
