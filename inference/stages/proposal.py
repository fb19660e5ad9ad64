"""All findings as one karyogram document, `karyosite.karyogram/1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from inference.labels import CHROMOSOMES, LABELS
from inference.protocols import Detections, Evidence, Mask, ModelInfo, Proposal
from inference.stages.assign import Named
from inference.stages.axis import Axis
from inference.stages.outline import box_mask, rings, touching

_SHOWN = 4  # of the 24 probabilities, those a person may want to see
_LEAST_SHOWN = 0.02


def propose(
    *,
    image_facts: Mapping[str, Any],
    shape: tuple[int, int],
    detections: Detections,
    masks: list[Mask],
    axes: list[Axis],
    probabilities: np.ndarray,
    names: list[Named],
    is_there: np.ndarray,
    note: str,
    models: list[ModelInfo],
) -> Proposal:
    """Chromosomes stand in the order of the sheet; their masks in the same order.  is_there: float (n,), the chance
    that each detection is a chromosome."""
    uncut = [not mask.bits.any() for mask in masks]
    masks = [
        box_mask(box, *shape) if empty else mask
        for mask, box, empty in zip(masks, detections.boxes, uncut, strict=True)
    ]
    neighbours = touching(
        [Mask(0, 0, np.zeros((0, 0), bool), 0.0) if e else m for m, e in zip(masks, uncut, strict=True)]
    )
    order = sorted(range(len(names)), key=lambda row: (LABELS.index(names[row].label), names[row].copy))
    chromosomes = []
    for number, row in enumerate(order, 1):
        flags = list(names[row].flags)
        if uncut[row]:
            flags.append("could not be cut out: its whole box is shown")
        if neighbours[row]:
            others = sorted({names[other].label for other in neighbours[row]}, key=LABELS.index)
            flags.append(f"touches {', '.join(others)}: check the cut")
        chromosomes.append(
            {
                "id": f"c{number:02d}",
                "label": names[row].label,
                "state": "present",
                "order": names[row].copy - 1,
                "rings": rings(masks[row]),
                "box": [round(float(value), 1) for value in detections.boxes[row]],
                "angle": axes[row].angle,
                "flip": False,
                "detection_score": round(float(is_there[row]), 4),
                "score": round(names[row].score, 4),
                "probabilities": _likeliest(probabilities[row], names[row].label),
                "flags": flags,
                "reviewed": False,
                "source": "machine",
                **measured(axes[row]),
            }
        )
    document = {
        "schema": "karyosite.karyogram/1",
        "image": {key: image_facts[key] for key in ("sha256", "page", "width", "height")},
        "models": [asdict(model) for model in models],
        "note": note,
        "chromosomes": chromosomes,
    }
    margins = np.array([names[row].margin for row in order])
    evidence = Evidence(detections.probabilities[order], probabilities[order], margins, detections.scores[order])
    return Proposal(document, [masks[row] for row in order], models, evidence=evidence)


def measured(axis: Axis) -> dict[str, Any]:
    """`axis` and `centromere` as the document keeps them; without either where there is none."""
    kept: dict[str, Any] = {}
    if len(axis.points) >= 2:
        kept["axis"] = [[round(float(x), 1), round(float(y), 1)] for x, y in axis.points]
        if axis.centromere is not None:
            kept["centromere"] = axis.centromere
    return kept


def _likeliest(shares: np.ndarray, label: str) -> dict[str, float]:
    best = [int(index) for index in np.argsort(-shares)[:_SHOWN] if shares[index] >= _LEAST_SHOWN]
    if label in CHROMOSOMES and CHROMOSOMES.index(label) not in best:
        best.append(CHROMOSOMES.index(label))
    return {CHROMOSOMES[index]: round(float(shares[index]), 4) for index in best}
