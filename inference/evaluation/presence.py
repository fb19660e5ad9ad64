"""Fitting how candidates are judged (inference.stages.presence), and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.evaluation.cells import match, share
from inference.protocols import Detector, Segmenter
from inference.stages.classify import Classifier, looks
from inference.stages.load import light_ground
from inference.stages.presence import Presence, features, settle, shared_areas
from inference.stages.scale import detect_at_usual_scale


@dataclass(frozen=True)
class Candidates:
    """One cell.  features: float (n, FEATURES).  probabilities: float (n, 24).  real: bool (n,).  annotated: how many
    there should be."""

    features: np.ndarray
    probabilities: np.ndarray
    real: np.ndarray
    annotated: int


def look(
    pixels: np.ndarray,
    truth_boxes: np.ndarray,
    detector: Detector,
    segmenter: Segmenter,
    classifier: Classifier | None,
) -> Candidates:
    """pixels: uint8 (h, w).  truth_boxes: float (m, 4)."""
    seen, _ = light_ground(np.ascontiguousarray(pixels))
    found = detect_at_usual_scale(detector, seen)
    masks = segmenter.segment(seen, found.boxes) if len(found) else []
    looked = looks(seen, found, masks, classifier)
    areas = np.array([int(mask.bits.sum()) for mask in masks])
    real = np.zeros(len(found), bool)
    real[match(found.boxes, truth_boxes)[:, 0]] = True
    table = features(found.scores, found.boxes, areas, shared_areas(masks), looked)
    return Candidates(table, looked.probabilities, real, len(truth_boxes))


def fit(cells: Sequence[Candidates]) -> Presence:
    """Raises ValueError where there is too little to fit."""
    from scipy.optimize import minimize

    table = np.concatenate([cell.features for cell in cells])
    real = np.concatenate([cell.real for cell in cells]).astype(np.float64)
    if real.sum() < 50 or (1 - real).sum() < 20:
        raise ValueError("Too few candidates to fit how they are judged: take at least twenty cells.")
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-6
    scaled = np.column_stack([(table - mean) / spread, np.ones(len(table))])

    def loss(weights: np.ndarray) -> float:
        odds = scaled @ weights
        return float((np.logaddexp(0, odds) - real * odds).mean() + 1e-3 * (weights[:-1] ** 2).sum())

    weights = minimize(loss, np.zeros(scaled.shape[1]), method="L-BFGS-B").x
    return Presence(tuple(mean), tuple(spread), tuple(weights[:-1]), float(weights[-1]))


def choose(cells: Sequence[Candidates]) -> dict[str, Any]:
    """The numbers for the manifest's detector, and what they are worth on the half of the cells not fitted."""
    halves = cells[0::2], cells[1::2]
    kept = real = annotated = taken = exact = whole = 0
    for fitted, held in (halves, halves[::-1]):
        judge = fit(fitted)
        for cell in held:
            chosen = settle(judge.chance(cell.features), cell.probabilities)
            taken += int(chosen.sum())
            real += int((chosen & cell.real).sum())
            kept += len(chosen)
            annotated += cell.annotated
            exact += int(chosen.sum()) == cell.annotated
            whole += int((chosen & cell.real).sum()) == cell.annotated == int(chosen.sum())
    made = fit(cells)
    return {
        "presence": {
            "mean": [round(value, 5) for value in made.mean],
            "spread": [round(value, 5) for value in made.spread],
            "weights": [round(value, 5) for value in made.weights],
            "offset": round(made.offset, 5),
        },
        "candidates": kept,
        "found_of_annotated": share(real, annotated),
        "real_of_taken": share(real, taken),
        "exact_count": exact,
        "all_found_none_extra": whole,
        "cells": len(cells),
    }
