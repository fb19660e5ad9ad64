"""Class probabilities from the cut-outs: the detector's and the crop classifier's evidence together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from inference.protocols import Detections, Looks, Mask, ModelInfo
from inference.stages.crops import surely_there

_FLOOR = 1e-4


class Classifier(Protocol):
    """Names chromosomes by looking at each one turned upright."""

    info: ModelInfo
    detector_share: float

    def look(
        self,
        pixels: np.ndarray,
        boxes: np.ndarray,
        masks: list[Mask],
        areas: Sequence[float] = (),
        scores: np.ndarray | None = None,
    ) -> Looks:
        """boxes: float32 (n, 4).  areas: pixels, of the cell's chromosomes where the masks are not just these.
        scores: float (n,), the chance that each is a chromosome; 1 where not given.
        Probabilities are calibrated; rows of empty masks are even."""


def looks(pixels: np.ndarray, detections: Detections, masks: list[Mask], classifier: Classifier | None = None) -> Looks:
    """What the classifier sees, its probabilities pooled with the detector's; the detector's alone without one.

    The two are pooled by their logarithms: they look at the same pixels, so their evidence does not simply add up.
    """
    if classifier is None or len(detections) == 0:
        return Looks(detections.probabilities)
    areas = surely_there([int(mask.bits.sum()) for mask in masks], detections.scores)
    seen = classifier.look(pixels, detections.boxes, masks, areas, detections.scores)
    return replace(seen, probabilities=pooled(detections.probabilities, seen.probabilities, classifier.detector_share))


def pooled(detector: np.ndarray, classifier: np.ndarray, detector_share: float) -> np.ndarray:
    """float (n, 24) each, rows sum to 1; detector_share: the weight of the detector's logarithms beside 1."""
    logarithms = np.log(np.maximum(classifier, _FLOOR)) + detector_share * np.log(np.maximum(detector, _FLOOR))
    likely = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float32)
