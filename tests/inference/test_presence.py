"""Which candidates are chromosomes: each by what it looks like, all together by what the cell lacks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.evaluation.presence import Candidates, choose, fit
from inference.labels import CHROMOSOMES
from inference.protocols import Looks, Mask
from inference.stages.confidence import Calibration
from inference.stages.presence import FEATURES, Presence, features, settle, shared_areas

PAIRS = [label for label in CHROMOSOMES[:22] for _ in range(2)]


def cell(labels: list[str], sure: float = 0.96) -> tuple[np.ndarray, np.ndarray]:
    table = np.full((len(labels), 24), 0.05 / 23)
    for row, label in enumerate(labels):
        table[row, CHROMOSOMES.index(label)] = 0.95
    return np.full(len(labels), sure), table


@pytest.mark.parametrize(
    "labels",
    [
        [*PAIRS, "X", "X"],
        [*PAIRS, "X", "Y"],
        [*PAIRS, "X"],
        [*PAIRS, "X", "X", "Y"],
        [*PAIRS, "X", "Y", "Y"],
        [*PAIRS, "21", "X", "Y"],
        [*PAIRS, "18", "X", "X"],
        [*PAIRS[:-1], "X", "Y"],
    ],
)
def test_what_is_surely_there_is_kept_whatever_its_number(labels: list[str]) -> None:
    assert settle(*cell(labels)).all()


def test_a_doubtful_one_is_taken_where_the_cell_lacks_it_and_not_where_it_has_two() -> None:
    chance, table = cell([*PAIRS[:-1], "X", "Y", "22"])
    chance[-1] = 0.3
    assert settle(chance, table).all()
    chance, table = cell([*PAIRS, "X", "Y", "22"])
    chance[-1] = 0.3
    taken = settle(chance, table)
    assert taken.sum() == 46 and not taken[-1]


def test_a_sure_one_is_never_left_out() -> None:
    chance, table = cell([*PAIRS, "X", "Y", "1", "1"], sure=0.98)
    assert settle(chance, table).all()


@pytest.mark.parametrize("third", ["X", "Y"])
@pytest.mark.parametrize("sex", ["XX", "XY"])
def test_a_doubtful_third_sex_chromosome_is_one_too_many_in_either_sex(sex: str, third: str) -> None:
    chance, table = cell([*PAIRS, *sex, third])
    chance[-1] = 0.4
    assert settle(chance, table).tolist() == [True] * 46 + [False]


def test_a_lone_x_is_made_up_less_readily_than_another_loss() -> None:
    for missing, taken in (("X", False), ("22", True)):
        chance, table = cell([*PAIRS, "X", "X"])
        last = table[:, CHROMOSOMES.index(missing)].argmax()
        chance[last] = 0.1
        assert settle(chance, table)[last] == taken


def test_one_too_many_is_taken_unasked_only_where_it_is_sure() -> None:
    for sure, taken in ((0.93, False), (0.96, True)):
        chance, table = cell([*PAIRS, "X", "Y", "21"], sure=0.99)
        chance[-1] = sure
        assert settle(chance, table)[-1] == taken


@given(st.permutations(range(48)))
def test_the_order_of_the_candidates_does_not_matter(order: list[int]) -> None:
    chance, table = cell([*PAIRS, "X", "Y", "9", "Y"])
    chance = np.linspace(0.2, 0.95, len(chance))
    assert (settle(chance[order], table[order]) == settle(chance, table)[order]).all()
    assert settle(np.zeros(0), np.zeros((0, 24))).shape == (0,)


def test_a_second_box_on_one_chromosome_shows_in_its_features() -> None:
    bits = np.ones((30, 10), bool)
    masks = [Mask(10, 10, bits, 0.9), Mask(11, 10, bits, 0.9), Mask(60, 10, bits, 0.9)]
    boxes = np.array([[10, 10, 20, 40], [11, 10, 21, 40], [60, 10, 70, 40]], np.float32)
    looked = Looks(cell(["1", "1", "2"])[1], whole=np.array([0.9, 0.6, 0.9]))
    table = features(np.array([0.9, 0.2, 0.8]), boxes, np.full(3, 300), shared_areas(masks), looked)
    assert table.shape == (3, len(FEATURES))
    own = FEATURES.index("IoU of the mask with a surer one's")
    assert table[1, own] > 0.8 and table[0, own] == table[2, own] == 0
    rival = FEATURES.index("how much more a chromosome one looks that shares the mask")
    assert table[1, rival] > 1 > 0 > table[0, rival] > table[2, rival]
    assert shared_areas(masks)[0, 1] == 270
    assert features(np.zeros(0), np.zeros((0, 4)), np.zeros(0), np.zeros((0, 0)), looked).shape == (0, len(FEATURES))


def candidates(seed: int) -> Candidates:
    rng = np.random.default_rng(seed)
    table = rng.normal(0, 1, (50, len(FEATURES)))
    real = table[:, 0] + rng.normal(0, 0.3, 50) > -1
    corners = rng.uniform(0, 400, (50, 2)).round()
    boxes = np.concatenate([corners, corners + [10, 30]], axis=1).astype(np.float32)
    masks = [Mask(int(left), int(top), np.ones((30, 10), bool), 0.9) for left, top in corners]
    return Candidates(boxes, masks, shared_areas(masks), table, cell(["1"] * 50)[1], real, int(real.sum()))


def test_the_fit_finds_what_tells_and_stands_in_the_manifest_as_numbers() -> None:
    cells = [candidates(seed) for seed in range(24)]
    made = fit(cells)
    assert np.argmax(np.abs(made.alone.weights)) == 0
    said = choose(cells)
    again = Calibration.of({"presence": said["presence"], "context": said["context"], "presence_slope": 2})
    assert again.presence is not None and again.context is not None
    for one in cells:
        alone = again.presence.chance(one.features)
        np.testing.assert_allclose(alone, made.alone.chance(one.features), atol=1e-3)
        np.testing.assert_allclose(again.context.chance(one.beside(alone)), made.chance(one), atol=2e-3)
    assert Presence.of({**said["presence"], "weights": said["presence"]["weights"][:-1]}) is None
    assert Calibration.of({"context": said["presence"]}).context is None
    with pytest.raises(ValueError, match="Too few"):
        fit(cells[:1])
