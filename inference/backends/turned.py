"""One picture found several times, turned by quarters, and the findings put together.

A detector is not the same to all sides: what it misses lying it may find standing, and where it is wrong it is wrong
differently.  Chromosomes lie in every direction, so nothing is odd about a turned cell; and a quarter turn keeps boxes
tight (decisions/0085).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.backends.boxes import overlap

JOIN = 0.7  # IoU from which boxes of two views are of one chromosome

Found = tuple[np.ndarray, np.ndarray, np.ndarray]


def turned_back(boxes: np.ndarray, turns: int, side: int) -> np.ndarray:
    """Boxes, xyxy (n, 4), found in a square that was turned `turns` quarters (as numpy.rot90 turns), as they lie in it
    unturned."""
    for _ in range(turns % 4):
        boxes = np.stack([side - boxes[:, 3], boxes[:, 0], side - boxes[:, 1], boxes[:, 2]], axis=1)
    return boxes


def together(views: Sequence[Found], threshold: float) -> Found:
    """One finding of several: boxes float32 (m, 4), scores float32 (m,), probabilities float32 (m, 24), best first.

    views: as `one_box_each` gives them, of one picture.  Boxes of two views are joined one to one, so that their
    overlaps are greatest in sum; box and probabilities are the means, each view by its score.  The score is the mean
    over all views, nothing where one found nothing: what only one of three saw is a third as likely.  Of these, the
    ones from `threshold`."""
    from scipy.optimize import linear_sum_assignment

    sums = _weighted(views[0])
    for view in views[1:]:
        added = _weighted(view)
        shared = overlap(sums[0] / sums[1][:, None], view[0])
        ours, theirs = linear_sum_assignment(np.where(shared >= JOIN, shared, -1), maximize=True)
        alike = shared[ours, theirs] >= JOIN
        ours, theirs = ours[alike], theirs[alike]
        alone = np.setdiff1d(np.arange(len(view[0])), theirs)
        for place, values in enumerate(added):
            sums[place][ours] += values[theirs]
            sums[place] = np.concatenate([sums[place], values[alone]])
    boxes, scores, probabilities = sums[0] / sums[1][:, None], sums[1] / len(views), sums[2] / sums[1][:, None]
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= threshold]
    return boxes[order].astype(np.float32), scores[order].astype(np.float32), probabilities[order].astype(np.float32)


def _weighted(view: Found) -> list[np.ndarray]:
    boxes, scores, probabilities = (array.astype(np.float64) for array in view)
    return [boxes * scores[:, None], scores, probabilities * scores[:, None]]
