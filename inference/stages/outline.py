"""Masks as polygons, and which masks touch."""

from __future__ import annotations

import numpy as np

from inference.protocols import Mask

_FINE = 4  # the outline is traced at this many sub-pixels, so that it runs along pixel edges, not centres
_TOLERANCE = 0.75  # pixels that a simplified outline may stray: more than the half-pixel steps of a mask
_LEAST_HOLE = 6  # pixels; smaller holes are noise
_CONTACT = 6  # neighbouring pixels from which two masks touch


def rings(mask: Mask) -> list[list[list[float]]]:
    """Polygons in pixels of the original, filled even-odd: outer rings and holes.  x = 0 is the left picture edge."""
    import cv2

    if not mask.bits.any():
        return []
    fine = np.pad(mask.bits, 1).repeat(_FINE, axis=0).repeat(_FINE, axis=1).astype(np.uint8)
    outlines, hierarchy = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found = []
    for outline, (_, _, _, parent) in zip(outlines, hierarchy[0], strict=True):
        if cv2.contourArea(outline) < _LEAST_HOLE * _FINE**2 and (parent >= 0 or len(outlines) > 1):
            continue
        simple = cv2.approxPolyDP(outline, _TOLERANCE * _FINE, True).reshape(-1, 2)
        if len(simple) < 3:
            continue
        points = (simple + 0.5) / _FINE - 1 + [mask.left, mask.top]
        found.append([[round(float(x), 1), round(float(y), 1)] for x, y in points])
    if not found:  # a speck that simplification ate: its extent stands for it
        height, width = mask.bits.shape
        left, top = float(mask.left), float(mask.top)
        found = [[[left, top], [left + width, top], [left + width, top + height], [left, top + height]]]
    return found


def box_mask(box: np.ndarray, height: int, width: int) -> Mask:
    """The whole box as a mask, for a chromosome that could not be cut."""
    left, top = (max(0, int(np.floor(value))) for value in box[:2])
    right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    return Mask(left, top, np.ones((max(1, bottom - top), max(1, right - left)), bool), 0.0)


def touching(masks: list[Mask]) -> list[set[int]]:
    """For each mask the others that it touches or overlaps."""
    import cv2

    neighbours: list[set[int]] = [set() for _ in masks]
    for first in range(len(masks)):
        one = masks[first]
        grown = cv2.dilate(np.pad(one.bits, 2).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        left, top = one.left - 2, one.top - 2
        for second in range(first + 1, len(masks)):
            other = masks[second]
            x1, y1 = max(left, other.left), max(top, other.top)
            x2 = min(left + grown.shape[1], other.left + other.bits.shape[1])
            y2 = min(top + grown.shape[0], other.top + other.bits.shape[0])
            if x1 >= x2 or y1 >= y2:
                continue
            shared = (
                grown[y1 - top : y2 - top, x1 - left : x2 - left]
                & other.bits[y1 - other.top : y2 - other.top, x1 - other.left : x2 - other.left]
            )
            if shared.sum() >= _CONTACT:
                neighbours[first].add(second)
                neighbours[second].add(first)
    return neighbours
