"""The candidates of an annotated cell, found, cut and looked at as the pipeline does it, before they are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.protocols import Detections, Detector, Looks, Mask, Segmenter
from inference.stages.classify import Classifier, looks
from inference.stages.cut import cut_all
from inference.stages.framed import Frame
from inference.stages.load import light_ground
from inference.stages.scale import detect_at_usual_scale


@dataclass(frozen=True)
class Looked:
    """pixels: uint8 (h, w), dark chromosomes on a light ground.  drawn: float32 (n, 4), the candidates' boxes as they
    are shown in the end."""

    pixels: np.ndarray
    found: Detections
    masks: Sequence[Mask]
    looked: Looks
    drawn: np.ndarray


def look(
    pixels: np.ndarray,
    detector: Detector,
    segmenter: Segmenter,
    classifier: Classifier | None,
    frame: Frame | None = None,
    *,
    leftover: bool = True,
) -> Looked:
    """pixels: uint8 (h, w).  frame: how boxes are drawn around cut-outs; None leaves them as the detector gave them.
    leftover: as `cut_all` takes it."""
    seen, _ = light_ground(np.ascontiguousarray(pixels))
    found = detect_at_usual_scale(detector, seen)
    found, masks = cut_all(seen, found, segmenter, leftover=leftover)
    drawn = found.boxes if frame is None else frame.around(found.boxes, masks, (pixels.shape[0], pixels.shape[1]))
    return Looked(seen, found, masks, looks(seen, found, masks, classifier), drawn)
