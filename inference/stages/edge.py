"""Where a cell's cuts end: at one darkness of that picture, as far as bare ground lies behind it.

A network draws each outline for itself, in working pixels, and a cell's chromosomes end at levels that scatter.  A
picture was taken at one exposure: its level is told by many cuts together, and followed in pixels of the original.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

NEAR = 1.0  # logits within which a pixel lies on a cut's edge
FREE = 0.2  # of a pixel, that others may take, for it to tell where the ground begins
STEEP = 0.05  # logits for one step of density, 0..255
MOVED = 2.0  # logits within which an edge may be moved
REACH = 2  # pixels of the original
NEAREST = 24  # cuts, half a cell
WITHIN = 3.0  # logits beyond which a pixel lies well within a cut, or well outside it
# 0.39 ± 0.02 in made scenes of 40 cells; fields in fluorescence, as people draw them, scatter from 0.1 to 0.45.
SHARE = 0.385
_BARE = 0.05  # of a pixel, that others may take, for it to be bare ground
_LEAST, _GROUND = 20, 50  # pixels from which a cut tells the level, and the ground


def edge_levels(seen: Mapping[int, np.ndarray], telling: Collection[int], boxes: np.ndarray) -> dict[int, float]:
    """By row of `seen`, the density, 0..255, at which a cell's cuts have their edges there: of what each cut has where
    it meets bare ground, and of the NEAREST cuts the median.  One chromosome's edge is told by few pixels, theirs by
    thousands; and where a picture is darker on one side, its edges are too.  Empty where no cut tells it.

    seen: of each cut float32 (≥ 4, side, side): density 0..1, logits, anything, how many others take a pixel.
    telling: the rows that count.  boxes: float (n, 4) xyxy, in any pixels."""
    return _nearest(seen, telling, boxes, _drawn)


def levels_to_follow(seen: Mapping[int, np.ndarray], telling: Collection[int], boxes: np.ndarray) -> dict[int, float]:
    """As `edge_levels`, where cuts are to end: halfway from there to SHARE of the way from the ground to how dark they
    are within, which scatters half as much.  Told so, the second look cut fields in fluorescence worse."""
    told = [of_all for of_one in (_drawn, _darkness) if (of_all := _nearest(seen, telling, boxes, of_one))]
    return {row: float(np.mean([levels[row] for levels in told])) for row in seen} if told else {}


def _nearest(
    seen: Mapping[int, np.ndarray],
    telling: Collection[int],
    boxes: np.ndarray,
    of_one: Callable[[np.ndarray], float | None],
) -> dict[int, float]:
    """By row of `seen`, the median of what the NEAREST of the telling say; empty where none says anything."""
    own = {row: level for row in telling if (level := of_one(seen[row])) is not None}
    if not own:
        return {}
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    levels, theirs = np.array(list(own.values())), centres[list(own)]
    found = {}
    for row in seen:
        away = ((theirs - centres[row]) ** 2).sum(axis=1)
        found[row] = float(np.median(levels[np.argsort(away, kind="stable")[:NEAREST]]))
    return found


def _drawn(seen: np.ndarray) -> float | None:
    """The density where a cut ends and bare ground begins."""
    density, own, _, taken = seen[:4]
    edge = (np.abs(own) < NEAR) & (taken < FREE)
    return float(np.median(density[edge])) * 255 if int(edge.sum()) > _LEAST else None


def _darkness(seen: np.ndarray) -> float | None:
    """The density SHARE of the way from the bare ground around a cut to its own inside."""
    density, own, _, taken = seen[:4]
    inside, bare = (own > WITHIN) & (taken < FREE), (own < -WITHIN) & (taken < _BARE)
    if int(inside.sum()) < _LEAST:
        return None
    ground = float(np.median(density[bare])) if int(bare.sum()) > _GROUND else 0.0
    return (ground + SHARE * (float(density[inside].mean()) - ground)) * 255


@dataclass(frozen=True)
class Edge:
    """density: uint8 (h, w), the whole picture in pixels of the original.  level: where it ends.  taken: float32
    (side, side), how many others take a pixel of the cut's own window."""

    density: np.ndarray
    level: float
    taken: np.ndarray

    @property
    def free(self) -> np.ndarray:
        """float32 (side, side), 0..1: 1 where no other takes anything."""
        return np.clip(1 - 3 * self.taken, 0, 1).astype(np.float32)

    def followed(self, logits: np.ndarray, free: np.ndarray, left: int, top: int, cut_at: float = 0.0) -> np.ndarray:
        """Logits, float32 (rows, columns), pixels of the original from (left, top) on, moved where they are in doubt to
        what is darker than the level, outwards by REACH at most: dirt nearby is dark too.  free: of the same shape.
        cut_at: the logit from which on a pixel is the cut's own."""
        import cv2

        rows, columns = logits.shape
        darker = self.density[top : top + rows, left : left + columns].astype(np.float32) - self.level
        moved = logits + STEEP * darker * free * (np.abs(logits) < MOVED)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * REACH + 1,) * 2)
        near = cv2.dilate((logits > cut_at).astype(np.uint8), disc) > 0
        return np.asarray(np.where(near, moved, np.minimum(moved, logits)), np.float32)
