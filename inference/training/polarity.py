"""Which end of an upright crop is the p arm's, found out without anybody having marked it.

Within a class the profiles of all chromosomes are the same but for half of them standing on their heads.  So each is
turned whichever way fits the class's mean profile better, the mean is taken again, and so on; the first mean is what
the ideogram lets expect, which also decides which of the two ways is up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.labels import CHROMOSOMES

POINTS = 48  # of a profile, from one end of the mask to the other
BANDS = Path(__file__).resolve().parents[2] / "cases" / "static" / "cases" / "bands.json"  # the editor's own file
_STAIN = {"gneg": 0.0, "gvar": 0.7, "acen": 0.45, "stalk": 0.1}
_ROUNDS = 6
_WIDTH_SHARE = 0.35  # of the evidence: how wide it is along its length, beside how dark


@dataclass(frozen=True)
class Orientation:
    """p_up: bool (n,), the p arm lies at the top of the crop.  margin: float32 (n,) ≥ 0, by how much that fits better
    than the other way (correlations: 0 … 2).  means: float32 (24, 2, POINTS), density and width with the p arm first;
    agreement: float (24,), how the mean density goes with the ideogram's."""

    p_up: np.ndarray
    margin: np.ndarray
    means: np.ndarray
    agreement: np.ndarray


def profiles(crops: np.ndarray) -> np.ndarray:
    """uint8 (n, CHANNELS, HEIGHT, WIDTH) → float32 (n, 2, POINTS): mean density across, and width, along each mask's
    height; each with mean 0 and length 1.  Rows of zeros where there is no mask."""
    found = np.zeros((len(crops), 2, POINTS), np.float32)
    at = (np.arange(POINTS) + 0.5) / POINTS
    for index, (density, meant) in enumerate(crops[:, :2]):
        inside = meant > 127
        width = inside.sum(axis=1)
        rows = np.flatnonzero(width)
        if len(rows) < 12:
            continue
        part = slice(rows[0], rows[-1] + 1)
        dark = (density[part].astype(np.float32) * inside[part]).sum(axis=1) / np.maximum(width[part], 1)
        places = at * (rows[-1] + 1 - rows[0]) - 0.5
        for kind, values in enumerate((dark, width[part].astype(np.float32))):
            found[index, kind] = np.interp(places, np.arange(len(values)), values)
    return _normed(found)


def expected(bands: Path) -> np.ndarray:
    """float32 (24, POINTS): how dark the bands let expect each class along its length, p arm first, normed."""
    from scipy.ndimage import gaussian_filter1d

    table = json.loads(bands.read_text())["levels"]["550"]
    rows = []
    for label in CHROMOSOMES:
        stops = np.array([band[2] for band in table[label]], np.float64)
        stains = [band[3] for band in table[label]]
        values = np.array([int(stain[4:]) / 100 if stain.startswith("gpos") else _STAIN[stain] for stain in stains])
        fine = (np.arange(480) + 0.5) / 480 * stops[-1]
        pattern = values[np.searchsorted(stops, fine)]
        rows.append(gaussian_filter1d(pattern, 14, mode="nearest").reshape(POINTS, -1).mean(axis=1))
    return _normed(np.asarray(rows, np.float32))


def orient(crops: np.ndarray, classes: np.ndarray, bands: Path = BANDS) -> Orientation:
    """crops: uint8 (n, CHANNELS, HEIGHT, WIDTH).  classes: int (n,), 0..23; others are left with margin 0."""
    patterns = expected(bands)
    seen = profiles(crops)
    p_up = np.ones(len(crops), bool)
    margin = np.zeros(len(crops), np.float32)
    means = np.zeros((len(CHROMOSOMES), 2, POINTS), np.float32)
    agreement = np.zeros(len(CHROMOSOMES))
    for index in range(len(CHROMOSOMES)):
        rows = np.flatnonzero((classes == index) & seen.any(axis=(1, 2)))
        if len(rows) == 0:
            continue
        both = np.stack([seen[rows], seen[rows][:, :, ::-1]])  # as it is, and upside down
        mean = np.stack([patterns[index], np.zeros(POINTS, np.float32)])
        for _ in range(_ROUNDS):
            fits = both[:, :, 0] @ mean[0] + _WIDTH_SHARE * (both[:, :, 1] @ mean[1])
            up = fits[0] >= fits[1]
            mean = _normed(np.where(up[:, None, None], both[0], both[1]).mean(axis=0))
        p_up[rows], margin[rows] = up, np.abs(fits[0] - fits[1])
        means[index], agreement[index] = mean, float(mean[0] @ patterns[index])
    return Orientation(p_up, margin, means, agreement)


def _normed(values: np.ndarray) -> np.ndarray:
    values = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-6), np.float32)
