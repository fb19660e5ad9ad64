"""Losses and gains made by hand: what is altered, and that a prior which is too strong shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from inference.evaluation.altered import Annotated, measure
from inference.labels import CHROMOSOMES
from inference.protocols import Detections, Looks, Mask, ModelInfo
from inference.stages.confidence import Calibration

NORMAL = [label for label in CHROMOSOMES[:22] for _ in range(2)] + ["X", "Y"]


class Scripted:
    """A judge that says what a rule says of the candidates' scores and names."""

    info = ModelInfo("judge", "scripted", "1", "")

    def __init__(self, rule: Any) -> None:
        self.rule = rule

    def chance(self, pixels: np.ndarray, found: Detections, masks: Any, seen: Looks) -> np.ndarray:
        return np.asarray(self.rule(found, seen), np.float32)


def cell() -> Annotated:
    """46,XY in a row, each found once and surely, and two pieces of dirt that look like a 1 and a 21."""
    names = [*NORMAL, "1", "21"]
    table = np.full((len(names), 24), 0.01 / 23, np.float32)
    for row, label in enumerate(names):
        table[row, CHROMOSOMES.index(label)] = 0.99
    boxes = np.array([[30 * row, 0, 30 * row + 20, 50] for row in range(len(names))], np.float32)
    scores = np.array([0.95] * 46 + [0.02] * 2, np.float32)
    masks = [Mask(30 * row, 0, np.ones((50, 20), bool), 0.9) for row in range(len(names))]
    classes = np.array([CHROMOSOMES.index(label) for label in NORMAL])
    found = Detections(boxes, scores, table)
    return Annotated(np.full((50, 1500), 90, np.uint8), found, masks, Looks(table, scores), boxes, boxes[:46], classes)


def test_one_that_is_taken_away_is_gone_and_one_renamed_looks_so() -> None:
    whole = cell()
    short = whole.without(3)
    assert len(short.found) == 47 and len(short.masks) == len(short.drawn) == 47 and len(short.classes) == 45
    assert not (short.found.boxes == whole.found.boxes[3]).all(axis=1).any()
    other = whole.renamed(44, "21")
    assert CHROMOSOMES[other.looked.probabilities[44].argmax()] == "21" == CHROMOSOMES[other.classes[44]]
    assert (other.looked.probabilities[:44] == whole.looked.probabilities[:44]).all()
    assert CHROMOSOMES[whole.looked.probabilities[44].argmax()] == "X", "the cell itself stays as it is"


def test_a_judge_that_looks_keeps_what_is_there() -> None:
    said = measure([cell()] * 12, Scripted(lambda found, _: found.scores), Calibration())
    assert said["cells_right"] == 12 and said["losses_kept"] == 12
    assert said["gains_there"] == said["gains_named"] == said["gains"] > 6


def test_a_judge_that_counts_is_found_out() -> None:
    """It takes what the cell lacks whatever it looks like, and none that is too many."""

    def counted(found: Detections, seen: Looks) -> np.ndarray:
        names, chance = seen.probabilities.argmax(axis=1), np.zeros(len(found))
        for row in np.argsort(-found.scores):
            before = (names == names[row]) & (chance > 0.5)
            chance[row] = 0.99 if before.sum() < (1 if names[row] >= 22 else 2) else 0.0
        return chance

    said = measure([cell()] * 12, Scripted(counted), Calibration())
    assert said["cells_right"] == 12 and said["gains_there"] == 0 < said["gains"]


def test_a_judge_that_fills_up_is_found_out() -> None:
    """46 likeliest, always."""

    def filled(found: Detections, _: Looks) -> np.ndarray:
        return np.where(np.argsort(np.argsort(-found.scores)) < 46, 0.99, 0.0)

    said = measure([cell()] * 12, Scripted(filled), Calibration())
    assert said["cells_right"] == 12 and said["losses_kept"] == 0


def test_cells_that_do_not_come_out_right_or_are_not_46_are_not_asked() -> None:
    judge = Scripted(lambda found, _: found.scores)
    abnormal = replace(cell(), classes=np.append(cell().classes[:-1], 0))
    nothing = Scripted(lambda found, _: np.zeros(len(found)))
    assert measure([abnormal], judge, Calibration())["cells_right"] == 0
    assert measure([cell()], nothing, Calibration())["cells_right"] == 0
    assert measure([], judge, Calibration())["losses_kept_rate"] is None
