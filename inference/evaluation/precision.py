"""Average precision by pycocotools, the reference: 101 recall points, IoU 0.50 to 0.95 in steps of 0.05."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.evaluation.cells import STAGES, UNNAMED, Observation
from inference.labels import CHROMOSOMES

_LEAST = 0.001  # an alternative fainter than this is not ranked: the custom of detectors' evaluations
_MOST = 300  # ranked rows a cell


def average_precision(
    observations: Sequence[Observation], stage: str = STAGES[-1], *, alternatives: bool = False
) -> np.ndarray:
    """float (24, 10): average precision by class and IoU 0.50 … 0.95; nan for a class that is not annotated.

    Each found chromosome stands once, under its name, ranked by the score that it is there times the confidence of
    the name.  alternatives: also under every other class, by that class's probability, as a detector's figure counts.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotated: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, seen in enumerate(observations, 1):
        for box, index in zip(seen.truth_boxes, seen.truth, strict=True):
            annotated.append(_row(number, box, int(index)) | {"id": len(annotated) + 1, "iscrowd": 0})
        found += _ranked(number, seen, stage, alternatives)
    if not annotated or not found:
        empty = np.full((len(CHROMOSOMES), 10), np.nan)
        empty[sorted({row["category_id"] - 1 for row in annotated})] = 0.0
        return empty
    with contextlib.redirect_stdout(io.StringIO()):  # it tells of its progress
        truth = COCO()
        truth.dataset = {
            "images": [{"id": number} for number in range(1, len(observations) + 1)],
            "annotations": annotated,
            "categories": [{"id": index + 1, "name": label} for index, label in enumerate(CHROMOSOMES)],
        }
        truth.createIndex()
        judged = COCOeval(truth, truth.loadRes(found), "bbox")
        judged.params.maxDets = [_MOST]
        judged.params.areaRng, judged.params.areaRngLbl = [[0, 1e10]], ["all"]
        judged.evaluate()
        judged.accumulate()
    precision = judged.eval["precision"][:, :, :, 0, 0]  # IoU, recall, class
    averages = np.where((precision < 0).all(axis=1), np.nan, precision.mean(axis=1)).T
    return np.asarray(averages, np.float64)


def _ranked(number: int, seen: Observation, stage: str, alternatives: bool) -> list[dict[str, Any]]:
    rows = []
    likely = seen.probabilities.get(stage)
    for index, box in enumerate(seen.boxes):
        own, there = int(seen.named[stage][index]), float(seen.detection_scores[index])
        sure = float(seen.scores[index]) if stage == STAGES[-1] or likely is None else float(likely[index, own])
        if own != UNNAMED:
            rows.append(_row(number, box, own) | {"score": there * sure})
        if alternatives and likely is not None:
            rows += [
                _row(number, box, int(other)) | {"score": there * float(likely[index, other])}
                for other in np.flatnonzero(likely[index] * there >= _LEAST)
                if other != own
            ]
    return sorted(rows, key=lambda row: -row["score"])[:_MOST]


def _row(number: int, box: np.ndarray, index: int) -> dict[str, Any]:
    left, top, right, bottom = (float(side) for side in box)
    width, height = right - left, bottom - top
    return {
        "image_id": number,
        "category_id": int(index) + 1,
        "bbox": [left, top, width, height],
        "area": width * height,
    }


def mean_over_classes(averages: np.ndarray) -> tuple[float | None, float | None]:
    """mAP50 and mAP50:95 of what `average_precision` gives."""
    if np.isnan(averages).all():
        return None, None
    return round(float(np.nanmean(averages[:, 0])), 4), round(float(np.nanmean(averages)), 4)
