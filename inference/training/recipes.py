"""Recipes: all numbers of a training run in one small file (inference/training/recipes/ROLE-NAME.toml)."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recipes"
ROLES = ("detector", "classifier", "segmenter", "judge")
ENGINES = {role: ("karyosite", "ultralytics") if role == "detector" else ("karyosite",) for role in ROLES}


class RecipeRefused(Exception):
    """The text is a sentence for people."""


@dataclass(frozen=True)
class Recipe:
    """train: the loop's own numbers, by the names that it gives them.

    start: "" for none, "shipped", or a path.  split: how a folder that is not yet a YOLO dataset is split for it.
    """

    name: str
    role: str
    engine: str
    about: str
    train: dict[str, Any]
    start: str = ""
    split: str = "case"
    seed: int = 0
    changed: dict[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        return asdict(self)

    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(self.content(), sort_keys=True).encode()).hexdigest()

    def with_changes(self, changes: list[str]) -> Recipe:
        """changes: "batch=8", each naming a number of [train], or seed.  Raises RecipeRefused."""
        train, seed, made = dict(self.train), self.seed, dict(self.changed)
        for change in changes:
            key, sign, text = change.partition("=")
            if not sign or (key != "seed" and key not in train and self.engine != "ultralytics"):
                known = ", ".join(["seed", *train])
                raise RecipeRefused(f"“{change}” changes nothing in this recipe. It has: {known}; write NAME=VALUE.")
            value = _value(text)
            if key == "seed":
                if type(value) is not int:
                    raise RecipeRefused(f"The seed is a whole number, not “{text}”.")
                seed = value
            else:
                train[key] = value
            made[key] = value
        return replace(self, train=train, seed=seed, changed=made)


def names(role: str) -> list[str]:
    return sorted(path.stem.removeprefix(f"{role}-") for path in FOLDER.glob(f"{role}-*.toml"))


def load(role: str, name: str) -> Recipe:
    """A recipe of ours by its name, or anybody's by the path of its file.  Raises RecipeRefused."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{role}-{name}.toml"
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError:
        known = ", ".join(names(role))
        raise RecipeRefused(f"There is no {role} recipe “{name}”. There are: {known}, or give a .toml file.") from None
    except (OSError, ValueError) as error:
        raise RecipeRefused(f"The recipe {path.name} cannot be read: {error}.") from error
    kinds = {"engine": str, "about": str, "train": dict, "start": str, "split": str, "seed": int}
    for key, value in content.items():
        if key not in kinds or type(value) is not kinds[key]:
            raise RecipeRefused(
                f"The recipe {path.name} has “{key}”, which is not one of {', '.join(kinds)}, or wrong."
            )
    if content.get("engine") not in ENGINES[role] or not content.get("train"):
        engines = " or ".join(ENGINES[role])
        raise RecipeRefused(f"The recipe {path.name} needs engine = {engines} and a table [train].")
    short = path.stem.removeprefix(f"{role}-")
    return Recipe(name=short, role=role, **({"about": ""} | content))


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
