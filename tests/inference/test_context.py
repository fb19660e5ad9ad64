"""A candidate beside the others: what they explain of it, and what the cell lacks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.labels import CHROMOSOMES
from inference.pipeline import _judged
from inference.protocols import Detections, Looks, Mask
from inference.stages.confidence import Calibration
from inference.stages.context import CONTEXT, context
from inference.stages.presence import FEATURES, Presence, shared_areas

EXPLAINED = CONTEXT.index("share of the mask that others explain")
MADE_UP = CONTEXT.index("share of the mask made up of others that lie in it")
LACKS = CONTEXT.index("how many of what it looks like the cell lacks")
TOO_MANY = CONTEXT.index("how many of what it looks like the cell has too many")
FILLS = CONTEXT.index("IoU of the outline's extent with the box")


def bar(left: int, top: int, height: int = 30, width: int = 10) -> Mask:
    return Mask(left, top, np.ones((height, width), bool), 0.9)


def named(labels: list[str]) -> np.ndarray:
    table = np.full((len(labels), 24), 0.02 / 23)
    for row, label in enumerate(labels):
        table[row, CHROMOSOMES.index(label)] = 0.98
    return table


def seen(masks: list[Mask], chance: list[float], labels: list[str] | None = None) -> np.ndarray:
    boxes = np.array([[m.left, m.top, m.left + m.bits.shape[1], m.top + m.bits.shape[0]] for m in masks], np.float32)
    table = named(labels or ["1"] * len(masks))
    return context(np.array(chance), boxes.reshape(-1, 4), masks, shared_areas(masks), table)


def test_a_second_cut_is_explained_by_the_first_and_what_nobody_explains_is_not() -> None:
    table = seen([bar(10, 10), bar(11, 10), bar(80, 10)], [0.9, 0.2, 0.2])
    assert table[1, EXPLAINED] == pytest.approx(0.9 * 0.9, abs=0.01)
    assert table[0, EXPLAINED] == pytest.approx(0.9 * 0.2, abs=0.01)
    assert table[2, EXPLAINED] == pytest.approx(0, abs=1e-6)
    assert (table[:, FILLS] == 1).all()


def test_a_cut_that_joins_two_is_made_up_of_them() -> None:
    table = seen([bar(10, 10), bar(10, 40), bar(10, 10, height=60)], [0.9, 0.9, 0.5])
    assert table[2, MADE_UP] == pytest.approx(0.9, abs=0.01)
    assert table[0, MADE_UP] == table[1, MADE_UP] == 0


def test_what_the_cell_lacks_and_what_it_has_too_many_of() -> None:
    pairs = [label for label in CHROMOSOMES[:22] for _ in range(2)]

    def last(labels: list[str]) -> np.ndarray:
        masks = [bar(20 * row, 0) for row in range(len(labels))]
        return np.asarray(seen(masks, [0.99] * (len(labels) - 1) + [0.4], labels)[-1])

    lacking = last([*pairs[:-1], "X", "Y", "22"])
    assert lacking[LACKS] == pytest.approx(1, abs=0.1) and lacking[TOO_MANY] == 0
    assert last([*pairs, "X", "X"])[LACKS] == pytest.approx(1, abs=0.1)
    assert last([*pairs, "X", "Y"])[LACKS] == pytest.approx(1, abs=0.1)
    assert last([*pairs, "X", "X", "Y"])[LACKS] < 0.1
    third = last([*pairs, "X", "Y", "22"])
    assert third[LACKS] < 0.1 and third[TOO_MANY] == pytest.approx(0, abs=0.1)
    assert last([*pairs, "X", "Y", "22", "22"])[TOO_MANY] == pytest.approx(-1, abs=0.1)


@given(st.permutations(range(6)))
def test_the_order_of_the_candidates_does_not_matter(order: list[int]) -> None:
    masks = [bar(10 * row, 7 * row) for row in range(6)]
    chance = np.linspace(0.1, 0.9, 6)
    labels = ["1", "2", "X", "Y", "1", "21"]
    plain = seen(masks, chance.tolist(), labels)
    turned = seen([masks[row] for row in order], chance[order].tolist(), [labels[row] for row in order])
    np.testing.assert_allclose(turned, plain[order], atol=1e-5)


def test_empty_masks_and_empty_cells_are_no_fault() -> None:
    table = seen([bar(10, 10), Mask(0, 0, np.zeros((0, 0), bool), 0.0)], [0.9, 0.1])
    assert np.isfinite(table).all()
    assert context(np.zeros(0), np.zeros((0, 4)), [], np.zeros((0, 0)), np.zeros((0, 24))).shape == (0, len(CONTEXT))


def test_the_pipeline_judges_beside_the_others_where_that_was_fitted() -> None:
    def judge(count: int, place: int, weight: float) -> Presence:
        weights = [0.0] * count
        weights[place] = weight
        return Presence((0.0,) * count, (1.0,) * count, tuple(weights), 1.0)

    masks = [bar(10, 10), bar(11, 10), bar(80, 10)]
    boxes = np.array([[10, 10, 20, 40], [11, 10, 21, 40], [80, 10, 90, 40]], np.float32)
    found = Detections(boxes, np.array([0.9, 0.2, 0.2], np.float32), named(["1", "1", "2"]).astype(np.float32))
    looked = Looks(found.probabilities)
    alone = judge(len(FEATURES), 0, 0.5)
    before, _ = _judged(found, masks, looked, Calibration(presence=alone))
    assert before[1] == before[2]
    beside = judge(len(FEATURES) + len(CONTEXT), len(FEATURES) + EXPLAINED, -9.0)
    after, _ = _judged(found, masks, looked, Calibration(presence=alone, context=beside))
    assert after[2] > 0.7 > 0.1 > after[1]
