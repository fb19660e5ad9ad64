"""What the compact SAM answers, logits in a window, as masks in pixels of the original."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from inference.protocols import Mask
from inference.stages.edge import Edge

_PIECE = 0.15  # of a mask's largest piece: smaller ones are dropped
_HOLE = 12  # pixels: smaller holes in a mask are noise
_AROUND = 8  # pixels around a "not this" click within which a piece is meant by it


def mask_of(
    logits: np.ndarray,
    window: tuple[int, int, int],
    score: float,
    scale: float,
    shape: tuple[int, ...],
    clicks: np.ndarray,
    level: float = 0.0,
    edge: Edge | None = None,
) -> Mask:
    """Logits in the window to a mask in pixels of the original: enlarged smoothly first, the cell's edge followed, cut
    at the level then."""
    import cv2

    left, top, side = window
    x1, y1 = max(0, math.floor(left / scale)), max(0, math.floor(top / scale))
    x2, y2 = (min(shape[1 - axis], math.ceil((start + side) / scale)) for axis, start in ((0, left), (1, top)))
    if x1 >= x2 or y1 >= y2:
        return Mask(0, 0, np.zeros((0, 0), bool), 0.0)
    back = np.array(
        [[scale, 0, (x1 + 0.5) * scale - 0.5 - left], [0, scale, (y1 + 0.5) * scale - 0.5 - top]], np.float32
    )
    size, flags = (x2 - x1, y2 - y1), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    full: Any = cv2.warpAffine(logits, back, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=-10.0)
    if edge is not None:
        full = edge.followed(full, cv2.warpAffine(edge.free, back, size, flags=flags), x1, y1, level)
    bits = full > level
    count, pieces, about, _ = cv2.connectedComponentsWithStats(bits.astype(np.uint8), connectivity=8)
    if count == 1:
        return Mask(0, 0, np.zeros((0, 0), bool), 0.0)
    if count > 2:
        sizes = about[1:, cv2.CC_STAT_AREA]
        wanted = sizes >= _PIECE * sizes.max()
        # A click on a piece decides about it, however small or large it is; a "not this" may have hollowed its piece
        # out already, so what is left around it goes too, but for the largest, of which only a part was meant.
        for x, y, label in sorted(clicks.tolist(), key=lambda click: click[2]):
            column, row = round(x) - x1, round(y) - y1
            for reach in (_AROUND, 0) if label == 0 else (0,):
                near = pieces[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
                meant = np.setdiff1d(near, [0, 1 + sizes.argmax()] if reach else [0])
                wanted[meant - 1] = label == 1
        bits = np.isin(pieces, 1 + np.flatnonzero(wanted))
        if not bits.any():
            return Mask(0, 0, np.zeros((0, 0), bool), 0.0)
    bits = bits | _holes_small(bits)
    rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    y, x = int(rows[0]), int(columns[0])
    return Mask(x1 + x, y1 + y, bits[y : rows[-1] + 1, x : columns[-1] + 1].copy(), float(np.clip(score, 0, 1)))


def with_shared(row: int, masks: list[Mask], whole: Mask) -> Mask:
    """What lies on another is not its own edge: there the mask stays as large as it was at the first level."""
    mask = masks[row]
    if not mask.bits.any():
        return mask
    own = np.zeros_like(whole.bits)
    # A piece that is too small to count beside the mask may be large enough at the next level: it is not `whole`'s.
    for part in (whole.common(mask), *(whole.common(other) for other in masks[:row] + masks[row + 1 :])):
        y, x = part.top - whole.top, part.left - whole.left
        own[y : y + part.bits.shape[0], x : x + part.bits.shape[1]] |= part.bits
    return Mask(whole.left, whole.top, whole.bits & own, mask.score)


def _holes_small(bits: np.ndarray) -> np.ndarray:
    """Holes of a few pixels: noise.  A looped chromosome's hole is its own."""
    import cv2

    ground = np.pad(~bits, 1, constant_values=True).astype(np.uint8)  # all around is one piece, and large
    _, pieces, about, _ = cv2.connectedComponentsWithStats(ground, connectivity=4)
    small = about[:, cv2.CC_STAT_AREA] <= _HOLE
    small[[0, pieces[0, 0]]] = False  # what is not ground, and all around
    return np.asarray(small[pieces[1:-1, 1:-1]])
