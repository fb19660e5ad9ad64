"""Class probabilities from the cut-outs.  Until a crop classifier ships, the detector's own stand."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from inference.protocols import Detections, Mask, ModelInfo


class Classifier(Protocol):
    """Refines the detector's probabilities by looking at each chromosome turned upright."""

    info: ModelInfo

    def classify(
        self, pixels: np.ndarray, masks: list[Mask], angles: list[float], probabilities: np.ndarray
    ) -> np.ndarray:
        """probabilities: float32 (n, 24), the detector's.  Returns float32 (n, 24), rows sum to 1."""


def class_probabilities(
    pixels: np.ndarray,
    detections: Detections,
    masks: list[Mask],
    angles: list[float],
    classifier: Classifier | None = None,
) -> np.ndarray:
    """float32 (n, 24), rows sum to 1."""
    if classifier is None or len(detections) == 0:
        return detections.probabilities
    return classifier.classify(pixels, masks, angles, detections.probabilities)
