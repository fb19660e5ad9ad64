"""Scenes whose full masks are known exactly, hidden parts included.

Lone chromosomes are laid, turned, over real cells: apart, touching and crossing.  In transmitted light densities add,
so a crossing is darker than either; how the picture was stretched afterwards is unknown, so the sum is bent by
chance.  The real cell around stays as it is: its other chromosomes are what must be left out.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from inference.protocols import Mask
from inference.training.cutouts import Exact, Scene, cropped, share_of, shrunk, tight_boxes

_HALO = 3  # pixels of soft edge that go with a chromosome


@dataclass
class Placed:
    """One chromosome in a scene.  kind: lone, touching or crossing (with another exact one)."""

    mask: Mask
    box: np.ndarray | None  # as annotated; None: to be drawn around the mask
    kind: str = "lone"


@dataclass
class Composed:
    """density: uint8 (h, w).  placed: every chromosome whose mask is known.  others: float32 (n, 4), boxes of those
    whose mask is not."""

    density: np.ndarray
    placed: list[Placed]
    others: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def donor(scene: Scene, row: int, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """One lone chromosome, turned at random and a little larger or smaller: density and how much of each pixel it
    covers, uint8 (h, w) both."""
    import cv2

    mask = scene.masks[row]
    rows, columns = mask.bits.shape
    padded = np.zeros((rows + 2 * _HALO, columns + 2 * _HALO), np.uint8)
    top, left = mask.top - _HALO, mask.left - _HALO
    source = scene.density[max(0, top) : top + rows + 2 * _HALO, max(0, left) : left + columns + 2 * _HALO]
    y, x = max(0, -top), max(0, -left)
    padded[y : y + source.shape[0], x : x + source.shape[1]] = source
    bits: Any = np.pad(mask.bits, _HALO).astype(np.float32)
    share: Any = np.pad(share_of(mask), _HALO)
    # Only what is the chromosome's own: its inside, and a soft edge around.
    edge = np.clip(cv2.GaussianBlur(cv2.dilate(bits, np.ones((3, 3))), (0, 0), 1.0), 0, 1)
    padded = np.asarray(padded * edge, np.uint8)
    angle, scale = rng.uniform(0, 360), math.exp(rng.gauss(0, 0.06))
    side = int(math.hypot(*padded.shape) * scale) + 4
    turn: Any = cv2.getRotationMatrix2D((padded.shape[1] / 2 - 0.5, padded.shape[0] / 2 - 0.5), angle, scale)
    turn[:, 2] += (np.array([side, side]) - padded.shape[::-1]) / 2
    if rng.random() < 0.5:
        padded, share = padded[:, ::-1].copy(), share[:, ::-1].copy()
    density = cv2.warpAffine(padded, turn, (side, side), flags=cv2.INTER_LINEAR)
    turned = cv2.warpAffine(share, turn, (side, side), flags=cv2.INTER_LINEAR)
    if not (turned > 127).any():
        return padded, share
    around = cropped(turned > 127)
    area = (
        slice(max(0, around.top - _HALO), around.top + around.bits.shape[0] + _HALO),
        slice(max(0, around.left - _HALO), around.left + around.bits.shape[1] + _HALO),
    )
    return density[area], turned[area]


def _added(below: np.ndarray, above: np.ndarray, bend: float) -> np.ndarray:
    """Densities 0..255 one over the other.  bend 0: they add and clip; 1: light is let through by both in turn."""
    one, other = below.astype(np.float32), above.astype(np.float32)
    return np.clip(one + other - bend * one * other / 255, 0, 255).astype(np.uint8)


def laid_over(canvas: np.ndarray, density: np.ndarray, top: int, left: int, bend: float) -> None:
    height, width = canvas.shape
    y1, x1 = max(0, top), max(0, left)
    y2, x2 = min(height, top + density.shape[0]), min(width, left + density.shape[1])
    if y1 < y2 and x1 < x2:
        part = density[y1 - top : y2 - top, x1 - left : x2 - left]
        canvas[y1:y2, x1:x2] = _added(canvas[y1:y2, x1:x2], part, bend)


def shared_area(one: Mask, other: Mask) -> int:
    return int(one.common(other).bits.sum())


def _grown(mask: Mask) -> Mask:
    import cv2

    bits = cv2.dilate(np.pad(mask.bits, 2).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return Mask(mask.left - 2, mask.top - 2, bits, mask.score)


def _place(
    bits: np.ndarray, beside: Placed, crossing: bool, shape: tuple[int, int], rng: random.Random
) -> tuple[int, int] | None:
    """(top, left) of the new chromosome's window; None where it would leave the scene."""
    rows, columns = np.nonzero(beside.mask.bits)
    pick = rng.randrange(len(rows))
    y, x = beside.mask.top + int(rows[pick]), beside.mask.left + int(columns[pick])
    own_rows, own_columns = np.nonzero(bits)
    own = rng.randrange(len(own_rows))
    top, left = y - int(own_rows[own]), x - int(own_columns[own])
    if not crossing:  # slide away until they only touch
        angle = rng.uniform(0, 2 * math.pi)
        dy, dx = math.sin(angle), math.cos(angle)
        least = rng.choice((0, 0, 4, 10))
        for step in range(0, 160):
            at = Mask(left + round(dx * step), top + round(dy * step), bits, 1.0)
            if shared_area(at, beside.mask) <= least:
                top, left = at.top, at.left
                break
    height, width = shape
    if top < 2 or left < 2 or top + bits.shape[0] > height - 2 or left + bits.shape[1] > width - 2:
        return None
    return top, left


