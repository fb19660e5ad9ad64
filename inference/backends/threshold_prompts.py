"""Cutting by clicks without a model: the connected foreground around a click, split at necks by "not this" clicks."""

from __future__ import annotations

import heapq

import numpy as np

from inference.protocols import Mask

_SHARE_OF_FIELD = 0.06  # the long side of a middling chromosome, of the longer side of a field that shows one cell
_LEAST = 40.0  # pixels; a field may have been cropped
_SNAP = 6  # pixels: a click on a light band or a little beside means the chromosome next to it
_SPOT = 2  # pixels: the radius of ground that a click is sure of
_SPECK = 6  # pixels; what is smaller is noise
_NOTHING = Mask(0, 0, np.zeros((0, 0), bool), 0.0)


def usual_length(height: int, width: int) -> float:
    """How long a chromosome is in a field of this size, in pixels, when nothing better is known."""
    return max(_LEAST, _SHARE_OF_FIELD * max(height, width))


def cut(foreground: np.ndarray, box: np.ndarray | None, points: np.ndarray, mask: Mask | None, margin: int) -> Mask:
    """foreground: bool (h, w).  The rest as `Prompter.cut`.  margin: pixels that a mask may reach over its box."""
    left, top, right, bottom = _region(foreground.shape, box, points, mask)
    own_ground = foreground[top:bottom, left:right]
    shift = np.array([left, top], np.float64)
    present = None
    if mask is not None and mask.bits.any():
        present = _shifted(mask, left, top, own_ground.shape)
    allowed = own_ground.copy() if present is None else own_ground | present
    if box is not None:
        inside = np.zeros_like(allowed)
        low, high = np.floor(box[:2] - shift).astype(int) - margin, np.ceil(box[2:] - shift).astype(int) + margin
        inside[max(0, low[1]) : max(0, high[1]), max(0, low[0]) : max(0, high[0])] = True
        allowed &= inside if present is None else inside | present
    wanted = _snapped(points[points[:, 2] > 0, :2] - shift, allowed)
    unwanted = _snapped(points[points[:, 2] <= 0, :2] - shift, allowed)
    if present is not None:
        own = _with_pieces(present, allowed & ~present, wanted)
    elif box is not None:
        own = _largest(allowed, wanted)
    else:
        own = _with_pieces(np.zeros_like(allowed), allowed, wanted)
        own &= _within(own, wanted, 2.0 * usual_length(*foreground.shape))
    if unwanted and own.any():
        own = _split(own, wanted, unwanted)
    return _tidy(own, left, top)


def _region(shape: tuple[int, ...], box: np.ndarray | None, points: np.ndarray, mask: Mask | None) -> tuple[int, ...]:
    """left, top, right, bottom of the part of the field that can matter."""
    height, width = shape
    corners = [points[:, :2]]
    if box is not None:
        corners.append(np.asarray(box, np.float32).reshape(2, 2))
    if mask is not None and mask.bits.any():
        rows, columns = mask.bits.shape
        corners.append(np.array([[mask.left, mask.top], [mask.left + columns, mask.top + rows]], np.float32))
    reach = round(2 * usual_length(height, width))
    low = np.floor(np.concatenate(corners).min(axis=0)).astype(int) - reach
    high = np.ceil(np.concatenate(corners).max(axis=0)).astype(int) + reach
    left, top = np.clip(low, 0, [width - 1, height - 1])
    right, bottom = np.clip(high, [left + 1, top + 1], [width, height])
    return int(left), int(top), int(right), int(bottom)


