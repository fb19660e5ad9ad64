"""What the pipeline made of an annotated cell, laid beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inference.backends.boxes import overlap
from inference.labels import CHROMOSOMES
from inference.protocols import Proposal
from inference.stages.assign import name_cell
from inference.training.cil import AnnotatedCell

MATCH = 0.5  # intersection over union from which a found box is an annotated one
UNNAMED = len(CHROMOSOMES)  # the class index of "unknown"

# What names a chromosome, from the detector's likeliest class to the whole pipeline.
STAGES = ("detector", "detector + classifier", "detector + assignment", "whole pipeline")


@dataclass(frozen=True)
class Observation:
    """One cell.  n boxes found, m annotated; classes index CHROMOSOMES, UNNAMED where none was given.

    boxes: float32 (n, 4) and truth_boxes: float32 (m, 4), xyxy, pixels of the original.  named: by stage, int (n,).
    probabilities: by stage, float (n, 24).  margins, presence: as `Evidence` has them.
    pairs: int (k, 2), row of a found box and of the annotated one it is.  doubts: what a person is asked about, also
    what was left out, and the whole photograph.  expected: `expected_corrections` of what was proposed.
    """

    name: str
    image: Path
    truth_boxes: np.ndarray
    truth: np.ndarray
    boxes: np.ndarray
    named: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]
    detection_scores: np.ndarray
    scores: np.ndarray
    flagged: np.ndarray
    pairs: np.ndarray
    margins: np.ndarray
    presence: np.ndarray
    doubts: int = 0
    expected: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)

    def truth_of_found(self) -> np.ndarray:
        """int (n,): the annotated class of each found box, −1 where there is none."""
        known = np.full(len(self.boxes), -1)
        known[self.pairs[:, 0]] = self.truth[self.pairs[:, 1]]
        return known

    def errors(self, stage: str = STAGES[-1]) -> int:
        """Corrections a person would make: missed, extra and misnamed chromosomes."""
        known = self.truth_of_found()
        misnamed = int(((known >= 0) & (known != self.named[stage])).sum())
        return misnamed + len(self.truth) + len(self.boxes) - 2 * len(self.pairs)


def match(boxes: np.ndarray, truth_boxes: np.ndarray) -> np.ndarray:
    """int (k, 2): the found and the annotated boxes that are one, so that together they overlap most."""
    from scipy.optimize import linear_sum_assignment

    shared = overlap(boxes, truth_boxes)
    rows, columns = linear_sum_assignment(-shared)
    kept = shared[rows, columns] >= MATCH
    return np.stack([rows[kept], columns[kept]], axis=1)


def observe(cell: AnnotatedCell, proposal: Proposal) -> Observation:
    """Where the proposal carries no evidence, only the whole pipeline's names are there."""
    present = [entry for entry in proposal.document["chromosomes"] if entry["state"] == "present"]
    boxes = np.array([entry["box"] for entry in present], np.float32).reshape(-1, 4)
    index_of = {label: index for index, label in enumerate(CHROMOSOMES)}
    detection_scores = np.array([entry.get("detection_score", 1.0) for entry in present], np.float64)
    named = {STAGES[-1]: np.array([index_of.get(entry["label"], UNNAMED) for entry in present], np.int64)}
    probabilities: dict[str, np.ndarray] = {}
    evidence = proposal.evidence
    if evidence is not None and len(evidence.pooled) == len(present):
        named[STAGES[0]] = evidence.detector.argmax(axis=1) if len(present) else named[STAGES[-1]]
        named[STAGES[1]] = evidence.pooled.argmax(axis=1) if len(present) else named[STAGES[-1]]
        alone = name_cell(evidence.detector)
        named[STAGES[2]] = np.array([index_of.get(one.label, UNNAMED) for one in alone], np.int64)
        probabilities = dict(zip(STAGES, (evidence.detector, evidence.pooled) * 2, strict=True))
    return Observation(
        name=cell.name,
        image=cell.image,
        truth_boxes=cell.boxes,
        truth=cell.classes,
        boxes=boxes,
        named=named,
        probabilities=probabilities,
        detection_scores=detection_scores,
        scores=np.array([entry.get("score", 1.0) for entry in present], np.float64),
        flagged=np.array([bool(entry["flags"]) for entry in present], bool),
        pairs=match(boxes, cell.boxes),
        margins=evidence.margins if evidence is not None else np.zeros(len(boxes)),
        presence=evidence.presence if evidence is not None else detection_scores,
        doubts=sum(bool(one["flags"]) for one in proposal.document["chromosomes"])
        + bool(proposal.document.get("note")),
        expected=expected_corrections(proposal.document),
        seconds=dict(proposal.timings_s),
    )


def expected_corrections(document: dict[str, Any]) -> float:
    """What a proposal is likely to need, as the laboratory's list counts it (cases.domain.likely, which is not to be
    known here; tests/contracts hold them together)."""
    chances = [
        float(one.get("detection_score", 0.0))
        if one["state"] == "debris"
        else 1 - float(one.get("detection_score", 1.0)) * float(one.get("score", 1.0))
        for one in document["chromosomes"]
    ]
    return round(sum(chances), 4)


def evenly(cells: list[AnnotatedCell], limit: int) -> list[AnnotatedCell]:
    """`limit` cells spread evenly over the list; all when limit is 0 or larger than the list."""
    if not 0 < limit < len(cells):
        return cells
    return [cells[int(index)] for index in np.linspace(0, len(cells) - 1, limit).round()]


def evaluate(cells: Iterable[AnnotatedCell], analyse_cell: Callable[[AnnotatedCell], Proposal]) -> list[Observation]:
    """Run every cell through the pipeline."""
    return [observe(cell, analyse_cell(cell)) for cell in cells]


def share(part: float, whole: float) -> float | None:
    """0..1 to four places; None where there is nothing to divide by."""
    return round(float(part) / float(whole), 4) if whole else None


Table = list[dict[str, Any]]
