"""Pixels as the models know them: dark chromosomes on a light ground."""

from __future__ import annotations

import numpy as np


def light_ground(pixels: np.ndarray) -> tuple[np.ndarray, bool]:
    """uint8 (h, w) with a light ground, and whether it had to be inverted.

    Most of a field is ground, so the median is the ground's grey.  When it lies near the dark end of the picture's
    own range, the field is bright on dark (fluorescence, as DAPI or Q-banding) and is turned over.
    """
    dark, middle, light = (float(value) for value in np.percentile(pixels[::2, ::2], (1, 50, 99.5)))
    if light - dark < 8 or middle - dark >= light - middle:
        return pixels, False
    stretched = np.clip((light - pixels.astype(np.float32)) * (245.0 / (light - middle)), 0, 255)
    return stretched.astype(np.uint8), True
