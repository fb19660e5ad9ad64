"""The figures of an evaluation, in a laboratory's terms and in the paper's.  Shares are 0..1, None where nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.backends.boxes import overlap
from inference.evaluation.abnormal import abnormal_cells, invented
from inference.evaluation.calibration import is_there, named_right, reliability
from inference.evaluation.cells import STAGES, Observation, Table, share
from inference.evaluation.precision import average_precision, mean_over_classes
from inference.labels import CHROMOSOMES, UNKNOWN, group_of
from inference.training.cil import AnnotatedCell

_GROUPS = ("A", "B", "C", "D", "E", "F", "G", "X", "Y")
_TWICE = 0.97  # overlap from which two boxes mark one place
_SWEEP = tuple(round(0.02 * step, 2) for step in range(1, 50))


def measures(observations: Sequence[Observation], others: Sequence[AnnotatedCell] = ()) -> dict[str, Any]:
    """Everything of metrics.json but the models.  others: further cells of the same cases."""
    whole = STAGES[-1]
    precision = average_precision(observations)
    map50, map50_95 = mean_over_classes(precision)
    also50, also50_95 = mean_over_classes(average_precision(observations, alternatives=True))
    classes = by_class(observations, precision)
    found_right = [row for row in classes if row["recall"] is not None]
    lowest = min(found_right, key=lambda row: row["recall"], default=None)
    confidence, right = named_right(observations)
    score, there = is_there(observations)
    known = [seen.truth_of_found() for seen in observations]
    misnamed = [(of >= 0) & (of != seen.named[whole]) for of, seen in zip(known, observations, strict=True)]
    annotated = sum(len(seen.truth) for seen in observations)
    found = sum(len(seen.boxes) for seen in observations)
    matched = sum(len(seen.pairs) for seen in observations)
    wrong = int(sum(rows.sum() for rows in misnamed))
    flagged = sum(int(seen.flagged[of >= 0].sum()) for of, seen in zip(known, observations, strict=True))
    caught = sum(int((seen.flagged & rows).sum()) for rows, seen in zip(misnamed, observations, strict=True))
    extra = sum(int((seen.flagged & (of < 0)).sum()) for of, seen in zip(known, observations, strict=True))
    cells = len(observations)
    zero_edit = sum(seen.errors() == 0 for seen in observations)
    exact = sum(len(seen.boxes) == len(seen.truth) for seen in observations)
    return {
        "schema": "karyosite.evaluation/2",
        "cells": cells,
        "zero_edit_cells": zero_edit,
        "zero_edit_rate": share(zero_edit, cells),
        "exact_count_cells": exact,
        "exact_count_rate": share(exact, cells),
        "without_a_doubt": _without_a_doubt(observations),
        "cells_in_order": _in_order(observations),
        "corrections_a_cell": round(sum(seen.errors() for seen in observations) / cells, 3) if cells else None,
        "annotated": annotated,
        "found": found,
        "recall_iou50": share(matched, annotated),
        "precision_iou50": share(matched, found),
        "label_accuracy_of_found": share(matched - wrong, matched),
        "map50": map50,
        "map50_95": map50_95,
        "map50_with_alternatives": also50,
        "map50_95_with_alternatives": also50_95,
        "lowest_class": lowest["class"] if lowest else None,
        "lowest_class_recall": lowest["recall"] if lowest else None,
        "flagged_of_found": share(flagged, matched),
        "flagged_of_misnamed": share(caught, wrong),
        "flagged_of_what_is_none": share(extra, found - matched),
        "calibration": {
            "name_ece": _rounded(reliability(confidence, right).error),
            "detection_ece": _rounded(reliability(score, there).error),
        },
        "abnormal": abnormal_cells(observations, others),
        "cells_with_a_place_annotated_twice": sum(annotated_twice(seen.truth_boxes) for seen in observations),
        "stages": by_stage(observations),
        "by_group": by_group(observations),
        "by_class": classes,
        "median_seconds": median_seconds(observations),
    }


def _without_a_doubt(observations: Sequence[Observation]) -> dict[str, Any]:
    """Of the cells in which something is found and nobody is asked about anything: how many are right as they are."""
    silent = [seen for seen in observations if len(seen.boxes) and not seen.doubts]
    right = sum(seen.errors() == 0 for seen in silent)
    return {"cells": len(silent), "zero_edit_cells": right, "zero_edit_rate": share(right, len(silent))}


def _in_order(observations: Sequence[Observation]) -> dict[str, float | None]:
    """The chance that of two cells the one that needs corrections comes after the one that needs none (0.5: as drawn by
    lot), when they are ordered by what they are likely to need, and by their doubts alone."""
    wrong = np.array([seen.errors() > 0 for seen in observations], bool)
    orders = {"by_expected_corrections": [seen.expected for seen in observations],
              "by_doubts": [seen.doubts for seen in observations]}  # fmt: skip
    return {name: _rounded(_ranked(np.array(values, np.float64), wrong)) for name, values in orders.items()}


def _ranked(values: np.ndarray, wrong: np.ndarray) -> float:
    if not wrong.any() or wrong.all():
        return float("nan")
    apart = values[wrong][:, None] - values[~wrong][None]
    return float((apart > 0).mean() + 0.5 * (apart == 0).mean())


def annotated_twice(boxes: np.ndarray) -> bool:
    """Whether one place has two names: there is no correct answer then, or one crosses the other in the same box."""
    return bool((np.triu(overlap(boxes, boxes), 1) > _TWICE).any())


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def by_stage(observations: Sequence[Observation]) -> Table:
    """What each stage adds, from one pass: the same boxes, named by more and more of the pipeline."""
    rows = []
    for stage in STAGES:
        named = [seen for seen in observations if stage in seen.named]
        if len(named) < len(observations) or not named:
            continue
        matched = sum(len(seen.pairs) for seen in named)
        known = [seen.truth_of_found() for seen in named]
        right = sum(int(((of >= 0) & (of == seen.named[stage])).sum()) for of, seen in zip(known, named, strict=True))
        map50, map50_95 = mean_over_classes(average_precision(named, stage))
        zero_edit = sum(seen.errors(stage) == 0 for seen in named)
        rows.append(
            {
                "stage": stage,
                "label_accuracy_of_found": share(right, matched),
                "zero_edit_rate": share(zero_edit, len(named)),
                "map50": map50,
                "map50_95": map50_95,
            }
        )
    return rows


def by_class(observations: Sequence[Observation], precision: np.ndarray) -> Table:
    """The paper's Figure 1b: images, instances, precision, recall, mAP50, mAP50:95, a row a class."""
    counts = confusion(observations)
    rows: Table = []
    for index, label in enumerate(CHROMOSOMES):
        right, named = counts[index, index], counts[:, index].sum()
        instances = int(counts[index].sum())
        fifty, mean = precision[index, 0], precision[index].mean()
        rows.append(
            {
                "class": label,
                "images": sum(bool((seen.truth == index).any()) for seen in observations),
                "instances": instances,
                "precision": share(right, named),
                "recall": share(right, instances),
                "ap50": _rounded(float(fifty)),
                "ap50_95": _rounded(float(mean)),
            }
        )
    return rows


