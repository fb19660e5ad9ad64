"""How well chromosomes are cut, by kind: lone, touching, crossing.

Two sources of truth.  Scenes made of held-out cut-outs, whose masks are known exactly, hidden parts included; and
fields with masks drawn by people.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inference.protocols import Mask
from inference.stages.window import at_scale
from inference.training.cil import AnnotatedCell, read_grey
from inference.training.cutouts import annotated_scene, drawn_cells, drawn_masks, shrunk, tight_boxes
from inference.training.scenes import Placed, base_of, boxes_of, compose, donor, mark_kinds

KINDS = ("lone", "touching", "crossing")
NEAR = 2  # pixels within which two outlines are the same, for the boundary's F-score
_DONORS = 12  # laid into each made scene


@dataclass
class Truth:
    """One picture with what is known of it.  boxes: float32 (n, 4), of all chromosomes to be cut, in the order in
    which they are given to the segmenter; known: for the first len(known) boxes their mask and kind."""

    name: str
    pixels: np.ndarray
    boxes: np.ndarray
    known: list[Placed]


def made_scenes(cells: list[AnnotatedCell], seed: int = 11) -> Iterator[Truth]:
    """One scene a cell: the cell as it is, with lone chromosomes of the others laid over and against its own."""
    rng = random.Random(seed)
    scenes = [annotated_scene(cell.name, read_grey(cell.image), cell.boxes) for cell in cells]
    givers = [scene for scene in scenes if scene.masks]
    for cell, scene in zip(cells, scenes, strict=True):
        donors = []
        for _ in range(_DONORS):
            giver = rng.choice(givers)
            donors.append(donor(giver, rng.randrange(len(giver.masks)), rng))
        composed = compose(base_of(scene), donors, rng)
        boxes = boxes_of(composed, rng)
        # The cell's other chromosomes are there and have boxes; nothing exact is known of them.
        boxes = np.concatenate([boxes, composed.others])
        yield _enlarged(Truth(cell.name, 255 - composed.density, boxes, composed.placed), rng.uniform(0.9, 1.5))


def _enlarged(truth: Truth, scale: float) -> Truth:
    import cv2

    pixels = at_scale(truth.pixels, scale, cv2.INTER_CUBIC)
    known = [Placed(shrunk(one.mask, scale), one.box, one.kind) for one in truth.known]
    return Truth(truth.name, pixels, (truth.boxes * scale).astype(np.float32), known)


def drawn_fields(folder: Path, *, held_out: bool = True) -> Iterator[Truth]:
    """The fields with drawn masks, turned dark on light; boxes are those around the masks."""
    for name, fluorescence, labels in drawn_cells(folder, held_out=held_out):
        placed = [Placed(mask, None) for _, mask in drawn_masks(labels)]
        mark_kinds(placed)
        anything = labels > 0
        for one in placed:  # what touches something that could not be told apart touches all the same
            if one.kind == "lone" and _meets_others(one.mask, anything):
                one.kind = "touching"
        yield Truth(name, 255 - fluorescence, tight_boxes([one.mask for one in placed]), placed)


def _meets_others(mask: Mask, anything: np.ndarray) -> bool:
    import cv2

    full = mask.full(*anything.shape)
    ring = cv2.dilate(full.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~full
    return bool((ring & anything).sum() >= 3)


def boundary_f(found: Mask, truth: Mask) -> float:
    """F-score of the outlines' pixels within NEAR of the other's outline."""
    import cv2

    if not found.bits.any():
        return 0.0
    left, top = min(found.left, truth.left) - 4, min(found.top, truth.top) - 4
    width = max(mask.left + mask.bits.shape[1] for mask in (found, truth)) + 4 - left
    height = max(mask.top + mask.bits.shape[0] for mask in (found, truth)) + 4 - top
    rims = []
    for mask in (found, truth):
        full = Mask(mask.left - left, mask.top - top, mask.bits, 1.0).full(height, width).astype(np.uint8)
        rims.append((full - cv2.erode(full, np.ones((3, 3), np.uint8))).astype(bool))
    hits = []
    for rim, other in (rims, rims[::-1]):
        away = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 5)
        hits.append(float((away[rim] <= NEAR).mean()))
    return 2 * hits[0] * hits[1] / max(sum(hits), 1e-9)


@dataclass
class Score:
    ious: list[float] = field(default_factory=list)
    boundaries: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        if not self.ious:
            return {"chromosomes": 0}
        return {
            "chromosomes": len(self.ious),
            "mean_iou": round(float(np.mean(self.ious)), 4),
            "at_least_0.9": round(float(np.mean(np.array(self.ious) >= 0.9)), 4),
            "boundary_f": round(float(np.mean(self.boundaries)), 4),
        }


@dataclass
class Judged:
    """scores: by kind, and "all".  crossings: IoU of each crossing itself, what both masks share.
    shared: of each, the pixels found of it, and of it and what was found together.
    worst: (IoU, truth, row, found) of the worst few."""

    scores: dict[str, Score] = field(default_factory=lambda: {kind: Score() for kind in (*KINDS, "all")})
    crossings: list[float] = field(default_factory=list)
    shared: list[tuple[int, int]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    worst: list[tuple[float, Truth, int, Mask]] = field(default_factory=list)
    missed: int = 0

    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = {kind: score.figures() for kind, score in self.scores.items()}
        found["crossing_itself"] = {
            "crossings": len(self.crossings),
            "mean_iou": round(float(np.mean(self.crossings)), 4) if self.crossings else None,
            "iou_of_all_pixels": self._of_all_pixels(),
        }
        found["median_seconds_a_picture"] = round(float(np.median(self.seconds)), 4) if self.seconds else None
        found["without_a_box"] = self.missed
        return found

    def _of_all_pixels(self) -> float | None:
        """IoU of all crossings taken together, so that one counts by its size; what is published of pairs is so."""
        both, either = (sum(one[part] for one in self.shared) for part in (0, 1))
        return round(both / either, 4) if either else None


def judge(
    truths: Iterator[Truth],
    segment: Callable[[np.ndarray, np.ndarray, np.ndarray | None], list[Mask]],
    boxes_for: Callable[[Truth], tuple[np.ndarray, np.ndarray, np.ndarray]] | None = None,
    keep_worst: int = 40,
) -> Judged:
    """boxes_for: other boxes than the truth's (a detector's), for each known chromosome the row of its box, −1 where
    there is none (counted as IoU 0 nowhere: reported as without_a_box), and how sure each box is."""
    import time

    judged = Judged()
    for truth in truths:
        boxes, rows, sure = boxes_for(truth) if boxes_for else (truth.boxes, np.arange(len(truth.known)), None)
        began = time.perf_counter()
        masks = segment(truth.pixels, boxes, sure)
        judged.seconds.append(time.perf_counter() - began)
        judged.missed += int((rows < 0).sum())
        for index, (one, row) in enumerate(zip(truth.known, rows, strict=True)):
            if row < 0:
                continue
            found = masks[int(row)]
            value, boundary = found.iou(one.mask), boundary_f(found, one.mask)
            for kind in (one.kind, "all"):
                judged.scores[kind].ious.append(value)
                judged.scores[kind].boundaries.append(boundary)
            judged.worst.append((value, truth, index, found))
            for other_index in range(index + 1, len(truth.known)):
                other_row = rows[other_index]
                if other_row < 0:
                    continue
                other = truth.known[other_index].mask
                if one.mask.common(other).bits.sum() >= 12:
                    there, cut = one.mask.common(other), found.common(masks[int(other_row)])
                    both = int(cut.common(there).bits.sum())
                    judged.crossings.append(cut.iou(there))
                    judged.shared.append((both, int(cut.bits.sum()) + int(there.bits.sum()) - both))
        judged.worst.sort(key=lambda item: item[0])
        del judged.worst[keep_worst:]
    return judged
