"""How pages look to one person: colours, picture settings, the open drawer.  The same on every computer.

Nothing here changes what is stored of a case, so that nothing of it is written to the laboratory's audit log.
"""

from __future__ import annotations

import math
from typing import Any

from django.db import transaction

from karyosite.accounts.models import User
from karyosite.errors import Invalid, NotFound

THEMES = ("system", "light", "dark")
BAND_LEVELS = (400, 550, 850)
_LONGEST_NAME = 40
# Name of a picture setting → least, usual, most.  The editor's sliders (image-filter.js) have the same limits.
VIEW_RANGES: dict[str, tuple[float, float, float]] = {
    "contrast": (50, 100, 300),
    "brightness": (-60, 0, 60),
    "gamma": (0.4, 1, 2.5),
    "sharpen": (0, 0, 100),
    "flatten": (0, 0, 100),
}


def usual() -> dict[str, Any]:
    """What holds for a person who has chosen nothing."""
    view: dict[str, Any] = {name: values[1] for name, values in VIEW_RANGES.items()}
    return {
        "theme": "system",
        "outlines": True,
        "key_hints": True,
        "drawer": "",
        "bands": 550,
        "view": view | {"invert": False},
    }


def preferences(user: User) -> dict[str, Any]:
    """All of them, with the usual ones where the person has chosen nothing; what is no longer known is left out."""
    found = usual()
    kept = user.preferences if isinstance(user.preferences, dict) else {}
    for name in found:
        if name == "view" and isinstance(kept.get("view"), dict):
            found["view"] |= {key: value for key, value in kept["view"].items() if key in found["view"]}
        elif name != "view" and name in kept:
            found[name] = kept[name]
    return found


@transaction.atomic
def change_preferences(*, user: User, changes: dict[str, Any]) -> dict[str, Any]:
    """Some of one's own preferences; → all of them.  Raises Invalid, naming the fields, and changes nothing then."""
    checked = _checked(changes)
    person = User.objects.select_for_update(no_key=True).filter(pk=user.pk, is_active=True).first()
    if person is None:
        raise NotFound("There is nothing here under this address.")
    view = preferences(person)["view"] | checked.get("view", {})
    merged = preferences(person) | checked | {"view": view}
    standard = usual()
    # Only what differs is kept, so that a better usual value reaches those who never chose.
    kept = {name: value for name, value in merged.items() if name != "view" and value != standard[name]}
    own_view = {name: value for name, value in view.items() if value != standard["view"][name]}
    person.preferences = kept | ({"view": own_view} if own_view else {})
    person.save(update_fields=["preferences"])
    user.preferences = person.preferences
    return preferences(person)


def _checked(changes: Any) -> dict[str, Any]:
    if not isinstance(changes, dict):
        raise Invalid("Preferences are names with values.", fields={})
    faults: dict[str, list[str]] = {}
    found: dict[str, Any] = {}
    for name, value in changes.items():
        sentence = "" if name == "view" else _fault(str(name), value)
        if name == "view":
            found["view"] = _checked_view(value, faults)
        elif sentence:
            faults[str(name)[:_LONGEST_NAME]] = [sentence]
        else:
            found[name] = value
    if faults:
        raise Invalid(next(iter(faults.values()))[0], fields=faults)
    return found


def _fault(name: str, value: Any) -> str:
    if name == "theme":
        return "" if value in THEMES else "Colours are system, light or dark."
    if name == "bands":
        known = type(value) is int and value in BAND_LEVELS
        return "" if known else "Ideograms are drawn at 400, 550 or 850 bands."
    if name == "drawer":
        short = isinstance(value, str) and len(value) <= _LONGEST_NAME and value.isprintable()
        return "" if short else "The drawer is named by a short word, or is empty."
    if name in ("outlines", "key_hints"):
        return "" if isinstance(value, bool) else "This is either on or off."
    return "There is no such preference."


def _checked_view(view: Any, faults: dict[str, list[str]]) -> dict[str, Any]:
    if not isinstance(view, dict):
        faults["view"] = ["Picture settings are names with values."]
        return {}
    for name, value in view.items():
        field = f"view.{str(name)[:_LONGEST_NAME]}"
        if name == "invert":
            if not isinstance(value, bool):
                faults[field] = ["This is either on or off."]
        elif name not in VIEW_RANGES:
            faults[field] = ["There is no such picture setting."]
        else:
            least, _, most = VIEW_RANGES[name]
            if type(value) not in (int, float) or not math.isfinite(value) or not least <= value <= most:
                faults[field] = [f"This is a number from {least:g} to {most:g}."]
    return dict(view)
