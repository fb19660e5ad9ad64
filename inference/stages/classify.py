"""Class probabilities from the cut-outs: the detector's and the crop classifier's evidence together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from inference.protocols import Detections, Mask, ModelInfo

_FLOOR = 1e-4


class Classifier(Protocol):
    """Names chromosomes by looking at each one turned upright."""

    info: ModelInfo
    detector_share: float

    def classify(
        self, pixels: np.ndarray, boxes: np.ndarray, masks: list[Mask], areas: Sequence[float] = ()
    ) -> np.ndarray:
        """boxes: float32 (n, 4).  areas: pixels, of all the cell's chromosomes where the masks are but some of them.
        Returns float32 (n, 24), calibrated, rows sum to 1; rows of empty masks are even."""


def class_probabilities(
    pixels: np.ndarray, detections: Detections, masks: list[Mask], classifier: Classifier | None = None
) -> np.ndarray:
    """float32 (n, 24), rows sum to 1.

    The two are pooled by their logarithms: they look at the same pixels, so their evidence does not simply add up.
    """
    if classifier is None or len(detections) == 0:
        return detections.probabilities
    return pooled(
        detections.probabilities, classifier.classify(pixels, detections.boxes, masks), classifier.detector_share
    )


def pooled(detector: np.ndarray, classifier: np.ndarray, detector_share: float) -> np.ndarray:
    """float (n, 24) each, rows sum to 1; detector_share: the weight of the detector's logarithms beside 1."""
    logarithms = np.log(np.maximum(classifier, _FLOOR)) + detector_share * np.log(np.maximum(detector, _FLOOR))
    likely = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float32)
