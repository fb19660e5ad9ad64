"""The classical segmenter: flatten the ground, Otsu, and share touching foreground out among the boxes.

It needs no weights and serves until a SAM fine-tuned on chromosomes ships.  Its limits: a pixel goes to one
chromosome only (except where a crossing is bridged), and what Otsu takes for ground stays ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.backends import threshold_prompts
from inference.protocols import Mask, ModelInfo

_MARGIN = 2  # pixels that a mask may reach over its box: detectors draw boxes a little tight
_LEAST_PIECE = 0.12  # of a mask's largest piece: smaller ones are a neighbour's tip or dirt
_EMPTY = np.zeros((0, 0), bool)


@dataclass(frozen=True)
class _Window:
    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


class ThresholdSegmenter:
    """A Segmenter and a Prompter."""

    info = ModelInfo("segmenter", "threshold", "1", "")
    cut_trusted_from: float | None = None
    key = "threshold-1"

    def segment(self, pixels: np.ndarray, boxes: np.ndarray, sure: np.ndarray | None = None) -> list[Mask]:
        """One mask a box.  A mask's score is how well its own extent fills the box, 0..1."""
        if len(boxes) == 0:
            return []
        height, width = pixels.shape
        windows = [_window(box, height, width) for box in boxes]
        foreground = _foreground(pixels, boxes, windows)
        owners = _share_out(foreground, windows)
        return [
            _finished(owners[window.area] == index + 1, foreground[window.area], window, box)
            for index, (window, box) in enumerate(zip(windows, boxes, strict=True))
        ]

    def embed(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """foreground: uint8 (h, w), 1 where there is a chromosome."""
        import cv2

        reach = int(np.clip(0.8 * threshold_prompts.usual_length(*pixels.shape), 21, 121)) | 1
        depth, ground = _depth(pixels, reach)
        around = cv2.dilate((depth > 10).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
        level = _otsu(depth[around]) if around.any() else 255.0
        return {"foreground": _above(depth, ground, level).astype(np.uint8)}

    def cut(
        self,
        pixels: np.ndarray,
        embedding: dict[str, np.ndarray],
        box: np.ndarray | None,
        points: np.ndarray,
        mask: Mask | None,
        others: Sequence[Mask] = (),
    ) -> Mask:
        """A box alone is cut as `segment` does; clicks take and split connected foreground."""
        if box is not None and len(points) == 0 and mask is None:
            return self.segment(pixels, np.asarray(box, np.float32)[None])[0]
        return threshold_prompts.cut(embedding["foreground"] > 0, box, points, mask, _MARGIN)


def _window(box: np.ndarray, height: int, width: int) -> _Window:
    left, top = (max(0, int(np.floor(value)) - _MARGIN) for value in box[:2])
    right, bottom = int(np.ceil(box[2])) + _MARGIN, int(np.ceil(box[3])) + _MARGIN
    return _Window(min(left, width - 1), min(top, height - 1), min(right, width), min(bottom, height))


def _foreground(pixels: np.ndarray, boxes: np.ndarray, windows: list[_Window]) -> np.ndarray:
    """bool (h, w): chromosome or not."""
    long_side = float(np.median(np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])))
    depth, ground = _depth(pixels, int(np.clip(0.8 * long_side, 21, 121)) | 1)
    looked_at = np.zeros(pixels.shape, bool)
    for window in windows:
        looked_at[window.area] = True
    return _above(depth, ground, _otsu(depth[looked_at]))


