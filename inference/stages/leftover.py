"""Where the cuts leave something over, and what to point at so that it is cut.

Two chromosomes that cross as an X fill one box: the detector gives the place one box, the segmenter cuts one of the two
out of it, and the arms of the other stay dark on both sides of the cut, explained by nothing.  A box that ends at a
crossing cuts its chromosome short there, and where two touch a cut may bend from one into the other.  All of it shows
in what is dark and in no cut.  Such arms are pointed at, and what the segmenter makes of that is one candidate more
(inference.stages.cut), judged as all others are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.protocols import Mask
from inference.stages.window import seen_density

ROOM = 2.0  # pixels around a chromosome in the box that it is cut in
_MOST = 100  # asked of one picture: above any cell, and a bound on time for a picture that is none
_SURE = 0.3  # detection score from which a cut explains what it covers
_DARK = 0.4  # of the chromosomes' median density
# Widths of a chromosome: around a cut its own blur is no arm; what is thinner than twice the second is none either;
# what is left over and thicker than twice the third is a nucleus, and so its edge.
_RIM, _THIN, _THICK, _RIM_OF_THICK = 0.08, 0.13, 0.8, 0.25
_LEAST = 0.03  # of the median area, an arm
_FARTHEST = 3.2  # widths between two arms' feet
_STRAIGHT = 0.3  # cosine between an arm and the way to the other one's foot
_COVERED, _ALL_DARK = 0.3, 0.9  # of the way from foot to foot: within the cut, and dark
_ASIDE, _FAR_ASIDE = 0.8, 2.0  # widths beside that way, between which a cut's own arms are pointed away from
_END, _END_SHARE = 1.6, 0.3  # widths, and share of a cut, that adjoin another where it meets that with its end
_LONG, _INTO = 1.2, 1.7  # widths, an arm and the way on from it within a cut that is more than lying across
_HALF, _WIDENING, _GAP = 0.4, 0.15, 0.25  # widths: half of that way's breadth, how it grows, and what ends it
_BEND = 0.9  # widths beside it, from which on the cut is the other chromosome


@dataclass(frozen=True)
class Asked:
    """What to cut.  kind: "across" a cut, "beyond" it to another one's end, or "into" a leg of it.
    box: float32 (4,) xyxy.  points: float32 (n, 3), as `Prompter.cut` takes them."""

    kind: str
    box: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class _Arm:
    """middle: (2,), its deepest point, x and y.  box: (4,) xyxy.  pixels: int (n, 2), x and y."""

    middle: np.ndarray
    box: np.ndarray
    pixels: np.ndarray

    @classmethod
    def of(cls, bits: np.ndarray, left: int, top: int) -> _Arm:
        deep = np.unravel_index(_depths(bits).argmax(), bits.shape)
        rows, columns = np.nonzero(bits)
        corner = np.array([left, top])
        far = corner + [bits.shape[1], bits.shape[0]]
        return cls(corner + [deep[1], deep[0]], np.array([*corner, *far]), corner + np.column_stack([columns, rows]))

    def reach(self, foot: np.ndarray) -> np.ndarray:
        """float (2,): from its foot to its far end."""
        away = self.pixels - foot
        return np.asarray(away[(away**2).sum(axis=1).argmax()])


@dataclass(frozen=True)
class _Field:
    """dark: bool (h, w).  labels: int32 (h, w), of what is left over.  arms: by label.  width: of a chromosome."""

    dark: np.ndarray
    labels: np.ndarray
    arms: dict[int, _Arm]
    width: float


def asked(pixels: np.ndarray, scores: np.ndarray, masks: Sequence[Mask]) -> list[Asked]:
    """What the cuts leave over, likeliest kinds first.  pixels: uint8 (h, w), dark chromosomes on a light ground.
    scores: float (n,), the detector's.  masks: one each."""
    sure = [mask for mask, score in zip(masks, scores, strict=True) if score >= _SURE and mask.bits.any()]
    if not sure:
        return []
    field = _field(pixels, sure)
    found = [one for mask in sure for one in _of(mask, sure, field)] if field.arms else []
    order = ("across", "beyond", "into")
    return sorted(found, key=lambda one: order.index(one.kind))[:_MOST]


