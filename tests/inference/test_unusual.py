"""No change of number goes unasked, whether something is one too many or one too few."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.labels import CHROMOSOMES, UNKNOWN
from inference.pipeline import analyse
from inference.protocols import Detections, Mask, ModelInfo
from inference.stages.assign import Named, too_many
from inference.stages.unusual import absent, put_in_doubt

AUTOSOMES = list(CHROMOSOMES[:22]) * 2


def named(*labels: str) -> list[Named]:
    counts: Counter[str] = Counter()
    names = []
    for label in labels:
        counts[label] += 1
        extra = too_many(CHROMOSOMES.index(label), counts[label]) if label != UNKNOWN else ""
        names.append(Named(label, 0.99, counts[label], (extra,) if extra else (), 5.0))
    return names


def asked(*labels: str) -> list[tuple[str, str]]:
    return [(one.label, flag) for one in put_in_doubt(named(*labels)) for flag in one.flags]


def without(*labels: str) -> list[str]:
    left = [*AUTOSOMES]
    for label in labels:
        left.remove(label)
    return left


@pytest.mark.parametrize("sex", [("X", "X"), ("X", "Y")])
def test_of_46_nothing_is_asked_and_of_45_the_one_that_is_left(sex: tuple[str, str]) -> None:
    assert asked(*AUTOSOMES, *sex) == [] and absent(named(*AUTOSOMES, *sex)) == ""
    assert asked(*without("13"), *sex) == [("13", "the only 13: look for the other before you count")]
    assert asked(*without("21", "8"), *sex, UNKNOWN) == [
        (label, f"the only {label}: look for the other before you count") for label in ("8", "21")
    ]


@pytest.mark.parametrize(
    ("sex", "who", "flag"),
    [
        ("X", "X", "the only sex chromosome: look for another before you count"),
        ("Y", "Y", "a Y without an X: look for the X before you count"),
        ("XXY", "Y", "a Y beside 2 X: look at all of them before you count"),
        ("XXX", "X", "third copy of X"),
        ("XYY", "Y", "second copy of Y"),
    ],
)
def test_of_sex_chromosomes_that_are_neither_two_x_nor_x_and_y(sex: str, who: str, flag: str) -> None:
    assert asked(*AUTOSOMES, *sex) == [(who, flag)]


def test_of_a_class_that_is_not_there_the_cell_says_so() -> None:
    assert absent(named(*without("13", "13"), "X", "X")) == "No 13 was found: look for it before you count."
    assert absent(named(*without("21", "21"))) == "No 21 or X or Y was found: look for them before you count."
    assert asked(*without("13", "13"), "X", "X") == []


def test_of_parts_of_cells_it_is_not_told_class_by_class() -> None:
    assert asked(*AUTOSOMES[:39]) == [] and absent(named(*AUTOSOMES[:39])) == ""


@given(st.lists(st.sampled_from([*CHROMOSOMES, UNKNOWN]), min_size=40, max_size=60))
def test_whatever_is_not_as_usual_is_asked_about_and_nothing_else_changes(labels: list[str]) -> None:
    names = named(*labels)
    found = put_in_doubt(names)
    assert [(one.label, one.copy, one.score) for one in found] == [(one.label, one.copy, one.score) for one in names]
    counts = Counter(labels)
    usual_sex = (counts["X"], counts["Y"]) in ((2, 0), (1, 1))
    usual = usual_sex and all(counts[label] == 2 for label in CHROMOSOMES[:22])
    silent = not absent(names) and not any(one.flags for one in found)
    assert silent == usual


class _Row:
    """Detector and segmenter of bars beside each other, of these classes."""

    info = ModelInfo("detector", "trial", "1", "")
    cut_trusted_from: float | None = 0.5

    def __init__(self, *labels: str) -> None:
        self.labels = labels

    def detect(self, pixels: np.ndarray) -> Detections:
        boxes = np.array([[10 + 20 * row, 20, 20 + 20 * row, 80] for row in range(len(self.labels))], np.float32)
        shares = np.full((len(self.labels), 24), 0.0002, np.float32)
        for row, label in enumerate(self.labels):
            shares[row, CHROMOSOMES.index(label)] = 0.9954
        return Detections(boxes, np.full(len(boxes), 0.97, np.float32), shares)

    def segment(self, pixels: np.ndarray, boxes: np.ndarray, sure: Any = None) -> list[Mask]:
        return [Mask(int(x1), int(y1), np.ones((60, 10), bool), 0.95) for x1, y1, _, _ in boxes]


@pytest.mark.parametrize(
    ("labels", "flags", "note"),
    [
        ([*AUTOSOMES, "X", "Y"], [], ""),
        ([*without("18"), "X", "Y"], ["the only 18: look for the other before you count"], ""),
        ([*without("18", "18"), "X", "X"], [], "No 18 was found: look for it before you count."),
    ],
)
def test_a_cell_says_what_it_lacks(labels: list[str], flags: list[str], note: str) -> None:
    pixels = np.full((520, 960), 235, np.uint8)
    for row in range(len(labels)):
        pixels[20:80, 10 + 20 * row : 20 + 20 * row] = 100
    both = _Row(*labels)
    facts = {"sha256": "0" * 64, "page": 0, "width": 960, "height": 520}
    document = analyse(pixels, detector=both, segmenter=both, image_facts=facts).document
    assert [flag for entry in document["chromosomes"] for flag in entry["flags"]] == flags
    assert document["note"] == note
