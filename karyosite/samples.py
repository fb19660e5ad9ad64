"""Samples of any depth and colour to upright 8-bit grey."""

from __future__ import annotations

import numpy as np


class ImageRefused(Exception):
    """The file cannot be used.  `sentence` says why and what to do, and is shown as it stands."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def flatten(samples: np.ndarray, colour: str, ceiling: int) -> np.ndarray:
    """(h, w) or (h, w, n) samples of any depth to (h, w) luminance in the samples' own units.

    Rows are taken in blocks, so that a deep colour picture never stands in memory as floats as a whole.
    """
    if colour == "grey":
        return samples if samples.ndim == 2 else samples[:, :, 0]
    top = float(ceiling) if samples.dtype.kind in "ub" else 1.0
    grey = np.empty(samples.shape[:2], samples.dtype if samples.dtype.kind == "f" else np.float32)
    step = max(1, 4_000_000 // max(1, samples.shape[1]))
    for start in range(0, samples.shape[0], step):
        block: np.ndarray = samples[start : start + step].astype(np.float32)
        if colour == "cmyk":
            inks = top - block
            light = inks[:, :, :3] * inks[:, :, 3:4] / top
        else:
            light = block[:, :, :3] if colour.startswith("rgb") else block[:, :, :1]
        value: np.ndarray = (
            light @ np.array([0.299, 0.587, 0.114], np.float32) if light.shape[2] == 3 else light[:, :, 0]
        )
        if colour.endswith("+alpha"):
            cover = block[:, :, -1] / top
            value = value * cover + top * (1 - cover)
        grey[start : start + step] = value
    return grey


def stretch(grey: np.ndarray) -> np.ndarray:
    """Any depth to uint8 over its own range: 0.1st to 99.9th percentile, the median for non-finite pixels."""
    sample = grey[:: max(1, grey.shape[0] // 2000), :: max(1, grey.shape[1] // 2000)]
    finite = sample[np.isfinite(sample)] if grey.dtype.kind == "f" else sample.ravel()
    if finite.size == 0:
        raise ImageRefused(
            "The picture holds no numbers, only blanks (NaN). Export it again as 8- or 16-bit grey and upload that."
        )
    low, middle, high = (float(value) for value in np.percentile(finite, (0.1, 50, 99.9)))
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    return to_bytes(grey, low, high, middle)


def to_bytes(grey: np.ndarray, low: float, high: float, blank: float = 0.0) -> np.ndarray:
    if grey.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return grey
    out = np.empty(grey.shape, np.uint8)
    if high <= low:  # one single value: white if it is bright on its own scale, else black
        out.fill(255 if low > 0 else 0)
        return out
    step = max(1, 4_000_000 // max(1, grey.shape[1]))
    for start in range(0, grey.shape[0], step):
        block: np.ndarray = np.array(grey[start : start + step], np.float64)
        block[~np.isfinite(block)] = blank
        out[start : start + step] = np.clip((block - low) * (255.0 / (high - low)) + 0.5, 0, 255)
    return out


def turn(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """TIFF/EXIF orientation 1..8 applied; anything else is taken as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
        # The transpose alone is 5; 6 and 7 mirror its columns, 7 and 8 its rows.
        pixels = pixels[:, ::-1] if orientation in (6, 7) else pixels
        pixels = pixels[::-1] if orientation in (7, 8) else pixels
    elif orientation in (2, 3, 4):
        pixels = pixels[:, ::-1] if orientation in (2, 3) else pixels
        pixels = pixels[::-1] if orientation in (3, 4) else pixels
    return np.ascontiguousarray(pixels)
