"""Choosing a detector's threshold and merging: the pair that finds the exact count in the most cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from inference.backends.boxes import one_box_each

THRESHOLDS = tuple(round(0.04 + 0.02 * step, 2) for step in range(34))
MERGES = (0.4, 0.5, 0.6, 0.7)


def choose(
    raw: Iterable[tuple[np.ndarray, np.ndarray, int]],
    thresholds: Sequence[float] = THRESHOLDS,
    merges: Sequence[float] = MERGES,
) -> dict[str, float]:
    """raw: for each cell all boxes (n, 4), class scores (n, 24) and the true count.

    The most exact counts win; among equals the smallest mean error of the count.
    """
    cells = list(raw)
    best: tuple[float, float] | None = None
    chosen: dict[str, float] = {}
    for merge_iou in merges:
        scored = [
            (one_box_each(boxes, scores, threshold=min(thresholds), merge_iou=merge_iou)[1], count)
            for boxes, scores, count in cells
        ]
        for threshold in thresholds:
            errors = np.array([int((found >= threshold).sum()) - count for found, count in scored])
            rank = (float((errors == 0).sum()), -float(np.abs(errors).mean()))
            if best is None or rank > best:
                best = rank
                chosen = {
                    "threshold": threshold,
                    "merge_iou": merge_iou,
                    "exact_counts": int(rank[0]),
                    "cells": len(cells),
                    "mean_count_error": round(-rank[1], 3),
                }
    return chosen
