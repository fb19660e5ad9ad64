"""The installed models as cards: what each is, what it was trained on, how it was measured, whether it is whole.

No model is loaded to show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from inference.backends import weights
from inference.models import ActiveModel
from karyosite.env import environment

_METRICS = {
    "on": "Measured on",
    "map50": "mAP50",
    "map50_95": "mAP50:95",
    "named_right": "Named right",
    "label_accuracy_of_found": "Named right of the found",
    "zero_edit_rate": "Cells without any correction",
    "exact_count_rate": "Exact counts",
}
_SHARES = frozenset(_METRICS) - {"on"}


@dataclass(frozen=True)
class Card:
    """One version.  files: SHA-256 by kind.  faults: why a file cannot be used, in sentences."""

    role: str
    name: str
    version: str
    entry: dict[str, Any] = field(repr=False)
    files: dict[str, str]
    faults: list[str]
    active: bool
    changed: bool
    activation: ActiveModel | None = None

    @property
    def metrics(self) -> list[tuple[str, str]]:
        """What was measured, in words."""
        listed = self.entry.get("metrics") or {}
        ordered = sorted(listed.items(), key=lambda one: one[0] != "on")
        return [
            (_METRICS.get(name, name.replace("_", " ").capitalize()), _said(name, value)) for name, value in ordered
        ]

    @property
    def shown_files(self) -> list[dict[str, str]]:
        return [{"kind": kind, **listed} for kind, listed in self.entry["files"].items()]


def _said(name: str, value: Any) -> str:
    share = isinstance(value, (int, float)) and (name in _SHARES or name.endswith("_rate"))
    return f"{100 * value:.1f} %" if share else str(value)


def cards(laboratory_id: Any) -> list[Card]:
    """Every installed version, in the manifest's order.  Raises ManifestUnreadable."""
    chosen = {active.role: active for active in ActiveModel.objects.filter(laboratory_id=laboratory_id)
              .select_related("activated_by")}  # fmt: skip
    first: set[str] = set()
    made = []
    for entry in _entries():
        role, files = entry["role"], {kind: listed["sha256"] for kind, listed in entry["files"].items()}
        activation = chosen.get(role)
        mine = activation is not None and (activation.name, activation.version) == (entry["name"], entry["version"])
        made.append(
            Card(
                role=role,
                name=entry["name"],
                version=entry["version"],
                entry=entry,
                files=files,
                faults=[sentence for path, sha in weights.files(entry) if (sentence := _fault(path, sha))],
                active=mine if activation is not None else role not in first,
                changed=mine and activation is not None and activation.files != files,
                activation=activation if mine else None,
            )
        )
        first.add(role)
    return made


def judge_of(cards: Sequence[Card], used: Mapping[str, str]) -> str:
    """Name and version of the judge that goes with these models, as `registry.judge` finds it; empty where none does.

    used: "NAME VERSION" by role."""
    judges = [card for card in cards if card.role == "judge"]
    own = [card for card in judges if card.activation is not None] or judges
    fits = (card for card in own if card.entry.get("of") == dict(used))
    return next((f"{card.name} {card.version}" for card in fits), "")


class ManifestUnreadable(Exception):
    """The list of models is missing or is not what it should be."""


def _entries() -> list[dict[str, Any]]:
    try:
        listed = weights.entries()
        for entry in listed:
            entry["role"], entry["name"], entry["version"]
            [(one["file"], one["sha256"]) for one in entry["files"].values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestUnreadable from error
    return listed


def _fault(path: Path, sha256: str) -> str:
    try:
        state = path.stat()
    except OSError:
        return weights.fault(path, sha256)
    return _fault_of(path, sha256, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _fault_of(path: Path, sha256: str, changed_at: int, size: int) -> str:
    """Read through once, not at every view of the page; a file written since is read again."""
    return weights.fault(path, sha256)


def fixed_by_settings(role: str) -> str:
    """Why the laboratory cannot choose a model for this role, as a sentence; empty where it can."""
    if role == "detector" and environment.detector_weights:
        return (
            f"The installation’s settings name the detector file {Path(environment.detector_weights).name} "
            "(KARYOSITE_DETECTOR_WEIGHTS). While they do, no other version can be activated."
        )
    if role == "classifier" and environment.classifier != "shipped":
        return (
            "The installation’s settings switch the classifier off (KARYOSITE_CLASSIFIER). "
            "While they do, no version can be activated."
        )
    if role == "segmenter" and environment.segmenter != "shipped":
        return (
            f"The installation’s settings name the segmenter {environment.segmenter} (KARYOSITE_SEGMENTER). "
            "While they do, no version can be activated."
        )
    return ""
