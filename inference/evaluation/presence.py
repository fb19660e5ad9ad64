"""Fitting how candidates are judged (inference.stages.presence, inference.stages.context), and what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inference.evaluation import looked
from inference.evaluation.cells import match, share
from inference.protocols import Detector, Mask, Segmenter
from inference.stages.classify import Classifier
from inference.stages.context import context
from inference.stages.framed import Frame
from inference.stages.presence import Presence, features, settle, shared_areas


@dataclass(frozen=True)
class Candidates:
    """One cell.  boxes: float (n, 4), the detector's.  masks, shared: as `context` takes them.  features: float (n,
    FEATURES).  probabilities: float (n, 24).  real: bool (n,).  annotated: how many there should be."""

    boxes: np.ndarray
    masks: Sequence[Mask]
    shared: np.ndarray
    features: np.ndarray
    probabilities: np.ndarray
    real: np.ndarray
    annotated: int

    def beside(self, chance: np.ndarray) -> np.ndarray:
        """float (n, FEATURES and CONTEXT).  chance: float (n,), of each by itself."""
        seen = context(chance, self.boxes, self.masks, self.shared, self.probabilities)
        return np.column_stack([self.features, seen])


@dataclass(frozen=True)
class Judges:
    """What the manifest's detector takes over: by itself, and then beside the others."""

    alone: Presence
    beside: Presence

    def chance(self, cell: Candidates) -> np.ndarray:
        """float32 (n,)."""
        return self.beside.chance(cell.beside(self.alone.chance(cell.features)))


def look(
    pixels: np.ndarray,
    truth_boxes: np.ndarray,
    detector: Detector,
    segmenter: Segmenter,
    classifier: Classifier | None,
    frame: Frame | None = None,
) -> Candidates:
    """pixels: uint8 (h, w).  truth_boxes: float (m, 4).  frame: how boxes are drawn before they are held against
    the truth."""
    seen = looked.look(pixels, detector, segmenter, classifier, frame, leftover=False)
    found, masks = seen.found, seen.masks
    areas, shared = np.array([int(mask.bits.sum()) for mask in masks]), shared_areas(masks)
    real = np.zeros(len(found), bool)
    real[match(seen.drawn, truth_boxes)[:, 0]] = True
    table = features(found.scores, found.boxes, areas, shared, seen.looked)
    return Candidates(found.boxes, masks, shared, table, seen.looked.probabilities, real, len(truth_boxes))


def fit(cells: Sequence[Candidates]) -> Judges:
    """Those beside the others are fitted on chances of halves of the cells by themselves that were not fitted on these,
    for what was fitted is surer than what comes.  Raises ValueError where there is too little to fit."""
    real = [cell.real for cell in cells]
    if sum(map(np.sum, real)) < 50 or sum(np.sum(~one) for one in real) < 20:
        raise ValueError("Too few candidates to fit how they are judged: take at least twenty cells.")
    first, second = cells[0::2], cells[1::2]
    tables, truths = [], []
    for fitted, held in ((first, second), (second, first)):
        judge = _logistic([cell.features for cell in fitted], [cell.real for cell in fitted])
        tables += [cell.beside(judge.chance(cell.features)) for cell in held]
        truths += [cell.real for cell in held]
    return Judges(_logistic([cell.features for cell in cells], real), _logistic(tables, truths))


def _logistic(tables: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> Presence:
    from scipy.optimize import minimize

    table = np.concatenate(tables)
    real = np.concatenate(truths).astype(np.float64)
    mean, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-3)
    scaled = np.column_stack([(table - mean) / spread, np.ones(len(table))])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = scaled @ weights
        slope = (1 / (1 + np.exp(-odds)) - real) @ scaled / len(real)
        slope[:-1] += 2e-3 * weights[:-1]
        return float((np.logaddexp(0, odds) - real * odds).mean() + 1e-3 * (weights[:-1] ** 2).sum()), slope

    weights = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    return Presence(tuple(mean), tuple(spread), tuple(weights[:-1]), float(weights[-1]))


def choose(cells: Sequence[Candidates]) -> dict[str, Any]:
    """The numbers for the manifest's detector, and what they are worth on the half of the cells not fitted."""
    halves = cells[0::2], cells[1::2]
    kept = real = annotated = taken = exact = whole = 0
    for fitted, held in (halves, halves[::-1]):
        judges = fit(fitted)
        for cell in held:
            chosen = settle(judges.chance(cell), cell.probabilities)
            taken += int(chosen.sum())
            real += int((chosen & cell.real).sum())
            kept += len(chosen)
            annotated += cell.annotated
            exact += int(chosen.sum()) == cell.annotated
            whole += int((chosen & cell.real).sum()) == cell.annotated == int(chosen.sum())
    made = fit(cells)
    return {
        "presence": _numbers(made.alone),
        "context": _numbers(made.beside),
        "candidates": kept,
        "found_of_annotated": share(real, annotated),
        "real_of_taken": share(real, taken),
        "exact_count": exact,
        "all_found_none_extra": whole,
        "cells": len(cells),
    }


def _numbers(judge: Presence) -> dict[str, Any]:
    listed = {name: [round(value, 5) for value in getattr(judge, name)] for name in ("mean", "spread", "weights")}
    return listed | {"offset": round(judge.offset, 5)}
