"""From rings to pixels: masks, and chromosomes cut out and turned upright.  numpy and Pillow only.

Coordinates are those of the karyogram document: x = 0 is the left edge of the first pixel, so that pixel (0, 0)
has its centre at (0.5, 0.5).  Boxes, SVG overlays and these masks then agree to the pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from cases.reports import straight

Rings = Sequence[Sequence[Sequence[float]]]
_FINE = 4  # sub-pixels a side when an edge is softened
_WHITE = 255


def ring_mask(rings: Rings, height: int, width: int) -> np.ndarray:
    """bool (height, width): pixels whose centre lies inside, even-odd, so that a ring within a ring is a hole.

    rings: polygons, each a list of (x, y) in pixels; parts outside the picture are cut off; rings of fewer than
    three corners count for nothing.
    """
    # Each edge toggles every pixel to its right: one mark a row and edge, then a running parity along the row.
    toggles = np.zeros((height, width + 1), np.int32)
    for ring in rings:
        if len(ring) < 3:
            continue
        corners = np.asarray(ring, np.float64)
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if y0 == y1:
                continue
            top, bottom = min(y0, y1), max(y0, y1)
            rows = np.arange(max(0, math.ceil(top - 0.5)), min(height, math.ceil(bottom - 0.5)))
            crossings = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
            columns = np.clip(np.ceil(crossings - 0.5), 0, width).astype(np.int64)
            np.add.at(toggles, (rows, columns), 1)
    return (np.cumsum(toggles[:, :-1], axis=1) % 2).astype(bool)


@dataclass(frozen=True)
class CutOut:
    """One chromosome, upright.  grey: uint8 (h, w).  cover: uint8 (h, w), 0 outside the mask, soft at its edge."""

    grey: np.ndarray
    cover: np.ndarray

    @property
    def height(self) -> int:
        return int(self.grey.shape[0])

    @property
    def width(self) -> int:
        return int(self.grey.shape[1])

    def lifted(self, rows: int) -> CutOut:
        """The same over as many more rows that are all outside the mask: it then stands that much higher."""
        below = ((0, max(0, rows)), (0, 0))
        return CutOut(np.pad(self.grey, below, constant_values=_WHITE), np.pad(self.cover, below))

    def on_white(self) -> Image.Image:
        """Mode L, the chromosome over white paper."""
        share = self.cover.astype(np.float32) / 255
        return Image.fromarray((self.grey * share + _WHITE * (1 - share) + 0.5).astype(np.uint8))


def turned(points: np.ndarray, angle: float, flip: bool) -> np.ndarray:
    """Points (n, 2) turned clockwise by `angle` degrees about the origin, then mirrored left-right if `flip`."""
    turn = math.radians(angle)
    x = points[:, 0] * math.cos(turn) - points[:, 1] * math.sin(turn)
    y = points[:, 0] * math.sin(turn) + points[:, 1] * math.cos(turn)
    return np.stack([-x if flip else x, y], axis=1)


def upright_height(chromosome: dict[str, Any]) -> float:
    """How tall the chromosome stands once turned, in pixels of the original; 0 without a mask."""
    if straight.is_straightened(chromosome):
        return straight.length(chromosome)
    rings = [np.asarray(ring, np.float64) for ring in chromosome["rings"] if len(ring) >= 3]
    if not rings:
        return 0.0
    placed = turned(np.concatenate(rings), float(chromosome["angle"]), bool(chromosome["flip"]))
    return float(np.ptp(placed[:, 1]))


def upright(pixels: np.ndarray, chromosome: dict[str, Any], scale: float = 1.0) -> CutOut | None:
    """The chromosome's own pixels, turned by its angle or straightened, mirrored if so marked, at `scale` sheet pixels
    a pixel.

    pixels: uint8 (h, w) of the original.  chromosome: an entry of the karyogram document.  None without a mask.
    """
    if straight.is_straightened(chromosome):
        return CutOut(*straight.unrolled(pixels, chromosome, scale))
    rings = [np.asarray(ring, np.float64) for ring in chromosome["rings"] if len(ring) >= 3]
    if not rings:
        return None
    angle, flip = float(chromosome["angle"]), bool(chromosome["flip"])
    placed = [turned(ring, angle, flip) * scale for ring in rings]
    corners = np.concatenate(placed)
    low, high = np.floor(corners.min(axis=0) + 1e-6) - 1, np.ceil(corners.max(axis=0) - 1e-6) + 1
    width, height = (int(value) for value in high - low)
    # The same turn backwards, as Pillow wants it: from a sheet pixel to a pixel of the original.
    turn = math.radians(angle)
    cosine, sine = math.cos(turn) / scale, math.sin(turn) / scale
    mirror = -1.0 if flip else 1.0
    a, b, d, e = cosine * mirror, sine, -sine * mirror, cosine
    backwards = (a, b, a * low[0] + b * low[1], d, e, d * low[0] + e * low[1])
    # Read from a margin-padded window, so that nothing but the neighbourhood is resampled.
    source = np.concatenate(rings)
    left, top = (max(0, int(value) - 4) for value in source.min(axis=0))
    right, bottom = (int(value) + 5 for value in source.max(axis=0))
    window = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    if min(window.size) == 0:
        return None
    shifted = (a, b, backwards[2] - left, d, e, backwards[5] - top)
    grey = window.transform(
        (width, height), Image.Transform.AFFINE, shifted, resample=Image.Resampling.BICUBIC, fillcolor=_WHITE
    )
    fine = ring_mask([(ring - low) * _FINE for ring in placed], height * _FINE, width * _FINE)
    cover = fine.reshape(height, _FINE, width, _FINE).mean(axis=(1, 3))
    return CutOut(np.array(grey), (cover * 255 + 0.5).astype(np.uint8))
