"""How chromosomes stand in a row of the sheet: with their centromeres on one line where the document knows them,
otherwise on the ground.  The editor does the same (standing.js)."""

from __future__ import annotations

from typing import Any

import numpy as np

from cases.domain import bands
from cases.reports import straight
from cases.reports.geometry import turned

_MOST_STRAY = 0.15  # an estimate further than this from its class would only push its row apart
_UNCLASSIFIED = 0.4
_USUAL = {label: bands.centromere(label) for label in bands.LABELS}


def lifts(row: list[dict[str, Any]]) -> dict[str, float]:
    """Id → how far a chromosome of this row is lifted off the ground, in pixels of the original; empty where no
    centromere is known.  row: entries of the karyogram document that stand in one row and have an outline."""
    if not any(isinstance(entry.get("centromere"), (int, float)) for entry in row):
        return {}
    below = {entry["id"]: _below(entry) for entry in row}
    deepest = max(below.values())
    return {identifier: deepest - own for identifier, own in below.items()}


def _below(entry: dict[str, Any]) -> float:
    """How much of the upright chromosome lies below its centromere, in pixels of the original."""
    rings = [np.asarray(ring, np.float64) for ring in entry["rings"] if len(ring) >= 3]
    if not rings:
        return 0.0
    if straight.is_straightened(entry):
        height, known = straight.length(entry), entry.get("centromere")
        if known is not None and straight.is_upside_down(entry):
            known = 1 - known
        return height - _believed(entry, height, None if known is None else height * float(known))
    angle, flip = float(entry["angle"]), bool(entry["flip"])
    across = turned(np.concatenate(rings), angle, flip)[:, 1]
    top, height = float(across.min()), float(np.ptp(across))
    known, axis = entry.get("centromere"), entry.get("axis")
    depth = None if known is None else height * float(known)
    if axis and known is not None:
        depth = float(turned(_at(np.asarray(axis, np.float64), float(known))[None], angle, flip)[0, 1]) - top
    return height - _believed(entry, height, depth)


def _believed(entry: dict[str, Any], height: float, depth: float | None) -> float:
    """How far below the top the centromere is taken to lie."""
    usual = _USUAL.get(entry["label"], _UNCLASSIFIED)
    if depth is None:
        return height * usual
    if entry["label"] in _USUAL:
        return min(height * min(1.0, usual + _MOST_STRAY), max(height * max(0.0, usual - _MOST_STRAY), depth))
    return depth


def _at(line: np.ndarray, share: float) -> np.ndarray:
    """The point of a line (k, 2) at a share of its length."""
    gone = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    wanted = share * gone[-1]
    return np.array([np.interp(wanted, gone, line[:, 0]), np.interp(wanted, gone, line[:, 1])])