def compose(
    base: Composed,
    donors: list[tuple[np.ndarray, np.ndarray]],
    rng: random.Random,
    *,
    crossing: float = 0.6,
    heaps: float = 0.0,
) -> Composed:
    """Lay the donors over (crossing: this share) or against the base's exact chromosomes, or where there is room.
    heaps: this share goes to the one laid last, so that more than two come together."""
    density, placed = base.density.copy(), list(base.placed)
    bend = rng.uniform(0.0, 0.8)
    for patch, share in donors:
        bits = share > 127
        if not bits.any():
            continue
        strength = math.exp(rng.gauss(0, 0.1))
        patch = np.clip(patch * strength, 0, 255).astype(np.uint8)
        spot = None
        for _ in range(4):
            if placed and rng.random() < 0.85:
                beside = placed[-1] if heaps and rng.random() < heaps else rng.choice(placed)
                spot = _place(bits, beside, rng.random() < crossing, density.shape, rng)
            else:
                room = density.shape[0] - bits.shape[0] - 4, density.shape[1] - bits.shape[1] - 4
                spot = (2 + rng.randrange(room[0]), 2 + rng.randrange(room[1])) if min(room) > 0 else None
            if spot is not None:
                break
        if spot is None:
            continue
        top, left = spot
        mask = Exact.of(left, top, share)
        covered = [shared_area(mask, other.mask) for other in placed]
        if sum(covered) > 0.55 * mask.bits.sum() or any(
            part > 0.55 * other.mask.bits.sum() for part, other in zip(covered, placed, strict=True)
        ):
            continue  # lies on it, not across it
        laid_over(density, patch, top, left, bend)
        placed.append(Placed(mask, None))
    mark_kinds(placed)
    return Composed(density, placed, base.others)


def mark_kinds(placed: list[Placed]) -> None:
    for index, one in enumerate(placed):
        wide = _grown(one.mask)
        for other in placed[index + 1 :]:
            if shared_area(one.mask, other.mask) >= 12:
                one.kind = other.kind = "crossing"
            elif shared_area(wide, other.mask) >= 3:
                one.kind, other.kind = ("crossing" if item.kind == "crossing" else "touching" for item in (one, other))


def base_of(scene: Scene) -> Composed:
    placed = [Placed(mask, box) for mask, box in zip(scene.masks, scene.boxes, strict=True)]
    return Composed(scene.density, placed, scene.others)


