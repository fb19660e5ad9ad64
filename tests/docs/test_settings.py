"""A setting that the documents do not tell of fails here, and so does one that they tell of and nobody reads."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import AliasChoices

from karyosite.env import Environment

ROOT = Path(__file__).resolve().parents[2]


def names() -> dict[str, str]:
    """Field → the variable's name as a person writes it."""
    written = {}
    for field, facts in Environment.model_fields.items():
        alias = facts.validation_alias
        written[field] = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"KARYOSITE_{field.upper()}"
    return written


def test_every_setting_has_a_line_with_its_meaning() -> None:
    lines = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+) \|$", (ROOT / "docs" / "settings.md").read_text(), re.M))
    for name in names().values():
        assert name in lines, f"docs/settings.md has no line for {name}"
        default, _, meaning = lines[name].partition(" | ")
        assert default.strip() and len(meaning.split()) >= 3, f"docs/settings.md says too little about {name}"
    assert sorted(set(lines) - set(names().values())) == [], "docs/settings.md tells of settings that do not exist"


def test_the_defaults_told_are_the_defaults() -> None:
    lines = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", (ROOT / "docs" / "settings.md").read_text(), re.M))
    for field, name in names().items():
        default = Environment.model_fields[field].default
        if isinstance(default, bool):
            default = str(default).lower()
        if default is None or isinstance(default, Path) or default == "":
            continue
        told = lines[name].strip().strip("`")
        value = f"{default:g}" if isinstance(default, float) else str(default)
        assert told.startswith(value), f"docs/settings.md gives {told!r} for {name}; it is {value!r}"
