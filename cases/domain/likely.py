"""How much a cell's karyogram is likely to need: which of many cells to take first.

A laboratory photographs more cells than it karyotypes.  Those that need the least are worth the most, and the models
say of each chromosome how sure they are of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def expected_corrections(document: Mapping[str, Any]) -> float:
    """The sum of the chances that something is to be corrected: of each chromosome that it is none or named wrongly, of
    each that was left out that it is one.  What a person has looked at needs nothing.

    document: `karyosite.karyogram/1`.  It orders cells; as a number of corrections it has not been tested."""
    return round(sum(_chance(one) for one in document["chromosomes"] if not _answered(one)), 4)


def _answered(chromosome: Mapping[str, Any]) -> bool:
    return bool(chromosome["reviewed"]) or chromosome["source"] == "person"


def _chance(chromosome: Mapping[str, Any]) -> float:
    there = float(chromosome["detection_score"])
    return there if chromosome["state"] == "debris" else 1 - there * float(chromosome["score"])
