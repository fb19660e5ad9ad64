"""All of a cell's chromosomes cut: what the detector found, and after it what those cuts leave over."""

from __future__ import annotations

import numpy as np

from inference.protocols import Detections, Mask, Recutter, Segmenter
from inference.stages.leftover import ROOM, asked

SCORE = 0.05  # the detector's, of what it did not find; what comes of such the judge has learned
_SAME = 0.8  # IoU of two cuts from which they are one


def cut_all(
    pixels: np.ndarray, found: Detections, segmenter: Segmenter, *, leftover: bool
) -> tuple[Detections, list[Mask]]:
    """Candidates and their cuts, in one order: first what was found, then, from a segmenter that can, what its cuts
    leave over, with even chances of the classes.  pixels: uint8 (h, w), dark chromosomes on a light ground.

    leftover: whether there is a judge for it.  Each by itself, the second cut of a chromosome looks as good as the
    first: the regressions that judge in its stead take both, or neither."""
    if len(found) == 0:
        return found, []
    if not leftover or not isinstance(segmenter, Recutter):
        return found, segmenter.segment(pixels, found.boxes, found.scores)
    embedding = segmenter.embed(pixels, found.boxes)
    masks = segmenter.segment_embedded(pixels, embedding, found.boxes, found.scores)
    added = further(pixels, found.scores, masks, embedding, segmenter)
    if not added:
        return found, masks
    height, width = pixels.shape
    boxes = np.clip([_box(mask) for mask in added], 0, [width, height, width, height]).astype(np.float32)
    kinds = found.probabilities.shape[1]
    more = Detections(
        np.concatenate([found.boxes, boxes]),
        np.concatenate([found.scores, np.full(len(added), SCORE, np.float32)]),
        np.concatenate([found.probabilities, np.full((len(added), kinds), 1 / kinds, np.float32)]),
    )
    return more, [*masks, *added]


def further(
    pixels: np.ndarray,
    scores: np.ndarray,
    masks: list[Mask],
    embedding: dict[str, np.ndarray],
    segmenter: Recutter,
) -> list[Mask]:
    """What the masks leave over, cut; none that is cut already."""
    prompts = [(one.box, one.points) for one in asked(pixels, scores, masks)]
    added: list[Mask] = []
    for mask in segmenter.cut_many(pixels, embedding, prompts):
        if mask.bits.any() and not any(mask.iou(other) >= _SAME for other in (*masks, *added)):
            added.append(mask)
    return added


def _box(mask: Mask) -> list[float]:
    rows, columns = mask.bits.shape
    return [mask.left - ROOM, mask.top - ROOM, mask.left + columns + ROOM, mask.top + rows + ROOM]