def _depth(pixels: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 (h, w): how much darker than the ground, 0..255; and the ground, uint8 (h, w).

    The ground is a closing wider than a chromosome and narrower than a nucleus: nuclei become ground and vanish.
    reach: its width, odd, pixels.
    """
    import cv2

    smooth = cv2.GaussianBlur(pixels, (0, 0), 0.8)
    # The ground is broad by nature: a third of the resolution shows it as well, nine times as fast.
    small = cv2.resize(smooth, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach // 3 | 1, reach // 3 | 1))
    closed = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, disc), (0, 0), reach / 12)
    ground = cv2.resize(closed, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(ground.astype(np.float32) - smooth, 0, 255), ground


def _above(depth: np.ndarray, ground: np.ndarray, level: float) -> np.ndarray:
    """bool (h, w): darker than the ground by the level, and no nucleus."""
    import cv2

    # A little below Otsu's level: light bands belong to the chromosome, and its edge is a slope.
    foreground = depth > max(0.8 * level, 4.0)
    dark_ground = ground < np.median(ground) - max(1.2 * level, 20.0)
    return foreground & ~cv2.erode(dark_ground.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)


def _otsu(values: np.ndarray) -> float:
    """Otsu's level of values 0..255."""
    import cv2

    level, _ = cv2.threshold(values.astype(np.uint8).reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(level)


def _share_out(foreground: np.ndarray, windows: list[_Window]) -> np.ndarray:
    """int32 (h, w): 1 + the index of the box that owns a pixel, 0 for none.

    Every chromosome lies whole in its own box, so foreground in one box only is certainly that box's.  From these
    certain parts each box walks through the foreground within its bounds; a contested pixel goes to the box that
    reaches it by the shortest way.
    """
    import cv2
    from scipy import ndimage

    claims = np.zeros(foreground.shape, np.int32)
    for window in windows:
        claims[window.area] += 1
    inside = foreground & (claims > 0)
    inner = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    pieces, _ = ndimage.label(inside, structure=np.ones((3, 3)))
    certain = [_certain(inside[window.area] & (claims[window.area] == 1)) for window in windows]
    taken = np.zeros(foreground.shape, bool)
    for window, own in zip(windows, certain, strict=True):
        taken[window.area] |= own
    nearest = np.full(foreground.shape, np.inf, np.float32)
    owners = np.zeros(foreground.shape, np.int32)
    for index, (window, own) in enumerate(zip(windows, certain, strict=True)):
        here = inside[window.area]
        if not own.any():
            own = _enclosed(pieces[window.area], here, taken[window.area])
        ways = _ways(here, own, inner[window.area])
        closer = ways < nearest[window.area]
        nearest[window.area][closer] = ways[closer]
        owners[window.area][closer] = index + 1
    return owners


def _certain(own: np.ndarray) -> np.ndarray:
    """Exclusive foreground without slivers: a box drawn a pixel wide of its chromosome proves nothing."""
    from scipy import ndimage

    pieces, count = ndimage.label(own, structure=np.ones((3, 3)))
    if count == 0:
        return own
    sizes = np.bincount(pieces.ravel())[1:]
    return np.isin(pieces, 1 + np.flatnonzero(sizes >= max(12, 0.1 * sizes.max())))


def _enclosed(pieces: np.ndarray, here: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Where a box starts that has no foreground of its own: the piece no other box is sure of, or its middle."""
    free = np.where(np.isin(pieces, np.unique(pieces[taken])), 0, pieces)
    sizes = np.bincount(free.ravel())
    if len(sizes) > 1:
        return free == 1 + sizes[1:].argmax()
    height, width = here.shape
    middle = np.zeros_like(here)
    middle[height // 3 : height - height // 3, width // 3 : width - width // 3] = True
    return here & middle & ~taken


def _ways(here: np.ndarray, start: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """float32 of the window's shape: the length of the shortest way from `start` through `here`; inf outside.

    Steps along the rim count double, so that ways run down the middle of a chromosome and halt at necks.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import dijkstra

    ways = np.full(here.shape, np.inf, np.float32)
    nodes = np.full(here.shape, -1, np.int64)
    nodes[here] = np.arange(here.sum())
    sources = nodes[here & start]
    if len(sources) == 0:
        return ways
    price = 1.0 + 1.0 / np.maximum(inner, 1.0)
    froms, tos, costs = [], [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one = (slice(0, here.shape[0] - dy), slice(max(0, -dx), here.shape[1] - max(0, dx)))
        two = (slice(dy, here.shape[0]), slice(max(0, dx), here.shape[1] - max(0, -dx)))
        both = here[one] & here[two]
        froms.append(nodes[one][both])
        tos.append(nodes[two][both])
        costs.append(np.hypot(dy, dx) * (price[one][both] + price[two][both]) / 2)
    size = int(here.sum())
    graph = sparse.csr_matrix((np.concatenate(costs), (np.concatenate(froms), np.concatenate(tos))), shape=(size, size))
    ways[here] = dijkstra(graph, directed=False, indices=sources, min_only=True)
    return ways


def _finished(own: np.ndarray, foreground: np.ndarray, window: _Window, box: np.ndarray) -> Mask:
    """Pieces joined over crossings, crumbs dropped, holes filled, the outline smoothed."""
    import cv2
    from scipy import ndimage

    pieces, count = ndimage.label(own, structure=np.ones((3, 3)))
    if count == 0:
        return Mask(window.left, window.top, _EMPTY, 0.0)
    sizes = np.bincount(pieces.ravel())[1:]
    own = np.isin(pieces, 1 + np.flatnonzero(sizes >= _LEAST_PIECE * sizes.max()))
    if (sizes >= _LEAST_PIECE * sizes.max()).sum() > 1:
        own = _bridged(own, foreground)
        pieces, count = ndimage.label(own, structure=np.ones((3, 3)))
        own = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    own = ndimage.binary_fill_holes(own)
    padded = np.pad(own, 4).astype(np.float32)
    smooth = cv2.GaussianBlur(padded, (0, 0), 1.0)[4:-4, 4:-4] > 0.5
    own = smooth if smooth.any() else own
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    extent = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) + [window.left, window.top] * 2
    low, high = np.maximum(extent[:2], box[:2]), np.minimum(extent[2:], box[2:])
    shared = np.clip(high - low, 0, None).prod()
    union = (extent[2:] - extent[:2]).prod() + (box[2:] - box[:2]).prod() - shared
    bits = own[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    score = float(np.clip(shared / max(union, 1e-6), 0, 1))
    return Mask(window.left + int(columns[0]), window.top + int(rows[0]), bits, score)


def _bridged(own: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """Two parts of one chromosome under a crossing one: the foreground right between them belongs to both."""
    import cv2

    reach = int(np.clip(0.35 * max(own.shape), 5, 41)) | 1
    padded = np.pad(own, reach).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)[reach:-reach, reach:-reach].astype(bool)
    return own | (closed & foreground)
