"""The worst cuts as one picture, to look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inference.evaluation.segmentation import Judged

_TILE, _COLUMNS = 180, 6
_TRUE, _FOUND = (60, 150, 60), (40, 40, 220)  # BGR: green as drawn, red as cut


def picture(judged: Judged) -> np.ndarray:
    """uint8 (h, w, 3), BGR: the true outline green, the found one red, the kind and IoU beneath."""
    import cv2

    tiles = []
    for value, truth, index, found in judged.worst:
        known = truth.known[index]
        rows, columns = known.mask.bits.shape
        reach = max(rows, columns) + 24
        x, y = known.mask.left + columns // 2 - reach // 2, known.mask.top + rows // 2 - reach // 2
        padded = np.full((reach, reach), 255, np.uint8)
        height, width = truth.pixels.shape
        y1, x1, y2, x2 = max(0, y), max(0, x), min(height, y + reach), min(width, x + reach)
        padded[y1 - y : y2 - y, x1 - x : x2 - x] = truth.pixels[y1:y2, x1:x2]
        size = _TILE - 20
        tile = np.full((_TILE, _TILE, 3), 255, np.uint8)
        tile[:size, :size] = cv2.cvtColor(cv2.resize(padded, (size, size)), cv2.COLOR_GRAY2BGR)
        for mask, colour in ((known.mask, _TRUE), (found, _FOUND)):
            if not mask.bits.any():
                continue
            outlines, _ = cv2.findContours(
                mask.bits.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(mask.left - x, mask.top - y)
            )
            scaled = [np.round((outline + 0.5) * size / reach - 0.5).astype(np.int32) for outline in outlines]
            cv2.drawContours(tile, scaled, -1, colour, 1)
        told = f"{known.kind} {value:.2f}  {truth.name[:12]}"
        cv2.putText(tile, told, (2, _TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    while not tiles or len(tiles) % _COLUMNS:
        tiles.append(np.full((_TILE, _TILE, 3), 255, np.uint8))
    return np.vstack([np.hstack(tiles[start : start + _COLUMNS]) for start in range(0, len(tiles), _COLUMNS)])


def write(judged: Judged, path: Path) -> None:
    import cv2

    cv2.imwrite(str(path), picture(judged))
