"""How well a chromosome that is missing is cut where a person points at it, and how soon clicks put that right.

Of each picture a few chromosomes are taken for missing; the others have the outlines that the segmenter gives them
without a box there.  Each of the missing is then asked for by a box, and by a click on what is its alone; an answer to
a click is refined twice, by a click in the middle of its largest error, as a person does who looks at it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inference.evaluation.segmentation import KINDS, Truth
from inference.protocols import Mask

MISSING = 4  # of a picture
CORRECTIONS = 2
_LEAST = 2.0  # pixels deep, an error that a person sees and clicks
_OWN = 12  # pixels that a click may be on
ASKED = ("box", "click", *(f"click and {count} more" for count in range(1, CORRECTIONS + 1)))


@dataclass
class Pointed:
    """ious: by what was pointed with (ASKED) and kind.  followed: of clicks by their label, 1 "this too" and 0 "not
    this", whether the answer does as they say."""

    ious: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: {asked: {kind: [] for kind in KINDS} for asked in ASKED}
    )
    followed: dict[int, list[bool]] = field(default_factory=lambda: {0: [], 1: []})

    def figures(self) -> dict[str, Any]:
        """Mean IoU and counts; shares of clicks that are followed."""
        found: dict[str, Any] = {
            asked: {kind: {"chromosomes": len(values), "mean_iou": _mean(values)} for kind, values in kinds.items()}
            for asked, kinds in self.ious.items()
        }
        found["followed"] = {
            name: {"clicks": len(self.followed[label]), "share": _mean(self.followed[label])}
            for name, label in (("this too", 1), ("not this", 0))
        }
        return found


def judge(truths: Iterator[Truth], segmenter: Any, *, seed: int = 17) -> dict[str, Pointed]:
    """segmenter: a Segmenter that is a Prompter too.  By "beside", told of the cell's other outlines, and "alone"."""
    rng = random.Random(seed)
    judged = {"beside": Pointed(), "alone": Pointed()}
    for truth in truths:
        missing = rng.sample(range(len(truth.known)), min(MISSING, len(truth.known)))
        given = np.delete(truth.boxes, missing, axis=0)
        others = [mask for mask in segmenter.segment(truth.pixels, given) if mask.bits.any()] if len(given) else []
        embedding = segmenter.embed(truth.pixels)
        covered = np.zeros(truth.pixels.shape, bool)
        for other in others:
            other.window(covered)[other.bits] = True
        for row in missing:
            whole = _within(truth.known[row].mask, truth.pixels.shape)
            own = np.argwhere(whole & ~covered)
            if len(own) < _OWN:
                continue
            click = own[rng.randrange(len(own))][::-1]
            for how, told in (("beside", others), ("alone", [])):
                asking = _Asking(segmenter, truth.pixels, embedding, told, whole, truth.known[row].kind, judged[how])
                asking.box(truth.boxes[row])
                asking.click(click)
    return judged


@dataclass(frozen=True)
class _Asking:
    segmenter: Any
    pixels: np.ndarray
    embedding: dict[str, np.ndarray]
    others: Sequence[Mask]
    whole: np.ndarray
    kind: str
    into: Pointed

    def box(self, box: np.ndarray) -> None:
        self._note("box", self._cut(np.asarray(box, np.float32), [], None))

    def click(self, at: np.ndarray) -> None:
        found = self._cut(None, [(*at, 1)], None)
        self._note("click", found)
        clicks: list[tuple[float, ...]] = []
        for count in range(1, CORRECTIONS + 1):
            further = _largest_error(found.full(*self.whole.shape), self.whole)
            if further is not None and found.bits.any():
                clicks.append(further)
                found = self._cut(None, clicks, found)
                x, y, label = (int(value) for value in further)
                self.into.followed[label].append(bool(found.full(*self.whole.shape)[y, x]) == bool(label))
            self._note(f"click and {count} more", found)

    def _cut(self, box: np.ndarray | None, clicks: list[tuple[float, ...]], mask: Mask | None) -> Mask:
        points = np.array(clicks, np.float32).reshape(-1, 3)
        found: Mask = self.segmenter.cut(self.pixels, self.embedding, box, points, mask, self.others)
        return found

    def _note(self, asked: str, found: Mask) -> None:
        full = found.full(*self.whole.shape)
        self.into.ious[asked][self.kind].append(float((full & self.whole).sum() / (full | self.whole).sum()))


def _within(mask: Mask, shape: tuple[int, ...]) -> np.ndarray:
    """bool (h, w): a mask whose window may reach out of the picture."""
    room = max(mask.bits.shape)
    wide = np.zeros((shape[0] + 2 * room, shape[1] + 2 * room), bool)
    Mask(mask.left + room, mask.top + room, mask.bits, 1.0).window(wide)[mask.bits] = True
    return wide[room : room + shape[0], room : room + shape[1]]


def _largest_error(found: np.ndarray, truth: np.ndarray) -> tuple[float, float, float] | None:
    """x, y and label of the click that says it; None where a person would leave it."""
    import cv2

    best, at = _LEAST, None
    for label, wrong in ((1.0, truth & ~found), (0.0, found & ~truth)):
        depths = cv2.distanceTransform(wrong.astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(depths.argmax(), depths.shape)
        if depths[y, x] >= best:
            best, at = float(depths[y, x]), (float(x), float(y), label)
    return at


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
