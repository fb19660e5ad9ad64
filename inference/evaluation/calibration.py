"""Whether a confidence of 80 % means right in 80 of 100, and the fit that makes it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.evaluation.cells import STAGES, Observation

_BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Equal widths of confidence: mean confidence, share right, and how many, each float (bins,); nan where none."""

    confidence: np.ndarray
    right: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of confidence and share right, by how many there are."""
        known = self.count > 0
        if not known.any():
            return float("nan")
        distance = np.abs(self.confidence[known] - self.right[known])
        return float((distance * self.count[known]).sum() / self.count.sum())


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = _BINS) -> Reliability:
    """confidence: float (n,) 0..1.  right: bool (n,)."""
    place = np.clip((np.asarray(confidence) * bins).astype(int), 0, bins - 1)
    count = np.bincount(place, minlength=bins).astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, weights=confidence, minlength=bins) / count
        share = np.bincount(place, weights=np.asarray(right, np.float64), minlength=bins) / count
    return Reliability(mean, share, count)


def named_right(observations: Sequence[Observation]) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of the name and whether it is right, of every found chromosome that is annotated."""
    confidence, right = [np.zeros(0)], [np.zeros(0, bool)]
    for seen in observations:
        known = seen.truth_of_found()
        confidence.append(seen.scores[known >= 0])
        right.append((known == seen.named[STAGES[-1]])[known >= 0])
    return np.concatenate(confidence), np.concatenate(right)


def is_there(observations: Sequence[Observation]) -> tuple[np.ndarray, np.ndarray]:
    """Detection score and whether it is an annotated chromosome, of everything found."""
    scores = [np.zeros(0), *(seen.detection_scores for seen in observations)]
    there = [np.zeros(0, bool), *(seen.truth_of_found() >= 0 for seen in observations)]
    return np.concatenate(scores), np.concatenate(there)
