"""All findings as one karyogram document, `karyosite.karyogram/1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from inference.labels import CHROMOSOMES, LABELS
from inference.protocols import Detections, Evidence, Mask, ModelInfo, Proposal
from inference.stages.assign import Named, too_many
from inference.stages.axis import Axis
from inference.stages.outline import box_mask, rings, touching

_SHOWN = 4  # of the 24 probabilities, those a person may want to see
_LEAST_SHOWN = 0.02
_LIKELY = 0.5  # chance from which one that was left out is more likely a chromosome than not


def propose(
    *,
    image_facts: Mapping[str, Any],
    shape: tuple[int, int],
    detections: Detections,
    masks: list[Mask],
    axes: list[Axis],
    probabilities: np.ndarray,
    names: Mapping[int, Named],
    aside: Sequence[int],
    is_there: np.ndarray,
    cut_trusted_from: float | None,
    note: str,
    models: list[ModelInfo],
) -> Proposal:
    """Chromosomes stand in the order of the sheet; their masks in the same order.

    names: by row, of what is taken for a chromosome.  aside: rows that are not, and are shown as debris for a person
    to decide.  is_there: float (n,), the chance that each detection is a chromosome.  cut_trusted_from: a mask's score
    from which a cut needs no look even where chromosomes touch; None: always.
    """
    uncut = [not mask.bits.any() for mask in masks]
    masks = [
        box_mask(box, *shape) if empty else mask
        for mask, box, empty in zip(masks, detections.boxes, uncut, strict=True)
    ]
    shown = [row in names and not empty for row, empty in enumerate(uncut)]
    nothing = Mask(0, 0, np.zeros((0, 0), bool), 0.0)
    neighbours = touching([mask if seen else nothing for mask, seen in zip(masks, shown, strict=True)])
    order = sorted(names, key=lambda row: (LABELS.index(names[row].label), names[row].copy))
    chromosomes: list[dict[str, Any]] = []

    def add(row: int, label: str, state: str, place: int, score: float, flags: list[str]) -> None:
        chromosomes.append(
            {
                "id": f"c{len(chromosomes) + 1:02d}",
                "label": label,
                "state": state,
                "order": place,
                "rings": rings(masks[row]),
                "box": [round(float(value), 1) for value in detections.boxes[row]],
                "angle": axes[row].angle,
                "flip": False,
                "detection_score": round(float(is_there[row]), 4),
                "score": round(score, 4),
                "probabilities": _likeliest(probabilities[row], label),
                "flags": flags,
                "reviewed": False,
                "source": "machine",
                **measured(axes[row]),
            }
        )

    for row in order:
        flags = list(names[row].flags)
        if uncut[row]:
            flags.append("could not be cut out: its whole box is shown")
        if neighbours[row] and (cut_trusted_from is None or masks[row].score < cut_trusted_from):
            others = sorted({names[other].label for other in neighbours[row]}, key=LABELS.index)
            flags.append(f"touches {', '.join(others)}: check the cut")
        add(row, names[row].label, "present", names[row].copy - 1, names[row].score, flags)
    for place, row in enumerate(aside):
        own = int(probabilities[row].argmax())
        chance = f"{round(100 * float(is_there[row]))} % a chromosome"
        further = too_many(own, 1 + sum(one.label == CHROMOSOMES[own] for one in names.values()))
        if further and is_there[row] >= _LIKELY:
            reason = f"left out: it would be the {further} ({chance}): look at it before you count"
        else:
            reason = f"left out: perhaps a {CHROMOSOMES[own]}, perhaps a piece of another ({chance})"
        add(row, CHROMOSOMES[own], "debris", place, float(probabilities[row, own]), [reason])
    document = {
        "schema": "karyosite.karyogram/1",
        "image": {key: image_facts[key] for key in ("sha256", "page", "width", "height")},
        "models": [asdict(model) for model in models],
        "note": note,
        "chromosomes": chromosomes,
    }
    margins = np.array([names[row].margin for row in order])
    evidence = Evidence(detections.probabilities[order], probabilities[order], margins, detections.scores[order])
    return Proposal(document, [masks[row] for row in (*order, *aside)], models, evidence=evidence)


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