def confusion(observations: Sequence[Observation]) -> np.ndarray:
    """int (25, 26): rows are the annotated classes and, last, what is no chromosome; columns the names given,
    "unknown", and, last, missed."""
    counts = np.zeros((len(CHROMOSOMES) + 1, len(CHROMOSOMES) + 2), np.int64)
    for seen in observations:
        known = seen.truth_of_found()
        np.add.at(counts, (np.where(known < 0, len(CHROMOSOMES), known), seen.named[STAGES[-1]]), 1)
        missed = np.setdiff1d(np.arange(len(seen.truth)), seen.pairs[:, 1])
        np.add.at(counts, (seen.truth[missed], np.full(len(missed), len(CHROMOSOMES) + 1)), 1)
    return counts


def by_group(observations: Sequence[Observation]) -> Table:
    """Errors by Denver group, X and Y apart; X lies among C on most sheets and is confused with them."""
    counts = confusion(observations)
    groups = [group_of(label) for label in CHROMOSOMES]
    named = [*groups, UNKNOWN]
    rows: Table = []
    for group in _GROUPS:
        inside = np.array([one == group for one in groups])
        own = counts[:24][inside]
        columns = np.array([one == group for one in named])
        right = int(counts[:24, :24].diagonal()[inside].sum())
        within = int(own[:, :25][:, columns].sum()) - right
        rows.append(
            {
                "group": group,
                "annotated": int(own.sum()),
                "right": right,
                "named_another_of_the_group": within,
                "named_of_another_group": int(own[:, :24][:, ~columns[:24]].sum()),
                "unknown": int(own[:, 24].sum()),
                "missed": int(own[:, 25].sum()),
                "not_a_chromosome": int(counts[24, :24][inside].sum()),
            }
        )
    return rows


def by_threshold(observations: Sequence[Observation]) -> Table:
    """Precision and recall of what is kept when fainter detections are dropped: found at all, and named right."""
    annotated = sum(len(seen.truth) for seen in observations)
    score, there = is_there(observations)
    right = np.concatenate(
        [np.zeros(0, bool), *(seen.truth_of_found() == seen.named[STAGES[-1]] for seen in observations)]
    )
    rows: Table = []
    for threshold in _SWEEP:
        kept = score >= threshold
        exact = sum(int((seen.detection_scores >= threshold).sum()) == len(seen.truth) for seen in observations)
        rows.append(
            {
                "threshold": threshold,
                "precision": share(int(there[kept].sum()), int(kept.sum())),
                "recall": share(int(there[kept].sum()), annotated),
                "precision_named": share(int(right[kept].sum()), int(kept.sum())),
                "recall_named": share(int(right[kept].sum()), annotated),
                "exact_count_rate": share(exact, len(observations)),
            }
        )
    return rows


def by_cell(observations: Sequence[Observation]) -> Table:
    """A row a cell: counts and corrections."""
    rows: Table = []
    for seen in observations:
        known = seen.truth_of_found()
        rows.append(
            {
                "cell": seen.name,
                "annotated": len(seen.truth),
                "found": len(seen.boxes),
                "missed": len(seen.truth) - len(seen.pairs),
                "extra": len(seen.boxes) - len(seen.pairs),
                "misnamed": int(((known >= 0) & (known != seen.named[STAGES[-1]])).sum()),
                "corrections": seen.errors(),
                "invented": invented(seen),
                "flagged": int(seen.flagged.sum()),
                "doubts": seen.doubts,
                "expected": seen.expected,
                "seconds": seen.seconds.get("total"),
            }
        )
    return rows


def median_seconds(observations: Sequence[Observation]) -> dict[str, float]:
    stages: dict[str, list[float]] = {}
    for seen in observations:
        for stage, seconds in seen.seconds.items():
            stages.setdefault(stage, []).append(seconds)
    return {stage: round(float(np.median(took)), 4) for stage, took in stages.items()}
