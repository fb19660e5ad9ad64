"""Pixels as the models know them: dark chromosomes on a light ground."""

from __future__ import annotations

import numpy as np


def light_ground(pixels: np.ndarray) -> tuple[np.ndarray, bool]:
    """uint8 (h, w) with a light ground, and whether it had to be inverted.

    Most of a field is ground, so the median is the ground's grey.  When it lies near the dark end of the picture's
    own range, the field is bright on dark (fluorescence, as DAPI or Q-banding) and is turned over.
    """
    dark, middle, light = _levels(pixels)
    if light - dark < 8 or middle - dark >= light - middle:
        return pixels, False
    return turned_over(pixels), True


def turned_over(pixels: np.ndarray) -> np.ndarray:
    """uint8 (h, w): a field that is bright on dark, with its ground made light."""
    _, middle, light = _levels(pixels)
    stretched = (light - pixels.astype(np.float32)) * (245.0 / max(light - middle, 1.0))
    return np.clip(stretched, 0, 255).astype(np.uint8)


def _levels(pixels: np.ndarray) -> tuple[float, float, float]:
    """The dark end, the median and the light end of the picture's own range."""
    dark, middle, light = (float(value) for value in np.percentile(pixels[::2, ::2], (1, 50, 99.5)))
    return dark, middle, light