def crop_of(scene: Scene, side: int, rng: random.Random) -> Composed:
    """A square of the cell, turned by quarters, mirrored, a little larger or smaller, with the exact masks in it."""
    import cv2

    scale = math.exp(rng.gauss(0, 0.13))
    reach = round(side / scale)
    height, width = scene.density.shape
    left = rng.randint(min(0, width - reach), max(0, width - reach))
    top = rng.randint(min(0, height - reach), max(0, height - reach))
    window = np.zeros((reach, reach), np.uint8)
    y1, x1 = max(0, top), max(0, left)
    part = scene.density[y1 : top + reach, x1 : left + reach]
    window[y1 - top : y1 - top + part.shape[0], x1 - left : x1 - left + part.shape[1]] = part
    density = cv2.resize(window, (side, side), interpolation=cv2.INTER_LINEAR)
    actual = side / reach
    placed = []
    others = list(scene.others)
    turns, mirrored = rng.randrange(4), rng.random() < 0.5
    for mask, box in zip(scene.masks, scene.boxes, strict=True):
        rows, columns = mask.bits.shape
        right, bottom = mask.left + columns, mask.top + rows
        if min(mask.left - left, mask.top - top) < 2 or max(right - left, bottom - top) > reach - 2:
            others.append(box)
            continue
        moved = shrunk(replace(mask, left=mask.left - left, top=mask.top - top), actual)
        full = moved.bits
        if not full.any():
            continue
        turned = _turned(moved, side, turns, mirrored)
        corner = _turned_box((box - [left, top, left, top]) * actual, side, turns, mirrored)
        placed.append(Placed(turned, corner))
    around = [_turned_box((box - [left, top, left, top]) * actual, side, turns, mirrored) for box in others]
    density = np.rot90(density, turns)
    return Composed(
        np.ascontiguousarray(density[:, ::-1] if mirrored else density),
        placed,
        np.asarray([box for box in around if box[:2].max() < side and box[2:].min() > 0], np.float32).reshape(-1, 4),
    )


def _turned_box(box: np.ndarray, side: int, turns: int, mirrored: bool) -> np.ndarray:
    x1, y1, x2, y2 = box
    for _ in range(turns):  # counter-clockwise, as np.rot90
        x1, y1, x2, y2 = y1, side - x2, y2, side - x1
    if mirrored:
        x1, x2 = side - x2, side - x1
    return np.array([x1, y1, x2, y2], np.float32)


def _turned(mask: Mask, side: int, turns: int, mirrored: bool) -> Exact:
    rows, columns = mask.bits.shape
    box = np.array([mask.left, mask.top, mask.left + columns, mask.top + rows], np.float64)
    share = np.rot90(share_of(mask), turns)
    box = _turned_box(box, side, turns, mirrored)
    return Exact.of(round(float(box[0])), round(float(box[1])), share[:, ::-1] if mirrored else share)


def boxes_of(composed: Composed, rng: random.Random) -> np.ndarray:
    """float32 (n, 4): boxes as annotators or a detector draw them, tight or with some slack."""
    tight = tight_boxes([one.mask for one in composed.placed])
    loose = rng.random() < 0.65
    found = []
    for one, box in zip(composed.placed, tight, strict=True):
        drawn = one.box if one.box is not None and rng.random() < 0.8 else None
        if drawn is None:
            reach = [rng.uniform(1, 8) if loose else rng.uniform(-1, 2) for _ in range(4)]
            drawn = box + [-reach[0], -reach[1], reach[2], reach[3]]
        wide, high = drawn[2] - drawn[0], drawn[3] - drawn[1]
        errs = [rng.gauss(0, 0.02) for _ in range(4)]
        found.append(drawn + np.array([errs[0] * wide, errs[1] * high, errs[2] * wide, errs[3] * high]))
    return np.asarray(found, np.float32).reshape(-1, 4)


def exposed(density: np.ndarray, rng: random.Random) -> np.ndarray:
    """The same scene under another exposure, focus and noise."""
    import cv2

    levels = np.arange(256) / 255
    gamma, gain = math.exp(rng.gauss(0, 0.2)), math.exp(rng.gauss(0, 0.12))
    table = np.clip(255 * gain * levels**gamma + rng.gauss(0, 3), 0, 255).astype(np.uint8)
    seen = table[density]
    if rng.random() < 0.35:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 1.1))
    if rng.random() < 0.4:
        noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(1, 7), seen.shape)
        seen = np.clip(seen + noise, 0, 255).astype(np.uint8)
    return np.asarray(seen, np.uint8)
