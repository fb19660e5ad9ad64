"""The line along the middle of a chromosome, from end to end: bent, folded-back and looped ones included."""

from __future__ import annotations

import numpy as np

_LEAST_AREA = 12  # pixels; below this there is nothing to run along
_FINE_RADIUS = 3.0  # pixels of half width at which the way is looked for: finer costs time and tells no more
_TIGHTEST = 0.25  # of a line at its ends, one over half widths: no chromosome bends more closely there
_COMPACT = 2.2  # length over width below which a shape has no way to run along, only a long axis


def medial_line(bits: np.ndarray) -> tuple[np.ndarray, float]:
    """The line, float64 (n, 2), x y in pixels of the window (a pixel's centre is at +0.5), about half a pixel-radius
    apart, from outline to outline; and half the shape's usual width in pixels.  (0, 2) for a speck.

    bits: bool (h, w).  Which end comes first means nothing yet.
    """
    import cv2

    if int(bits.sum()) < _LEAST_AREA:
        return np.zeros((0, 2)), 0.0
    solid = _solid(bits)
    depth = cv2.distanceTransform(np.pad(solid, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    # In a band of half width r the mean distance from the edge is r / 2.
    radius = max(1.0, 2 * float(depth[solid > 0].mean()))
    inside = solid > 0
    way = _swept(inside, radius)
    if way is None:
        way = _way(solid, radius)
    if way is None or _length(way) < 2 * (_COMPACT - 1) * radius:
        way = _straight(inside)
    else:
        way = _trimmed(way, radius)
        for width in (0.7, 0.4):
            way = _smooth(way, radius, width)
            across = normals(way)
            left, right = reaches(inside, way, across, 2 * radius)
            way = way + across * np.clip((right - left) / 2, -0.6 * radius, 0.6 * radius)[:, None]
        way = _smooth(way, radius, 0.3)
    return _to_the_outline(inside, way, radius), radius


def normals(line: np.ndarray) -> np.ndarray:
    """Unit vectors across the line, to the right of its direction on the picture (y grows downwards)."""
    along = tangents(line)
    return np.stack([-along[:, 1], along[:, 0]], axis=1)


def tangents(line: np.ndarray) -> np.ndarray:
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    return np.asarray(along / np.maximum(np.sqrt((along * along).sum(axis=1, keepdims=True)), 1e-9))


def arc(line: np.ndarray) -> np.ndarray:
    """float64 (n,): the way along the line to each of its points, from 0."""
    steps = line[1:] - line[:-1]
    return np.concatenate([[0.0], np.cumsum(np.sqrt((steps * steps).sum(axis=1)))])


def at_even_steps(line: np.ndarray, count: int) -> np.ndarray:
    way = arc(line)
    places = np.linspace(0, way[-1], count)
    return np.stack([np.interp(places, way, line[:, 0]), np.interp(places, way, line[:, 1])], axis=1)


def reaches(inside: np.ndarray, line: np.ndarray, across: np.ndarray, most: float) -> tuple[np.ndarray, np.ndarray]:
    """How far the shape goes on to the left and to the right of each point, float64 (n,) pixels each, `most` at most;
    0 on both sides where the point itself lies outside."""
    steps = np.arange(0, most, 0.5)
    # Both sides in one array: many small calls would cost more than the arithmetic.
    places = line[:, None, None] + np.multiply.outer((-1.0, 1.0), steps)[None, :, :, None] * across[:, None, None]
    within = sampled(inside, places)
    ends = np.where(within.all(axis=2), len(steps), within.argmin(axis=2))
    far = np.maximum(0.0, 0.5 * ends - 0.25)
    return far[:, 0], far[:, 1]


def sampled(inside: np.ndarray, places: np.ndarray) -> np.ndarray:
    """bool (…): whether the pixel under each place is inside."""
    height, width = inside.shape
    framed = np.zeros((height + 2, width + 2), bool)
    framed[1:-1, 1:-1] = inside
    # Above zero, cutting off the fraction is rounding down; the frame catches all that lies outside.
    columns = np.minimum(np.maximum(places[..., 0] + 1, 0), width + 1).astype(np.intp)
    rows = np.minimum(np.maximum(places[..., 1] + 1, 0), height + 1).astype(np.intp)
    return np.asarray(framed[rows, columns])


def _length(line: np.ndarray) -> float:
    return float(arc(line)[-1])


def _solid(bits: np.ndarray) -> np.ndarray:
    """uint8: the largest piece."""
    import cv2

    count, pieces, facts, _ = cv2.connectedComponentsWithStats(bits.astype(np.uint8), connectivity=8)
    if count <= 2:
        return bits.astype(np.uint8)
    return np.asarray(pieces == 1 + int(facts[1:, cv2.CC_STAT_AREA].argmax()), np.uint8)


def _swept(inside: np.ndarray, radius: float) -> np.ndarray | None:
    """The middles of slices across the long axis: enough, and quick, for what is nearly straight; else None."""
    rows, columns = np.nonzero(inside)
    places = np.stack([columns + 0.5, rows + 0.5], axis=1)
    middle = places.mean(axis=0)
    spread, axes = np.linalg.eigh((places - middle).T @ (places - middle))
    if spread[1] < 4 * spread[0]:
        return None
    along, across = (places - middle) @ axes[:, 1], (places - middle) @ axes[:, 0]
    slices = np.floor(along - along.min()).astype(int)
    counts = np.bincount(slices)
    offsets = np.bincount(slices, across) / np.maximum(counts, 1)
    low, high = np.full(len(counts), np.inf), np.full(len(counts), -np.inf)
    np.minimum.at(low, slices, across)
    np.maximum.at(high, slices, across)
    off = round(radius)
    if len(counts) < 4 * off + 4 or counts.min() == 0:
        return None
    gaps = (high - low + 1 - counts)[off:-off]
    bend = np.abs(np.convolve(offsets, np.ones(5) / 5, mode="valid"))
    slope = np.abs(np.diff(offsets[off:-off], n=1)).reshape(-1)
    if float(np.quantile(gaps, 0.9)) > 2.0 or float(bend.max()) > 0.8 * radius or float(np.quantile(slope, 0.9)) > 0.5:
        return None
    steps = (np.arange(len(counts)) + 0.5 + float(along.min()))[:, None]
    return np.asarray(middle + steps * axes[:, 1] + offsets[:, None] * axes[:, 0])


def _way(solid: np.ndarray, radius: float) -> np.ndarray | None:
    """The longest of the ways that run down the middle, in pixels of the window; None when there is none."""
    import cv2

    share = min(1.0, _FINE_RADIUS / radius)
    small = solid
    if share < 1:
        size = (max(3, round(solid.shape[1] * share)), max(3, round(solid.shape[0] * share)))
        small = (cv2.resize(solid.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
        small = _solid(small > 0)
    if int(small.sum()) < 6:
        return None
    scale = np.array([solid.shape[1] / small.shape[1], solid.shape[0] / small.shape[0]])
    small, hole = _without_small_holes(small, np.pi * (0.45 * radius * share) ** 2)
    depth = cv2.distanceTransform(np.pad(small, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.nonzero(small)
    graph = _graph(small > 0, depth, radius * share)
    nodes = _round_the_loop(graph, rows, columns, depth, hole) if hole is not None else _end_to_end(graph, depth)
    if len(nodes) < 3:
        return None
    return np.stack([columns[nodes] + 0.5, rows[nodes] + 0.5], axis=1) * scale


def _without_small_holes(small: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray | None]:
    """Holes below `least` pixels filled; and the largest of the others, which makes the shape a loop."""
    import cv2

    outside = np.pad(1 - small, 1, constant_values=1)
    count, pieces, facts, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    if count <= 2:  # nothing but inside and ground
        return small, None
    ground = int(pieces[0, 0])
    holes = [(int(facts[number, cv2.CC_STAT_AREA]), number) for number in range(1, count) if number != ground]
    small = small.copy()
    for area, number in holes:
        if area < least:
            small[(pieces == number)[1:-1, 1:-1]] = 1
    area, number = max(holes)
    return small, (pieces == number)[1:-1, 1:-1] if area >= least else None


def _graph(inside: np.ndarray, depth: np.ndarray, radius: float) -> object:
    """Pixels as nodes, eight neighbours each; steps near the edge cost more, so that ways keep to the middle."""
    from scipy import sparse

    price = 1.0 + 1.5 * np.maximum(0.0, radius / np.maximum(depth, 0.5) - 1.0)
    nodes = np.full(inside.shape, -1, np.int32)
    size = int(inside.sum())
    nodes[inside] = np.arange(size)
    froms, tos, costs = [], [], []
    height, width = inside.shape
    for dy, dx, long in ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.4142), (1, -1, 1.4142)):
        one = (slice(0, height - dy), slice(max(0, -dx), width - max(0, dx)))
        two = (slice(dy, height), slice(max(0, dx), width - max(0, -dx)))
        both = inside[one] & inside[two]
        froms.append(nodes[one][both])
        tos.append(nodes[two][both])
        costs.append(long * (price[one][both] + price[two][both]) / 2)
    # Both directions are written down: scipy is faster with a graph that it need not turn around.
    both_ways = (np.concatenate(froms + tos), np.concatenate(tos + froms))
    return sparse.csr_matrix((np.concatenate(costs + costs), both_ways), shape=(size, size))


def _end_to_end(graph: object, depth: np.ndarray) -> list[int]:
    """Farthest from anywhere is an end; farthest from that end is the other."""
    from scipy.sparse.csgraph import dijkstra

    inner = depth[depth > 0]
    first = _farthest(dijkstra(graph, indices=int(inner.argmax())))
    costs, before = dijkstra(graph, indices=first, return_predecessors=True)
    return _back(before, _farthest(costs))


def _round_the_loop(
    graph: object, rows: np.ndarray, columns: np.ndarray, depth: np.ndarray, hole: np.ndarray
) -> list[int]:
    """A loop's ends meet where it is thickest.  From the place farthest from there a way runs along either arm."""
    from scipy.sparse.csgraph import dijkstra

    y, x = (float(value.mean()) for value in np.nonzero(hole))
    inner = depth[rows, columns]
    thickest = int(inner.argmax())
    from_knot = dijkstra(graph, indices=thickest)
    # The middle of the arm on the hole's far side: a cut there, from the hole outwards, parts the two arms.
    turn = np.arctan2(rows - y, columns - x)
    beyond = np.where(np.isfinite(from_knot), from_knot, -1.0)
    # Tails may be farther away than the far side of the loop: only pixels that border on the hole count.
    rim = _borders(hole, rows, columns)
    place = int(np.where(rim, beyond, -1.0).argmax())
    cut = turn[place]
    around = (turn - cut + np.pi) % (2 * np.pi) - np.pi
    reach = np.hypot(rows - y, columns - x)
    near = (np.abs(around) * reach < 1.5) & (np.abs(reach - reach[place]) < 4 * float(inner.max()))
    near &= _connected_to(graph, near, place)
    one, other = np.flatnonzero(near & (around < 0)), np.flatnonzero(near & (around >= 0))
    if len(one) == 0 or len(other) == 0:
        return []
    parted = _parted(graph, near & (around < 0), near & (around >= 0))
    costs, before, sources = dijkstra(
        parted, indices=np.concatenate([one, other]), return_predecessors=True, min_only=True
    )
    arms = []
    for side in (one, other):
        own = np.where(np.isin(sources, side), costs, -1.0)
        arms.append(_back(before, _farthest(own)))
    return arms[0] + arms[1][::-1]


def _borders(hole: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)[rows, columns]


def _connected_to(graph: object, chosen: np.ndarray, place: int) -> np.ndarray:
    """Of the chosen nodes those in one piece with `place`."""
    from scipy.sparse.csgraph import connected_components

    own = np.flatnonzero(chosen)
    _, pieces = connected_components(graph[own][:, own])  # type: ignore[index]
    together = np.zeros(len(chosen), bool)
    together[own[pieces == pieces[np.searchsorted(own, place)]]] = True
    return together


def _parted(graph: object, one: np.ndarray, other: np.ndarray) -> object:
    """The graph without the steps between the two sets of nodes."""
    steps = graph.tocoo()  # type: ignore[attr-defined]
    kept = ~((one[steps.row] & other[steps.col]) | (other[steps.row] & one[steps.col]))
    from scipy import sparse

    return sparse.csr_matrix((steps.data[kept], (steps.row[kept], steps.col[kept])), shape=steps.shape)


def _farthest(costs: np.ndarray) -> int:
    return int(np.where(np.isfinite(costs), costs, -1.0).argmax())


def _back(before: np.ndarray, place: int) -> list[int]:
    nodes = [place]
    while before[place] >= 0:
        place = int(before[place])
        nodes.append(place)
    return nodes


def _trimmed(way: np.ndarray, radius: float) -> np.ndarray:
    """Even steps; the last radius at either end, where a way turns into a corner, is left off."""
    length = _length(way)
    off = min(radius, 0.25 * length)
    even = at_even_steps(way, max(8, round(2 * length / radius)))
    along = arc(even)
    return even[(along >= off) & (along <= along[-1] - off)]


def _smooth(line: np.ndarray, radius: float, width: float) -> np.ndarray:
    """A Gaussian of `width` radii along the line; the ends keep their direction (odd reflection)."""
    length = _length(line)
    even = at_even_steps(line, max(6, round(2 * length / radius)))
    step = max(length / (len(even) - 1), 1e-6)
    sigma = min(width * radius / step, len(even) / 6)
    reach = min(len(even) - 1, int(np.ceil(3 * sigma)))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    padded = np.concatenate([2 * even[0] - even[1 : reach + 1][::-1], even, 2 * even[-1] - even[-reach - 1 : -1][::-1]])
    return np.stack([np.convolve(padded[:, axis], weights, mode="valid") for axis in (0, 1)], axis=1)


def _straight(inside: np.ndarray) -> np.ndarray:
    """A short piece of the long axis through the middle, for shapes about as wide as long."""
    rows, columns = np.nonzero(inside)
    places = np.stack([columns + 0.5, rows + 0.5], axis=1)
    middle = places.mean(axis=0)
    _, axes = np.linalg.eigh((places - middle).T @ (places - middle))
    return middle + np.array([-0.5, 0.5])[:, None] * axes[:, 1]


def _to_the_outline(inside: np.ndarray, line: np.ndarray, radius: float) -> np.ndarray:
    """Goes on at both ends, bending as the line bends there, until the shape ends."""
    ends = []
    steps = np.arange(0.25, max(inside.shape) * 1.5, 0.25)
    for way in (line[::-1], line):
        heading, bend = _heading(way, radius)
        # Bending on for more than it takes to the outline of a chromosome's end would run in a circle.
        turned = heading + bend * np.minimum(steps, 2 * radius)
        places = way[-1] + 0.25 * np.cumsum(np.stack([np.cos(turned), np.sin(turned)], axis=1), axis=0)
        within = sampled(inside, places)
        reach = len(steps) if within.all() else int(within.argmin())
        ends.append(places[reach - 1] if reach else way[-1])
    return np.concatenate([ends[0][None], line, ends[1][None]])


def _heading(way: np.ndarray, radius: float) -> tuple[float, float]:
    """Where a line points at its last point, radians, and how it bends there, radians a pixel."""
    back = max(1, min((len(way) - 1) // 2, 3))
    last = way[-1] - way[-1 - back]
    heading = float(np.arctan2(last[1], last[0]))
    if len(way) < 2 * back + 1:
        return heading, 0.0
    before = way[-1 - back] - way[-1 - 2 * back]
    turn = heading - float(np.arctan2(before[1], before[0]))
    turn = (turn + np.pi) % (2 * np.pi) - np.pi
    far = float(np.linalg.norm(last))
    bend = float(np.clip(turn / max(far, 1e-9), -_TIGHTEST / radius, _TIGHTEST / radius))
    return heading + bend * far / 2, bend
