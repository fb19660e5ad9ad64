"""Losses and gains made by hand, for annotated cells that have one are too few to judge by.

From the candidates of a cell that comes out right, one chromosome's are taken away: it must come out one short, not be
made up again from pieces.  And one chromosome is given the look of another class of its group: there must be three of
that, and none must be dropped for being too many.  A prior that is too strong fails here first, and silently elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inference.backends.boxes import overlap
from inference.evaluation.abnormal import counts_of, deviation
from inference.evaluation.cells import match, share
from inference.evaluation.looked import Looked
from inference.labels import CHROMOSOMES
from inference.pipeline import taken
from inference.protocols import Detections, Judge, Looks
from inference.stages.assign import name_cell
from inference.stages.confidence import Calibration

_GROUPS = (("1", "2", "3"), ("4", "5"), ("6", "7", "8", "9", "10", "11", "12"), ("13", "14", "15"),
           ("16", "17", "18"), ("19", "20"), ("21", "22"))  # fmt: skip
_PART = 0.25  # IoU from which a candidate is of a chromosome, well boxed or not


@dataclass(frozen=True)
class Annotated(Looked):
    """truth: float32 (m, 4) and classes: int (m,), as annotated."""

    truth: np.ndarray
    classes: np.ndarray

    def of(self, chromosome: int) -> np.ndarray:
        """bool (n,): the candidates that are of this annotated chromosome rather than of any other."""
        fits = overlap(self.drawn, self.truth)
        return np.asarray((fits.argmax(axis=1) == chromosome) & (fits.max(axis=1) >= _PART))

    def without(self, chromosome: int) -> Annotated:
        kept = np.flatnonzero(~self.of(chromosome))
        found, seen = self.found, self.looked
        return replace(
            self,
            found=Detections(found.boxes[kept], found.scores[kept], found.probabilities[kept]),
            masks=[self.masks[row] for row in kept.tolist()],
            looked=Looks(seen.probabilities[kept], None if seen.whole is None else seen.whole[kept]),
            drawn=self.drawn[kept],
            truth=np.delete(self.truth, chromosome, axis=0),
            classes=np.delete(self.classes, chromosome),
        )

    def renamed(self, chromosome: int, label: str) -> Annotated:
        """The chromosome's candidates look like `label` where they looked like its class, and the other way round."""
        own, other = int(self.classes[chromosome]), CHROMOSOMES.index(label)
        rows, classes = np.flatnonzero(self.of(chromosome)), self.classes.copy()
        classes[chromosome] = other
        tables = [self.looked.probabilities.copy(), self.found.probabilities.copy()]
        for table in tables:
            table[rows, own], table[rows, other] = table[rows, other].copy(), table[rows, own].copy()
        return replace(
            self,
            looked=replace(self.looked, probabilities=tables[0]),
            found=replace(self.found, probabilities=tables[1]),
            classes=classes,
        )


def measure(cells: Iterable[Annotated], judge: Judge | None, calibration: Calibration, seed: int = 0) -> dict[str, Any]:
    """Of the cells of 46 that come out right: in how many one taken away stays away, and in how many one renamed is
    there, and there under its new name."""
    rng = np.random.default_rng(seed)
    right = losses = asked = gains = named = 0
    for cell in cells:
        chromosome = int(rng.integers(0, max(1, len(cell.classes))))
        if deviation(counts_of(cell.classes)).any() or not all(_outcome(cell, judge, calibration)):
            continue
        right += 1
        short = cell.without(chromosome)
        losses += int(_present(short, judge, calibration).sum()) == len(short.classes)
        own = CHROMOSOMES[int(cell.classes[chromosome])]
        alike = [label for group in _GROUPS if own in group for label in group if label != own]
        if alike:
            asked += 1
            there, all_right = _outcome(cell.renamed(chromosome, str(rng.choice(alike))), judge, calibration)
            gains, named = gains + there, named + all_right
    return {
        "cells_right": right,
        "losses_kept": losses,
        "losses_kept_rate": share(losses, right),
        "gains": asked,
        "gains_there": gains,
        "gains_there_rate": share(gains, asked),
        "gains_named": named,
        "gains_named_rate": share(named, asked),
    }


def _present(cell: Annotated, judge: Judge | None, calibration: Calibration) -> np.ndarray:
    return taken(cell.pixels, cell.found, list(cell.masks), cell.looked, judge, calibration)[1]


def _outcome(cell: Annotated, judge: Judge | None, calibration: Calibration) -> tuple[bool, bool]:
    """Whether everything annotated is there and nothing else, and whether it also has its name."""
    kept = np.flatnonzero(_present(cell, judge, calibration))
    pairs = match(cell.drawn[kept], cell.truth)
    if not len(kept) == len(cell.truth) == len(pairs):
        return False, False
    names = name_cell(cell.looked.probabilities[kept])
    return True, all(names[row].label == CHROMOSOMES[cell.classes[column]] for row, column in pairs)
