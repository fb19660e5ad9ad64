"""Which way is up: the angle that sets a chromosome upright, short arm on top."""

from __future__ import annotations

import math

import numpy as np

from inference.protocols import Mask


def upright_angle(mask: Mask) -> float:
    """Degrees clockwise, 0 ≤ angle < 360, that turn the cut-out upright with the p arm up.

    The long axis is that of the mask's pixels.  The centromere is taken for the narrowest waist away from the
    ends; the shorter arm goes up.  Where no waist shows (acrocentrics, coarse masks) the thinner end goes up:
    short arms of acrocentrics are thin stalks.
    """
    rows, columns = np.nonzero(mask.bits)
    if len(rows) < 3:
        return 0.0
    points = np.stack([columns, rows], axis=1).astype(np.float64)
    points -= points.mean(axis=0)
    _, axes = np.linalg.eigh(points.T @ points)
    along = axes[:, 1]  # the eigenvector of the largest spread
    if not short_arm_is_towards(points, along):
        along = -along
    clockwise_from_up = math.degrees(math.atan2(along[0], -along[1]))
    return round(-clockwise_from_up % 360.0, 2) % 360.0


def short_arm_is_towards(points: np.ndarray, along: np.ndarray) -> bool:
    """points: float (n, 2), the mask's pixels about their middle.  along: unit vector of the long axis."""
    way = points @ along
    way = way - way.min()
    length = float(way.max()) + 1.0
    widths = np.bincount(way.astype(int), minlength=math.ceil(length)).astype(np.float64)
    reach = max(1, round(length / 24))
    kernel = np.exp(-0.5 * (np.arange(-2 * reach, 2 * reach + 1) / reach) ** 2)
    widths = np.convolve(widths, kernel / kernel.sum(), mode="same")
    ends = max(2, round(0.15 * len(widths)))
    inner = widths[ends:-ends]
    if len(inner) < 3:
        return True
    waist = ends + int(inner.argmin())
    shoulders = min(widths[:waist].max(), widths[waist + 1 :].max())
    if widths[waist] < 0.9 * shoulders:
        return waist > len(widths) / 2
    return bool(widths[-2 * ends :].mean() < widths[: 2 * ends].mean())
