"""A chromosome unrolled along its axis, for the printed sheet: arc length and width as they are, only its own pixels.

The editor does the same (static/cases/js/editor/straight.js; a test compares them).  numpy only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_AROUND = 1.0  # sheet pixels left free around the cut-out


@dataclass(frozen=True)
class Frame:
    """Rows of the unrolled view, in pixels of the original.

    middles, across: float64 (n, 2), the rows' middles from the upper end, and the unit vectors to their right.
    left, right: float64 (n,), how far the chromosome reaches to either side; 0 where the axis leaves the outline.
    length: of the axis.
    """

    middles: np.ndarray
    across: np.ndarray
    left: np.ndarray
    right: np.ndarray
    length: float


def is_straightened(chromosome: dict[str, Any]) -> bool:
    """Whether it is to be shown straight, and can be."""
    return bool(chromosome.get("straight")) and len(chromosome.get("axis") or ()) >= 2 and bool(_rings(chromosome))


def length(chromosome: dict[str, Any]) -> float:
    """How tall it stands when straight, in pixels of the original."""
    line = np.asarray(chromosome["axis"], np.float64)
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def is_upside_down(chromosome: dict[str, Any]) -> bool:
    """Whether its angle, as a person may have set it, puts the p half below the q half."""
    line = np.asarray(chromosome["axis"], np.float64)
    half = len(line) // 2
    towards_q = line[-half:].mean(axis=0) - line[:half].mean(axis=0)
    turn = math.radians(float(chromosome["angle"]))
    return float(towards_q[0] * math.sin(turn) + towards_q[1] * math.cos(turn)) < 0


def frame(chromosome: dict[str, Any], rows: int) -> Frame:
    """The view in this many rows, the end that stands on top first."""
    line = np.asarray(chromosome["axis"], np.float64)
    if is_upside_down(chromosome):
        line = line[::-1]
    steps = np.diff(line, axis=0)
    sizes = np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-9)
    along = steps / sizes
    # At a corner of the axis its direction is the mean of both sides': rows then turn by and by.
    at_corners = np.concatenate([along[:1], along[:-1] + along[1:], along[-1:]])
    gone = np.concatenate([[0.0], np.cumsum(sizes)])
    places = (np.arange(rows) + 0.5) / rows * gone[-1]
    at_corners /= np.maximum(np.linalg.norm(at_corners, axis=1, keepdims=True), 1e-9)
    middles = np.stack([np.interp(places, gone, line[:, axis]) for axis in (0, 1)], axis=1)
    down = np.stack([np.interp(places, gone, at_corners[:, axis]) for axis in (0, 1)], axis=1)
    down /= np.maximum(np.linalg.norm(down, axis=1, keepdims=True), 1e-9)
    across = np.stack([down[:, 1], -down[:, 0]], axis=1)
    left, right = _reaches(_rings(chromosome), middles, across, down)
    return Frame(middles, across, left, right, float(gone[-1]))


def unrolled(pixels: np.ndarray, chromosome: dict[str, Any], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """grey uint8 (h, w) and cover uint8 (h, w), 0 outside and soft at the edge, at `scale` sheet pixels a pixel."""
    rows = max(1, round(length(chromosome) * scale))
    found = frame(chromosome, rows)
    # One row beyond either end, as every cut-out has.
    half = math.ceil(max(float(found.left.max()), float(found.right.max()), 0.5) * scale + _AROUND)
    offsets = (np.arange(2 * half) + 0.5 - half) / scale
    if chromosome["flip"]:
        offsets = -offsets
    places = found.middles[:, None, :] + offsets[None, :, None] * found.across[:, None, :]
    inside = np.minimum(offsets[None] + found.left[:, None], found.right[:, None] - offsets[None]) * scale + 0.5
    inside[(found.left + found.right) <= 0] = 0
    cover = (np.clip(inside, 0, 1) * 255 + 0.5).astype(np.uint8)
    grey = _bilinear(pixels, places[..., 0] - 0.5, places[..., 1] - 0.5)
    return np.pad(grey, ((1, 1), (0, 0)), constant_values=255), np.pad(cover, ((1, 1), (0, 0)))


def _rings(chromosome: dict[str, Any]) -> list[np.ndarray]:
    return [np.asarray(ring, np.float64) for ring in chromosome["rings"] if len(ring) >= 3]


def _reaches(
    rings: list[np.ndarray], middles: np.ndarray, across: np.ndarray, down: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """To the nearest edge of the outline on either side of each middle; what lies beyond is another limb's."""
    starts = np.concatenate(rings)
    ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    # Each edge in each row's own frame: beside (along `across`) and below (along `down`).
    start, end = starts[None] - middles[:, None], ends[None] - middles[:, None]
    below_start, below_end = (start * down[:, None]).sum(axis=2), (end * down[:, None]).sum(axis=2)
    beside_start, beside_end = (start * across[:, None]).sum(axis=2), (end * across[:, None]).sum(axis=2)
    crosses = (below_start > 0) != (below_end > 0)
    share = below_start / np.where(crosses, below_start - below_end, 1.0)
    beside = np.where(crosses, beside_start + share * (beside_end - beside_start), np.nan)
    is_inside = ((beside > 0).sum(axis=1) % 2) == 1
    right = np.where(beside > 0, beside, np.inf).min(axis=1)
    left = np.where(beside <= 0, -beside, np.inf).min(axis=1)
    known = is_inside & np.isfinite(left) & np.isfinite(right)
    left, right = np.where(known, left, 0.0), np.where(known, right, 0.0)
    if not known.any():
        return left, right
    # A neighbour that was cut out along with it would be drawn as a spike: no side is wider than the whole usually is.
    most = float(np.sort(left + right)[len(left) // 2])
    return np.minimum(left, most), np.minimum(right, most)


def _bilinear(pixels: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    height, width = pixels.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    sideways, down = x - left, y - top
    upper = pixels[top, left] * (1 - sideways) + pixels[top, right] * sideways
    lower = pixels[bottom, left] * (1 - sideways) + pixels[bottom, right] * sideways
    return np.asarray(upper * (1 - down) + lower * down + 0.5).astype(np.uint8)
