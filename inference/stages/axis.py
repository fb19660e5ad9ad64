"""A chromosome along its own axis: the axis itself, which end is the p arm's, the centromere, the straightened view
and the density profile.  For the eye and for measuring: the picture and the mask are never changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from inference.protocols import Mask
from inference.stages.crops import long_axis
from inference.stages.medial import arc, at_even_steps, medial_line, normals, reaches

MOST_POINTS = 64  # that a document keeps of an axis
_STEP = 4.0  # pixels between kept points of a bent axis
_STRAIGHT = 0.6  # pixels that an axis may stray from its chord and still be kept as two points
_GROUND = 255
_UNSURE = 0.1  # from one half, within which an answer about the p arm is none


@dataclass(frozen=True)
class Axis:
    """points: float32 (k, 2), 0 or 2..64 of them, pixels of the image, along the middle from the p end to the q end.
    centromere: share of the way from the p end, 0..1; None where no waist shows.
    angle: degrees clockwise, 0 ≤ angle < 360, that turn the cut-out upright with the p arm up."""

    points: np.ndarray
    centromere: float | None
    angle: float


@dataclass(frozen=True)
class Profile:
    """Along the axis from the p end, one value a row of the straightened view: places 0..1, width in pixels, and
    density, how dark the chromosome is on average across, 0..255."""

    places: np.ndarray
    width: np.ndarray
    density: np.ndarray


@dataclass(frozen=True)
class Straightened:
    """grey: uint8 (length, width), one pixel a pixel of the original, p end on top; 255 where cover is false.
    cover: bool, where the chromosome is."""

    grey: np.ndarray
    cover: np.ndarray


def describe(mask: Mask, pixels: np.ndarray | None = None) -> Axis:
    """pixels: uint8 (h, w) of the whole picture, dark chromosomes on a light ground; without it, the shape decides."""
    line, radius = medial_line(mask.bits)
    if len(line) == 0:
        return Axis(np.zeros((0, 2), np.float32), None, 0.0)
    line = at_even_steps(line, max(8, math.ceil(arc(line)[-1])))
    left, right = reaches(mask.bits, line, normals(line), 3 * radius)
    p_first, centromere = _arms(left + right, None if pixels is None else _darkness(mask, pixels, line, left, right))
    if not p_first:
        line = line[::-1]
        centromere = None if centromere is None else 1 - centromere
    line = line + [mask.left, mask.top]
    return Axis(
        _kept(line).astype(np.float32), None if centromere is None else round(centromere, 3), _angle(mask, line)
    )


def with_p_up(found: Axis, mask: Mask, p_up: float) -> Axis:
    """The axis turned end for end where someone who knows the bands says so.

    p_up: 0..1, the chance that the p arm lies at the upper end of the mask's upright crop (inference.stages.crops);
    what is near one half changes nothing.
    """
    if len(found.points) < 2 or abs(p_up - 0.5) < _UNSURE:
        return found
    turn = math.pi / 2 - long_axis(mask)
    up = np.array([-math.sin(turn), -math.cos(turn)])  # the crop's upward direction on the picture
    half = len(found.points) // 2
    lies = float((found.points[:half].mean(axis=0) - found.points[-half:].mean(axis=0)) @ up)
    if (lies > 0) == (p_up > 0.5):
        return found
    return Axis(
        found.points[::-1].copy(),
        None if found.centromere is None else round(1 - found.centromere, 3),
        round((found.angle + 180) % 360.0, 2),
    )


def straightened(pixels: np.ndarray, axis: Axis, mask: Mask) -> Straightened:
    """The chromosome unrolled along its axis: arc length and width as they are, bilinear, and nothing but its own
    pixels.  Where it is folded, a pixel shows only beside the part of the axis that it is nearest to.

    pixels: uint8 (h, w).  An axis without points gives an empty view.
    """
    import cv2

    if len(axis.points) < 2:
        return Straightened(np.zeros((0, 0), np.uint8), np.zeros((0, 0), bool))
    line, across, half = _frame(axis, mask)
    offsets = np.arange(-half, half + 1)
    places = line[:, None, :] + offsets[None, :, None] * across[:, None, :]
    cover = _own(mask, line, places)
    grey = cv2.remap(
        pixels,
        (places[..., 0] + mask.left - 0.5).astype(np.float32),
        (places[..., 1] + mask.top - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Straightened(np.where(cover, grey, _GROUND).astype(np.uint8), cover)


def profile(pixels: np.ndarray, axis: Axis, mask: Mask) -> Profile:
    """pixels: uint8 (h, w), dark chromosomes on a light ground."""
    view = straightened(pixels, axis, mask)
    rows = len(view.grey)
    width = view.cover.sum(axis=1).astype(np.float32)
    darkness = np.where(view.cover, 255 - view.grey.astype(np.float32), 0).sum(axis=1)
    places = (np.arange(rows, dtype=np.float32) + 0.5) / max(rows, 1)
    return Profile(places, width, (darkness / np.maximum(width, 1)).astype(np.float32))


def _frame(axis: Axis, mask: Mask) -> tuple[np.ndarray, np.ndarray, int]:
    """Rows of the straightened view in pixels of the mask's window: their middles, their directions to the right of
    someone who looks at the upright chromosome, and how many columns on either side hold all of it."""
    line = axis.points.astype(np.float64) - [mask.left, mask.top]
    length = float(arc(line)[-1])
    count = max(2, round(length))
    # A row's middle lies half a pixel below its upper edge.
    fine = at_even_steps(line, 2 * count + 1)[1::2]
    # With the p end up, the axis runs down the picture, and its right side is on the left.
    across = -normals(fine if len(fine) > 2 else at_even_steps(line, count))
    left, right = reaches(mask.bits, fine, across, max(mask.bits.shape))
    half = math.ceil(max(3.0, float(np.percentile(np.maximum(left, right), 95)))) + 2
    return fine, across, half


def _own(mask: Mask, line: np.ndarray, places: np.ndarray) -> np.ndarray:
    """bool (rows, columns): the chromosome's own pixel, shown beside the part of the axis it belongs to."""
    import cv2

    # The mask's own edge runs in steps; read between its pixels it does not.
    framed = np.pad(mask.bits, 2).astype(np.float32)
    beside, below = (places[..., axis].astype(np.float32) + np.float32(1.5) for axis in (0, 1))
    cover = cv2.remap(framed, beside, below, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) > 0.5
    chord = float(np.linalg.norm(line[-1] - line[0]))
    if chord > 0.97 * len(line):  # nearly straight: nothing can be shown twice
        return cover
    rows, columns = np.nonzero(mask.bits)
    pixels = np.stack([columns + 0.5, rows + 0.5], axis=1)
    nearest = np.zeros(mask.bits.shape, np.int32)
    nearest[rows, columns] = ((pixels[:, None, :] - line[None]) ** 2).sum(axis=2).argmin(axis=1)
    height, width = mask.bits.shape
    at_row = np.clip(np.floor(places[..., 1]).astype(int), 0, height - 1)
    at_column = np.clip(np.floor(places[..., 0]).astype(int), 0, width - 1)
    away = np.abs(nearest[at_row, at_column] - np.arange(len(line))[:, None])
    return np.asarray(cover & (away <= max(3.0, 0.5 * places.shape[1])))


