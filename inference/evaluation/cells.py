"""How good the whole pipeline is, in the terms of a laboratory: cells that need no correction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from inference.backends.boxes import overlap
from inference.labels import CHROMOSOMES
from inference.protocols import Proposal
from inference.training.cil import AnnotatedCell

MATCH = 0.5  # intersection over union from which a found box is an annotated one


@dataclass
class Tally:
    cells: int = 0
    exact_count: int = 0
    fully_right: int = 0
    annotated: int = 0
    found: int = 0
    matched: int = 0
    named_right: int = 0
    doubted: int = 0
    doubted_of_wrong: int = 0
    per_class: dict[str, list[int]] = field(default_factory=lambda: {label: [0, 0] for label in CHROMOSOMES})
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, cell: AnnotatedCell, proposal: Proposal) -> None:
        """Count one cell in."""
        from scipy.optimize import linear_sum_assignment

        present = [entry for entry in proposal.document["chromosomes"] if entry["state"] == "present"]
        boxes = np.array([entry["box"] for entry in present], np.float32).reshape(-1, 4)
        shared = overlap(boxes, cell.boxes)
        rows, columns = linear_sum_assignment(-shared)
        pairs = [(row, column) for row, column in zip(rows, columns, strict=True) if shared[row, column] >= MATCH]
        right = 0
        for row, column in pairs:
            wanted = CHROMOSOMES[int(cell.classes[column])]
            hit = present[row]["label"] == wanted
            right += hit
            self.per_class[wanted][0] += hit
            self.doubted += bool(present[row]["flags"])
            self.doubted_of_wrong += bool(present[row]["flags"]) and not hit
        for index in cell.classes:
            self.per_class[CHROMOSOMES[int(index)]][1] += 1
        self.cells += 1
        self.annotated += len(cell.boxes)
        self.found += len(present)
        self.matched += len(pairs)
        self.named_right += right
        self.exact_count += len(present) == len(cell.boxes)
        self.fully_right += right == len(cell.boxes) == len(present)
        for stage, seconds in proposal.timings_s.items():
            self.seconds[stage].append(seconds)

    def metrics(self) -> dict[str, Any]:
        """Shares are 0..1, None where there is nothing to divide by."""
        wrong = self.matched - self.named_right
        return {
            "schema": "karyosite.evaluation/1",
            "cells": self.cells,
            "exact_count": self.exact_count,
            "fully_right": self.fully_right,
            "annotated": self.annotated,
            "found": self.found,
            "recall_iou50": _share(self.matched, self.annotated),
            "precision_iou50": _share(self.matched, self.found),
            "label_accuracy_of_matched": _share(self.named_right, self.matched),
            "doubted_of_matched": _share(self.doubted, self.matched),
            "doubted_of_misnamed": _share(self.doubted_of_wrong, wrong),
            "right_of_annotated_by_class": {label: _share(*counts) for label, counts in self.per_class.items()},
            "median_seconds": {stage: round(float(np.median(took)), 4) for stage, took in self.seconds.items()},
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def evenly(cells: list[AnnotatedCell], limit: int) -> list[AnnotatedCell]:
    """`limit` cells spread evenly over the list; all when limit is 0 or larger than the list."""
    if not 0 < limit < len(cells):
        return cells
    return [cells[int(index)] for index in np.linspace(0, len(cells) - 1, limit).round()]


def evaluate(cells: Iterable[AnnotatedCell], analyse_cell: Callable[[AnnotatedCell], Proposal]) -> Tally:
    """Run every cell through the pipeline and count."""
    tally = Tally()
    for cell in cells:
        tally.add(cell, analyse_cell(cell))
    return tally