def _shifted(mask: Mask, left: int, top: int, shape: tuple[int, ...]) -> np.ndarray:
    window = np.zeros(shape, bool)
    y, x = mask.top - top, mask.left - left
    rows, columns = mask.bits.shape
    inner = mask.bits[max(0, -y) : max(0, shape[0] - y), max(0, -x) : max(0, shape[1] - x)]
    y, x = max(0, y), max(0, x)
    window[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return window


def _snapped(points: np.ndarray, allowed: np.ndarray) -> list[tuple[int, int]]:
    """(row, column) of the nearest allowed pixel of each point; points far from any are left out."""
    rows, columns = np.nonzero(allowed)
    found = []
    for x, y in points:
        distance = np.hypot(rows + 0.5 - y, columns + 0.5 - x)
        if len(distance) and distance.min() <= _SNAP:
            nearest = int(distance.argmin())
            found.append((int(rows[nearest]), int(columns[nearest])))
    return found


def _with_pieces(own: np.ndarray, free: np.ndarray, wanted: list[tuple[int, int]]) -> np.ndarray:
    """`own` and the connected pieces of `free` that were clicked."""
    from scipy import ndimage

    pieces, _ = ndimage.label(free, structure=np.ones((3, 3)))
    clicked = {int(pieces[place]) for place in wanted} - {0}
    return np.asarray(own | np.isin(pieces, list(clicked)), bool)


def _largest(allowed: np.ndarray, wanted: list[tuple[int, int]]) -> np.ndarray:
    """The pieces clicked, or the largest one."""
    from scipy import ndimage

    if wanted:
        return _with_pieces(np.zeros_like(allowed), allowed, wanted)
    pieces, count = ndimage.label(allowed, structure=np.ones((3, 3)))
    if count == 0:
        return allowed
    return np.asarray(pieces == 1 + np.bincount(pieces.ravel())[1:].argmax(), bool)


def _within(own: np.ndarray, wanted: list[tuple[int, int]], reach: float) -> np.ndarray:
    """A heap of chromosomes is one piece: what lies farther than a long chromosome could reach is another's."""
    rows, columns = np.indices(own.shape)
    near = np.zeros_like(own)
    for row, column in wanted:
        near |= np.hypot(rows - row, columns - column) <= reach
    return near


def _split(own: np.ndarray, wanted: list[tuple[int, int]], unwanted: list[tuple[int, int]]) -> np.ndarray:
    """Takes away what belongs to the unwanted clicks: both sides are flooded from their clicks and meet at necks."""
    import cv2
    from scipy import ndimage

    inner = cv2.distanceTransform(np.pad(own, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    away = np.full(own.shape, np.inf)
    rows, columns = np.indices(own.shape)
    for row, column in unwanted:
        away = np.minimum(away, np.hypot(rows - row, columns - column))
    pieces, count = ndimage.label(own, structure=np.ones((3, 3)))
    marks = np.zeros(own.shape, np.int8)
    keep = list(wanted)
    refused = {int(pieces[place]) for place in unwanted}
    for piece in range(1, count + 1):
        here = pieces == piece
        if any(here[place] for place in wanted):
            continue
        if piece in refused and len(refused) < count:
            marks[here] = 2  # a piece by itself, and not this one
            continue
        # Nobody said what stays: the thickest part that lies well away from the unwanted click.
        merit = np.where(here, np.minimum(inner, 8) + 0.5 * away, -np.inf)
        thickest = np.unravel_index(merit.argmax(), merit.shape)
        keep.append((int(thickest[0]), int(thickest[1])))
    for places, value in ((keep, 1), (unwanted, 2)):
        for row, column in places:
            spot = np.hypot(rows - row, columns - column) <= _SPOT
            marks[spot & own & (marks == 0)] = value
    for row, column in unwanted:  # where both are claimed, the person's no counts
        marks[row, column] = 2
    return _flooded(inner, own, marks) == 1


def _flooded(inner: np.ndarray, own: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """int8: each pixel of `own` has the mark that reaches it when thick places are flooded before thin ones.

    Written out because what scipy and OpenCV call watershed floods by differences of grey, not by depth.
    """
    marks = np.pad(marks, 1)
    height, width = marks.shape
    free, thickness, taken = np.pad(own, 1).ravel().tolist(), np.pad(inner, 1).ravel().tolist(), marks.ravel().tolist()
    steps = (-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1)
    queue = [(-thickness[place], place) for place in np.flatnonzero(marks).tolist()]
    heapq.heapify(queue)
    while queue:
        _, place = heapq.heappop(queue)
        for step in steps:
            beside = place + step
            if free[beside] and not taken[beside]:
                taken[beside] = taken[place]
                heapq.heappush(queue, (-thickness[beside], beside))
    return np.array(taken, np.int8).reshape(height, width)[1:-1, 1:-1]


def _tidy(own: np.ndarray, left: int, top: int) -> Mask:
    """Crumbs and holes gone, the outline smoothed.  The score is how much of its hull the shape fills."""
    import cv2
    from scipy import ndimage

    pieces, count = ndimage.label(own, structure=np.ones((3, 3)))
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        own = np.isin(pieces, np.flatnonzero(sizes >= _SPECK))
    own = ndimage.binary_fill_holes(own)
    smooth = cv2.GaussianBlur(np.pad(own, 4).astype(np.float32), (0, 0), 1.0)[4:-4, 4:-4] > 0.5
    own = smooth if smooth.any() else own
    if int(own.sum()) < _SPECK:
        return _NOTHING
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    bits = own[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    points = np.argwhere(bits)[:, ::-1].astype(np.int32)
    hull = max(float(cv2.contourArea(cv2.convexHull(points))), float(bits.sum()))
    return Mask(left + int(columns[0]), top + int(rows[0]), bits.copy(), round(float(bits.sum()) / hull, 4))