def _kept(line: np.ndarray) -> np.ndarray:
    """The line in as few points as its bends need."""
    chord = line[-1] - line[0]
    length = float(np.linalg.norm(chord))
    if length > 0:
        away = np.abs(_beside(line, line[0], chord / length))
        if float(away.max()) < _STRAIGHT:
            return np.stack([line[0], line[-1]])
    return at_even_steps(line, int(np.clip(math.ceil(arc(line)[-1] / _STEP) + 1, 3, MOST_POINTS)))


def _beside(line: np.ndarray, start: np.ndarray, along: np.ndarray) -> np.ndarray:
    """How far each point lies beside the straight line."""
    return np.asarray((line[:, 0] - start[0]) * along[1] - (line[:, 1] - start[1]) * along[0])


def _angle(mask: Mask, line: np.ndarray) -> float:
    """The long axis of all pixels, turned so that the p half of the axis lies above the q half."""
    rows, columns = np.nonzero(mask.bits)
    x, y = columns - columns.mean(), rows - rows.mean()
    turn = 0.5 * math.atan2(2 * float((x * y).mean()), float((x * x).mean() - (y * y).mean()))
    up = np.array([math.cos(turn), math.sin(turn)])
    half = len(line) // 2
    if float((line[:half].mean(axis=0) - line[half:].mean(axis=0)) @ up) < 0:
        up = -up
    return round(-math.degrees(math.atan2(up[0], -up[1])) % 360.0, 2) % 360.0


def _darkness(mask: Mask, pixels: np.ndarray, line: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """float64 (n,): mean darkness across the middle of the shape at each point of the line."""
    shares = np.array([-0.5, -0.25, 0.0, 0.25, 0.5])
    reach = np.where(shares[None] < 0, left[:, None], right[:, None])
    places = line[:, None, :] + (shares[None] * reach)[..., None] * normals(line)[:, None, :]
    rows = np.clip(np.floor(places[..., 1]).astype(int) + mask.top, 0, pixels.shape[0] - 1)
    columns = np.clip(np.floor(places[..., 0]).astype(int) + mask.left, 0, pixels.shape[1] - 1)
    return np.asarray(255.0 - pixels[rows, columns].mean(axis=1))


def _arms(widths: np.ndarray, darkness: np.ndarray | None) -> tuple[bool, float | None]:
    """Whether the line starts in the p arm, and where along it the centromere lies (share, 0..1) if a waist shows."""
    count = len(widths)
    reach = max(1.0, count / 24)
    widths = _softened(widths, reach)
    ends = max(2, round(0.1 * count))
    inner = widths[ends:-ends]
    if len(inner) < 3:
        return True, None
    # Widths and stain both narrow at the centromere; stain alone also does between bands, so it counts for less.
    pinch = widths.copy()
    if darkness is not None:
        stain = _softened(darkness, reach)
        pinch = pinch * (0.75 + 0.25 * stain / max(float(stain.mean()), 1e-6))
    waist = ends + int(pinch[ends:-ends].argmin())
    shoulders = min(pinch[:waist].max(), pinch[waist + 1 :].max())
    if pinch[waist] < 0.9 * shoulders:
        place = (waist + 0.5) / count
        return place <= 0.5, float(place)
    third = max(2, 2 * ends)
    return bool(widths[:third].mean() <= widths[-third:].mean()), None


def _softened(values: np.ndarray, reach: float) -> np.ndarray:
    span = np.arange(-math.ceil(2 * reach), math.ceil(2 * reach) + 1)
    kernel = np.exp(-0.5 * (span / reach) ** 2)
    kernel /= kernel.sum()
    return np.convolve(np.pad(values, len(span) // 2, mode="edge"), kernel, mode="valid")
