"""Bands of the human chromosomes at three levels of resolution, from the public ideogram tables (NOTICE).

The editor draws its ideograms from the same file.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

LEVELS = (400, 550, 850)
LABELS = (*(str(number) for number in range(1, 23)), "X", "Y")
FILE = Path(__file__).resolve().parent.parent / "static" / "cases" / "bands.json"


class Band(NamedTuple):
    """start, stop: ISCN units from the p end; only their proportions mean anything."""

    arm: str  # "p" | "q"
    name: str  # "36.3"
    start: int
    stop: int
    stain: str  # gneg, gpos, gvar (variable), acen (centromere), stalk
    density: int  # of gpos: 25, 50, 75 or 100; else 0


@cache
def _table() -> dict[str, Any]:
    levels: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))["levels"]
    return levels


@cache
def bands(label: str, level: int) -> tuple[Band, ...]:
    """All bands of a chromosome from the p end to the q end.  Raises KeyError for an unknown one."""
    found: list[Band] = []
    for arm, name, stop, stain in _table()[str(level)][label]:
        kind, density = ("gpos", int(stain[4:])) if stain.startswith("gpos") else (stain, 0)
        found.append(Band(arm, name, found[-1].stop if found else 0, stop, kind, density))
    return tuple(found)


@cache
def centromere(label: str) -> float:
    """Where the arms meet, as a share of the length from the p end.  Raises KeyError for an unknown one."""
    found = bands(label, 550)
    return max(band.stop for band in found if band.arm == "p") / found[-1].stop
