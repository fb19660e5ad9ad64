"""Whether a confidence of 80 % means right in 80 of 100, and the fit that makes it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inference.evaluation.cells import STAGES, UNNAMED, Observation, share
from inference.stages.confidence import Calibration, log_odds

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
        came_true = np.bincount(place, weights=np.asarray(right, np.float64), minlength=bins) / count
    return Reliability(mean, came_true, count)


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


MOST_LOST = 0.0002  # of the annotated chromosomes that may be called unknown: 0.0005 held no more of the others back


def choose(observations: Sequence[Observation], most_lost: float = MOST_LOST) -> dict[str, Any]:
    """The calibration of these models, for the manifest, and what it is worth on the half of the cells not fitted.

    Raises ValueError where there is too little to fit.
    """
    tables = [_table(observations[0::2]), _table(observations[1::2])]
    if min(len(table) for table in tables) < 50:
        raise ValueError("Too few cells to fit a calibration: take at least four, better a hundred.")
    everything = np.concatenate(tables)
    before, after, there_before, there_after = [], [], [], []
    for fitted, held in (tables, tables[::-1]):
        made = _fitted(fitted, most_lost)
        inside = held[held["there"]]
        said = np.array([made.name_right(row["share"], row["margin"]) for row in inside])
        before.append(reliability(inside["share"], inside["right"]).error)
        after.append(reliability(said, inside["right"]).error)
        there_before.append(reliability(held["presence"], held["there"]).error)
        there_after.append(reliability(made.is_there(held["presence"]), held["there"]).error)
    made = _fitted(everything, most_lost)
    unknown = everything["likeliest"] < made.unknown_below
    numbers = {
        key: round(value, 4) for key, value in asdict(made).items() if key not in ("presence", "context", "frame")
    }
    of_detector = {key: value for key, value in numbers.items() if key.startswith("presence")}
    return {
        "detector": {"calibration": of_detector},
        "classifier": {"calibration": {key: value for key, value in numbers.items() if key not in of_detector}},
        "name_ece": {"before": round(float(np.mean(before)), 4), "after": round(float(np.mean(after)), 4)},
        "detection_ece": {
            "before": round(float(np.mean(there_before)), 4),
            "after": round(float(np.mean(there_after)), 4),
        },
        "unknown": {
            "of_annotated": share(int(unknown[everything["there"]].sum()), int(everything["there"].sum())),
            "of_what_is_none": share(int(unknown[~everything["there"]].sum()), int((~everything["there"]).sum())),
        },
        "cells": len(observations),
    }


def _table(observations: Sequence[Observation]) -> np.ndarray:
    """A row a found box: share and margin of its name, likeliest share, presence, whether there, whether right."""
    kinds = [(name, "f8") for name in ("share", "margin", "likeliest", "presence")]
    parts = [np.zeros(0, [*kinds, ("there", "?"), ("right", "?")])]
    for seen in observations:
        pooled, named, known = seen.probabilities[STAGES[-1]], seen.named[STAGES[-1]], seen.truth_of_found()
        rows = np.zeros(len(named), parts[0].dtype)
        given = named != UNNAMED
        rows["share"][given] = pooled[given, named[given]]
        rows["margin"], rows["presence"] = seen.margins, seen.presence
        rows["likeliest"] = pooled.max(axis=1) if len(pooled) else 0
        rows["there"], rows["right"] = known >= 0, known == named
        parts.append(rows)
    return np.concatenate(parts)


def _fitted(table: np.ndarray, most_lost: float) -> Calibration:
    inside = table[table["there"]]
    of_share, of_margin, offset = _logistic(
        np.stack([log_odds(inside["share"]), inside["margin"]], axis=1), inside["right"]
    )
    slope, presence_offset = _logistic(log_odds(table["presence"])[:, None], table["there"])
    return Calibration(
        of_share=of_share,
        of_margin=of_margin,
        offset=offset,
        presence_slope=slope,
        presence_offset=presence_offset,
        unknown_below=float(np.sort(inside["likeliest"])[int(most_lost * len(inside))]),
    )


def _logistic(features: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Weights and, last, the offset of a logistic regression, held back a little: weights never turn negative."""
    from scipy.optimize import minimize

    table = np.column_stack([features, np.ones(len(features))])
    wanted = outcome.astype(np.float64)

    def loss(weights: np.ndarray) -> float:
        odds = table @ weights
        return float((np.logaddexp(0, odds) - wanted * odds).mean() + 1e-4 * (weights**2).sum())

    start = np.append(np.full(features.shape[1], 0.5), 0.0)
    bounds = [(0.0, None)] * features.shape[1] + [(None, None)]
    return np.asarray(minimize(loss, start, bounds=bounds, method="L-BFGS-B").x)
