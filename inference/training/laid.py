"""Crossings for the detector to learn from: a cell's own lone chromosomes laid once more over the others.

A cell has few crossings, and there the detector errs: boxes that end where another chromosome begins.  So chromosomes
that stand alone, cut out by intensity, are turned, mirrored and laid across, against or into the heaps of the same
cell: one optics, one stain, one scale, and the box of each is known, hidden parts included.  As light goes through
both, densities add.  That a cell then has a third 7 teaches nothing false: the detector is not asked to count.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

import numpy as np

from inference.backends.boxes import overlap
from inference.protocols import Mask
from inference.stages.window import levels
from inference.training.cil import AnnotatedCell, read_grey
from inference.training.cutouts import Scene, cropped, lone_masks
from inference.training.scenes import donor, laid_over

_ONE_PLACE = 0.4  # IoU of two boxes from which their cut-outs may be both chromosomes
_MOST = 8  # laid over one cell
_CROSSING = 0.65  # share laid across; the others are slid away until they only touch
_HEAPED = 0.4  # share laid upon the one laid before
_HIDDEN = 0.6  # share of a chromosome upon dark ground from which it lies on, not across
_DARK = 0.35  # of the lone ones' median density
_BEND = 0.3, 1.0  # of how densities add: at 1 each lets its share of the light through, below it greys were stretched
_TRIES, _FARTHEST = 4, 120  # places looked at for each, and pixels slid


@dataclass(frozen=True)
class Lone:
    """What a cell has to lay: which rows of its boxes stand alone, their masks, the usual room between outline and
    annotated box, and the greys of the ground."""

    rows: list[int]
    masks: list[Mask]
    room: float
    ground: float


def lone_of(pixels: np.ndarray, boxes: np.ndarray) -> Lone:
    """pixels: uint8 (h, w), dark on light.  boxes: float32 (n, 4) xyxy around their chromosomes."""
    shared = overlap(boxes, boxes) - np.eye(len(boxes)) >= _ONE_PLACE
    found = [one for one in lone_masks(pixels, boxes) if not shared[one[0]].any()] if len(boxes) else []
    rooms = [
        (mask.left - x1, mask.top - y1, x2 - mask.left - mask.bits.shape[1], y2 - mask.top - mask.bits.shape[0])
        for (x1, y1, x2, y2), (_, mask) in zip((boxes[row] for row, _ in found), found, strict=True)
    ]
    room, ground = float(np.median(rooms)) if rooms else 0.0, levels(pixels)[0]
    return Lone([row for row, _ in found], [mask for _, mask in found], room, ground)


def lay(
    pixels: np.ndarray, boxes: np.ndarray, classes: np.ndarray, lone: Lone, rng: random.Random
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cell with up to eight more chromosomes: pixels uint8 (h, w), boxes float32 (m, 4), classes (m,)."""
    if not lone.rows:
        return pixels, boxes, classes
    before = np.clip(lone.ground - pixels.astype(np.float32), 0, 255).astype(np.uint8)
    inside = [mask.window(before)[mask.bits] for mask in lone.masks]
    dark = _DARK * float(np.median(np.concatenate(inside)))
    scene = Scene("", before, lone.masks, boxes[lone.rows], False)
    density, bend = before.copy(), rng.uniform(*_BEND)
    more: list[np.ndarray] = []
    kinds: list[int] = []
    for _ in range(rng.randint(1, _MOST)):
        number = rng.randrange(len(lone.rows))
        patch, share = donor(scene, number, rng)
        bits = share > 127
        if not bits.any():
            continue
        onto = more[-1] if more and rng.random() < _HEAPED else boxes[rng.randrange(len(boxes))]
        spot = _spot(density > dark, bits, onto, rng)
        if spot is None:
            continue
        top, left = spot
        laid_over(density, patch, top, left, bend)
        around = cropped(bits)
        x, y = left + around.left, top + around.top
        room = lone.room
        more.append(np.array([x - room, y - room, x + around.bits.shape[1] + room, y + around.bits.shape[0] + room]))
        kinds.append(int(classes[lone.rows[number]]))
    if not more:
        return pixels, boxes, classes
    darker = pixels.astype(np.int16) - (density.astype(np.int16) - before)
    return (
        np.clip(darker, 0, 255).astype(np.uint8),
        np.concatenate([boxes, np.array(more)]).astype(np.float32),
        np.concatenate([classes, np.array(kinds, classes.dtype)]),
    )


def once_more(cell: AnnotatedCell, marked_off: tuple[float, float] = (0.0, 0.0)) -> tuple[AnnotatedCell, np.ndarray]:
    """The cell with more of its own chromosomes, always the same ones, as NAME-laid, and its pixels, uint8 (h, w).

    marked_off: pixels, how far the annotated boxes lie to the left of and above what they mark; those of the laid ones
    will, too."""
    off = np.array([*marked_off, *marked_off], np.float32)
    pixels, boxes = read_grey(cell.image), cell.boxes + off
    pixels, boxes, classes = lay(
        pixels, boxes, cell.classes, lone_of(pixels, boxes), random.Random(f"laid {cell.name}")
    )
    return replace(cell, name=f"{cell.name}-laid", boxes=boxes - off, classes=classes), pixels


def _spot(dark: np.ndarray, bits: np.ndarray, onto: np.ndarray, rng: random.Random) -> tuple[int, int] | None:
    """(top, left) where one of its pixels lies on a dark one in the box `onto`, or beside; None where it would leave
    the picture or lie on others, not across them."""
    height, width = dark.shape
    x1, y1 = (max(0, int(side)) for side in onto[:2])
    rows, columns = np.nonzero(dark[y1 : max(0, int(onto[3])), x1 : max(0, int(onto[2]))])
    own_rows, own_columns = np.nonzero(bits)
    if not len(rows):
        return None
    for _ in range(_TRIES):
        pick, own = rng.randrange(len(rows)), rng.randrange(len(own_rows))
        top, left = y1 + int(rows[pick]) - int(own_rows[own]), x1 + int(columns[pick]) - int(own_columns[own])
        if rng.random() >= _CROSSING:
            top, left = _aside(dark, bits, top, left, rng)
        if top < 0 or left < 0 or top + bits.shape[0] > height or left + bits.shape[1] > width:
            continue
        if _upon(dark, bits, top, left) <= _HIDDEN * len(own_rows):
            return top, left
    return None


def _aside(dark: np.ndarray, bits: np.ndarray, top: int, left: int, rng: random.Random) -> tuple[int, int]:
    """Slid away in some direction until it lies on next to nothing."""
    angle, least = rng.uniform(0, 2 * math.pi), rng.choice((0, 0, 6, 16))
    for step in range(0, _FARTHEST, 2):
        y, x = top + round(math.sin(angle) * step), left + round(math.cos(angle) * step)
        if _upon(dark, bits, y, x) <= least:
            return y, x
    return top, left


def _upon(dark: np.ndarray, bits: np.ndarray, top: int, left: int) -> int:
    """Pixels that would lie on dark ones."""
    y, x = max(0, top), max(0, left)
    part = dark[y : max(0, top + bits.shape[0]), x : max(0, left + bits.shape[1])]
    return int((part & bits[y - top : y - top + part.shape[0], x - left : x - left + part.shape[1]]).sum())
