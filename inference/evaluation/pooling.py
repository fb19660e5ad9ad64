"""How far to trust detector and crop classifier: temperature and share, chosen on validation cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from inference.backends.boxes import overlap
from inference.backends.crop_classifier import CropClassifier
from inference.labels import CHROMOSOMES
from inference.protocols import Detections, Mask
from inference.stages.assign import name_cell
from inference.stages.classify import pooled
from inference.stages.crops import surely_there, upright_crops
from inference.training.cil import AnnotatedCell

MATCH = 0.5
TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5)
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)


@dataclass(frozen=True)
class Seen:
    """One cell.  logits: float (n, 24).  truth: int (n,), −1 where the detection is no annotated chromosome."""

    detections: Detections
    logits: np.ndarray
    truth: np.ndarray


def see(
    cell: AnnotatedCell, pixels: np.ndarray, detections: Detections, masks: list[Mask], classifier: CropClassifier
) -> Seen:
    from scipy.optimize import linear_sum_assignment

    truth = np.full(len(detections), -1)
    shared = overlap(detections.boxes, cell.boxes)
    for row, column in zip(*linear_sum_assignment(-shared), strict=True):
        if shared[row, column] >= MATCH:
            truth[row] = cell.classes[column]
    areas = surely_there([int(mask.bits.sum()) for mask in masks], detections.scores)
    crops = upright_crops(pixels, detections.boxes, masks, areas, detections.scores)
    logits = classifier.logits(crops)[:, : len(CHROMOSOMES)]
    return Seen(detections, logits, truth)


def _softmax(logits: np.ndarray) -> np.ndarray:
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def choose(cells: Iterable[Seen]) -> dict[str, float]:
    """The temperature under which the classifier is least surprised; then the share of the detector that names
    most matched chromosomes right once the whole cell is assigned."""
    seen = list(cells)
    logits = np.concatenate([one.logits for one in seen])
    truth = np.concatenate([one.truth for one in seen])
    known = truth >= 0

    def surprise(temperature: float) -> float:
        chosen = _softmax(logits[known] / temperature)[np.arange(known.sum()), truth[known]]
        return float(-np.log(np.maximum(chosen, 1e-9)).mean())

    temperature = min(TEMPERATURES, key=surprise)

    def right(share: float) -> float:
        hits = 0
        for one in seen:
            both = pooled(one.detections.probabilities, _softmax(one.logits / temperature), share)
            names = name_cell(both)
            hits += sum(
                int(named.label == CHROMOSOMES[wanted])
                for named, wanted in zip(names, one.truth, strict=True)
                if wanted >= 0
            )
        return hits / int(known.sum())

    shares = {share: right(share) for share in SHARES}
    share = max(SHARES, key=lambda candidate: shares[candidate])
    alone = float((logits[known].argmax(axis=1) == truth[known]).mean())
    return {
        "temperature": temperature,
        "detector_share": share,
        "named_right": round(shares[share], 4),
        "named_right_without_detector": round(shares[0.0], 4),
        "classifier_alone_unassigned": round(alone, 4),
    }