def adjoining(pixels: np.ndarray, masks: Sequence[Mask]) -> list[tuple[int, int]]:
    """What is dark, in none of the masks, and touches one of them: (pixels, row of the mask), largest first.
    pixels: uint8 (h, w), dark chromosomes on a light ground.  masks: of all that was taken for a chromosome."""
    there = [row for row, mask in enumerate(masks) if mask.bits.any()]
    if not there:
        return []
    field = _field(pixels, [masks[row] for row in there])
    beside: dict[int, list[tuple[int, int]]] = {}
    for row in there if field.arms else []:
        rim = _with_rim(masks[row], field)
        labels, met = np.unique(rim.window(field.labels)[rim.bits], return_counts=True)
        for label, count in zip(labels.tolist(), met.tolist(), strict=True):
            beside.setdefault(label, []).append((count, row))
    found = [(len(arm.pixels), max(beside[label])[1]) for label, arm in field.arms.items() if label in beside]
    return sorted(found, reverse=True)


def _field(pixels: np.ndarray, sure: Sequence[Mask]) -> _Field:
    import cv2

    density = cv2.GaussianBlur(seen_density(pixels), (0, 0), 0.8)
    width = 2 * float(np.median([_depths(mask.bits).max() for mask in sure]))
    area = float(np.median([mask.bits.sum() for mask in sure]))
    dark = density > _DARK * float(np.median(np.concatenate([mask.window(density)[mask.bits] for mask in sure])))
    covered = np.zeros(dark.shape, np.uint8)
    for mask in sure:
        mask.window(covered)[mask.bits] = 1
    left = (dark & (cv2.dilate(covered, _disc(_RIM * width)) == 0)).astype(np.uint8)
    # Half as fine is fine enough for nuclei, and four times as fast.
    half = tuple(max(1, side // 2) for side in left.shape[::-1])
    thick = cv2.resize(left, half, interpolation=cv2.INTER_NEAREST)
    thick = cv2.morphologyEx(thick, cv2.MORPH_OPEN, _disc(_THICK * width / 2))
    if thick.any():
        thick = cv2.resize(thick, left.shape[::-1], interpolation=cv2.INTER_NEAREST)
        left[cv2.dilate(thick, _disc(_RIM_OF_THICK * width)) > 0] = 0
    left = cv2.morphologyEx(left, cv2.MORPH_OPEN, _disc(_THIN * width))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(left, connectivity=8)
    arms = {}
    for label in range(1, count):
        x, y, across, down, size = facts[label].tolist()
        if size >= _LEAST * area:
            arms[label] = _Arm.of(labels[y : y + down, x : x + across] == label, x, y)
    return _Field(dark, labels, arms, width)


def _of(mask: Mask, sure: Sequence[Mask], field: _Field) -> Iterator[Asked]:
    """What adjoins one of the cuts."""
    rim = _with_rim(mask, field)
    there = rim.window(field.labels)
    sides = []
    for label in np.unique(there[rim.bits]).tolist():
        if label in field.arms:
            rows, columns = np.nonzero(rim.bits & (there == label))
            sides.append((field.arms[label], np.array([rim.left + columns.mean(), rim.top + rows.mean()])))
    if not sides:
        return
    ends = []
    for piece in sure:
        foot = None if piece is mask else _end_on(piece, rim, field.width)
        if foot is not None:
            ends.append((_Arm.of(piece.bits, piece.left, piece.top), foot))
    for place, (one, its_foot) in enumerate(sides):
        for kind, others in (("across", sides[place + 1 :]), ("beyond", ends)):
            for other, foot in others:
                if _straight(one, its_foot, other, foot, field.width) and _crosses(mask, field.dark, its_foot, foot):
                    yield _through(kind, mask, one, other, its_foot, foot, field.width)
        bent = _into(mask, one, its_foot, field.width)
        if bent is not None:
            yield bent


def _with_rim(mask: Mask, field: _Field) -> Mask:
    """The cut and what lies so close to it that it adjoins, within the picture."""
    import cv2

    near = round(_RIM * field.width) + round(_THIN * field.width) + 2
    wide = cv2.dilate(np.pad(mask.bits.astype(np.uint8), near), _disc(near)) > 0
    top, left = mask.top - near, mask.left - near
    y, x = max(0, -top), max(0, -left)
    height, across = field.labels.shape
    return Mask(left + x, top + y, wide[y : height - top, x : across - left], 1.0)


def _end_on(piece: Mask, rim: Mask, width: float) -> np.ndarray | None:
    """float (2,): where a cut meets another with its end; None where it does not, or lies across it."""
    shared = piece.common(rim)
    rows, columns = np.nonzero(shared.bits)
    if len(rows) == 0 or len(rows) > _END_SHARE * piece.bits.sum() or max(np.ptp(rows), np.ptp(columns)) > _END * width:
        return None
    return np.array([shared.left + columns.mean(), shared.top + rows.mean()])


def _straight(one: _Arm, its_foot: np.ndarray, other: _Arm, foot: np.ndarray, width: float) -> bool:
    way, far = _direction(foot - its_foot)
    back, on = one.reach(its_foot), other.reach(foot)
    return bool(
        far <= _FARTHEST * width
        and -(back @ way) >= _STRAIGHT * max(float(np.linalg.norm(back)), 1e-6)
        and on @ way >= _STRAIGHT * max(float(np.linalg.norm(on)), 1e-6)
    )


def _crosses(mask: Mask, dark: np.ndarray, its_foot: np.ndarray, foot: np.ndarray) -> bool:
    """Whether the way from foot to foot leads through the cut, and nowhere over bare ground."""
    steps = np.linspace(0, 1, 25)[:, None]
    way = np.rint(its_foot * (1 - steps) + foot * steps).astype(int).clip(0, [dark.shape[1] - 1, dark.shape[0] - 1])
    columns, rows = way[:, 0] - mask.left, way[:, 1] - mask.top
    inside = (columns >= 0) & (rows >= 0) & (columns < mask.bits.shape[1]) & (rows < mask.bits.shape[0])
    inside[inside] = mask.bits[rows[inside], columns[inside]]
    return bool(inside.mean() >= _COVERED and dark[way[:, 1], way[:, 0]].mean() >= _ALL_DARK)


def _through(
    kind: str, mask: Mask, one: _Arm, other: _Arm, its_foot: np.ndarray, foot: np.ndarray, width: float
) -> Asked:
    """The two arms, and not what the cut has on either side of the way between them."""
    points = [(*one.middle, 1.0), (*other.middle, 1.0)]
    own, depths = _pixels(mask)
    way, _ = _direction(foot - its_foot)
    aside = _beside(own - its_foot, way) / width
    for side in (1, -1):
        beside = np.flatnonzero((aside * side > _ASIDE) & (aside * side < _FAR_ASIDE))
        if len(beside):
            points.append((*own[beside[depths[beside].argmax()]], 0.0))
    return Asked(kind, _around(one.box, other.box), np.array(points, np.float32))


def _into(mask: Mask, arm: _Arm, foot: np.ndarray, width: float) -> Asked | None:
    """Where the arm goes on straight within the cut, farther than through a chromosome that lies across: then the cut
    bends into it from another one."""
    way, far = _direction(-arm.reach(foot))
    if far < _LONG * width:
        return None
    own, depths = _pixels(mask)
    along, aside = (own - foot) @ way / width, np.abs(_beside(own - foot, way)) / width
    ahead = (along > 0) & (aside < _HALF + _WIDENING * np.maximum(along, 0))
    steps = np.sort(along[ahead])
    gaps = np.flatnonzero(np.diff(steps) > _GAP)
    reach = float(steps[gaps[0] if len(gaps) else -1]) if len(steps) else 0.0
    late = np.flatnonzero(ahead & (along > 0.6 * reach) & (along <= reach))
    if reach < _INTO or not len(late):
        return None
    points = [(*arm.middle, 1.0), (*own[late[depths[late].argmax()]], 1.0)]
    other = np.flatnonzero((aside > _BEND) & (np.abs(along) < reach))
    if len(other):
        points.append((*own[other[depths[other].argmax()]], 0.0))
    leg = own[ahead & (along <= reach)]
    box = np.array([*(leg.min(axis=0) - ROOM), *(leg.max(axis=0) + 1 + ROOM)])
    return Asked("into", _around(arm.box, box), np.array(points, np.float32))


def _around(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """float32 (4,): the box of two boxes, with some room."""
    low, high = np.minimum(one, other)[:2] - ROOM, np.maximum(one, other)[2:] + ROOM
    return np.array([*low, *high], np.float32)


def _direction(way: np.ndarray) -> tuple[np.ndarray, float]:
    far = float(np.linalg.norm(way))
    return way / max(far, 1e-6), far


def _beside(away: np.ndarray, way: np.ndarray) -> np.ndarray:
    """float (n,): how far points lie beside a way, to the left above 0.  away: float (n, 2), from its start."""
    return np.asarray(away @ np.array([-way[1], way[0]]))


def _pixels(mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    """int (n, 2), x and y, and float32 (n,), how deep each lies within."""
    rows, columns = np.nonzero(mask.bits)
    return np.column_stack([columns + mask.left, rows + mask.top]), _depths(mask.bits)[rows, columns]


def _depths(bits: np.ndarray) -> Any:
    """float32 (h, w): how far each pixel lies within; beyond the window is outside."""
    import cv2

    return cv2.distanceTransform(np.pad(bits.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]


def _disc(radius: float) -> Any:
    import cv2

    whole = max(1, round(radius))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * whole + 1, 2 * whole + 1))
