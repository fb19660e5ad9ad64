"""What can be said of the whole picture, in a sentence for the person who opens it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.protocols import Detections, Mask
from inference.stages.leftover import adjoining

_FEW, _USUAL = 20, 46
# Of the area of the cell's smallest ones.  In 16 of 303 validation cells fewer than 46 were found and one had been
# missed: 15 of them had such a piece, and both cells that had come out right with fewer than 46.
_SMALLEST, _PIECE = 5, 0.5  # percentile, share
_NOISE = 0.3  # no picture of chromosomes has nine of ten detections below this
_UNSURE = 0.31  # median detection score below which hardly any box is one
BLANK = "The picture is blank: there is nothing in it to analyse. Photograph the cell again."
BLURRED = "The picture is out of focus: outlines and bands cannot be trusted. Photograph the cell again if you can."


def is_blank(pixels: np.ndarray) -> bool:
    """Nothing but one grey and noise.  pixels: uint8 (h, w)."""
    import cv2

    small = cv2.GaussianBlur(pixels, (0, 0), 2.0)
    low, high = np.percentile(small, (0.2, 99.8))
    return bool(high - low < 10)


def sharpness(pixels: np.ndarray) -> float:
    """Steepest edges as a share of the contrast, 0..1 a pixel: about 0.1 and more in a picture in focus."""
    import cv2

    smooth = cv2.GaussianBlur(pixels, (0, 0), 1.0).astype(np.float32)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 8
    low, high = np.percentile(smooth, (0.5, 99.5))
    return float(np.percentile(slope, 99.5) / max(high - low, 1.0))


def has_nucleus(pixels: np.ndarray) -> bool:
    """A round dark body far larger than a chromosome: an interphase nucleus."""
    import cv2

    side = 256 / max(pixels.shape)
    small = cv2.resize(pixels, None, fx=side, fy=side, interpolation=cv2.INTER_AREA)
    level, dark = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (21, 21)))
    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for outline in outlines:
        area = cv2.contourArea(outline)
        hull = cv2.contourArea(cv2.convexHull(outline))
        _, (first, second), _ = cv2.minAreaRect(outline)
        if area > 600 and area > 0.85 * hull and min(first, second) > 0.5 * max(first, second):
            return area < 0.5 * small.size
    return False


def is_noise(detections: Detections) -> bool:
    """The detector found only faint likenesses: there is no chromosome among them."""
    return len(detections) > 0 and float(np.percentile(detections.scores, 90)) < _NOISE


def note(pixels: np.ndarray, detections: Detections) -> str:
    """A sentence about the whole cell; empty when there is nothing to say."""
    found = len(detections)
    if found == 0:
        if has_nucleus(pixels):
            return "No chromosomes were found: the picture seems to show interphase nuclei only, no metaphase."
        return "No chromosomes were found: the picture does not seem to show a metaphase."
    if float(np.median(detections.scores)) < _UNSURE:
        return (
            "The picture does not look like a metaphase that can be analysed: "
            f"hardly any of the {found} objects found is surely a chromosome."
        )
    if found < _FEW:
        return f"Only {found} chromosome{'' if found == 1 else 's'} found: the metaphase is incomplete or badly spread."
    if sharpness(pixels) < 0.09:
        return BLURRED
    return ""


def hidden(pixels: np.ndarray, masks: Sequence[Mask]) -> tuple[int, str] | None:
    """Where fewer than 46 were found and something as large as a chromosome adjoins one, in no outline: the row of that
    one, and a sentence for it.  masks: of what was taken for a chromosome."""
    if not _FEW <= len(masks) < _USUAL:
        return None
    left = adjoining(pixels, masks)
    least = _PIECE * float(np.percentile([mask.bits.sum() for mask in masks], _SMALLEST))
    if not left or left[0][0] < least:
        return None
    return left[0][1], (
        f"one more may be hidden: something as large as a small chromosome lies against it, in no outline; "
        f"{len(masks)} were found"
    )
