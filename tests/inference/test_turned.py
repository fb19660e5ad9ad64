"""A picture found several times, turned by quarters: boxes turned back, findings put together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import registry
from inference.backends.turned import Found, together, turned_back
from inference.backends.yolov10 import Yolov10Detector
from inference.evaluation.cells import match
from karyosite.imaging import read_grey
from tests.inference.conftest import annotated, looking

SIDE = 40


@given(
    st.integers(0, 3),
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 9), st.integers(1, 9)),
)
def test_a_box_found_in_a_turned_square_lies_where_the_thing_was(turns: int, bar: tuple[int, int, int, int]) -> None:
    left, top, width, height = bar
    square = np.zeros((SIDE, SIDE), np.uint8)
    square[top : top + height, left : left + width] = 1
    rows, columns = np.nonzero(np.rot90(square, turns))
    found = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    assert turned_back(found, turns, SIDE).tolist() == [[left, top, left + width, top + height]]


def one(*boxes: tuple[float, float, float, float], score: float = 0.9, name: int = 3) -> Found:
    shares = np.zeros((len(boxes), 24), np.float32)
    shares[:, name] = 1
    return np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), score, np.float32), shares


def test_what_all_views_see_alike_stays_as_it_is() -> None:
    view = one((0, 0, 10, 20), (50, 50, 70, 60))
    for ours, theirs in zip(together([view, view, view], 0.002), view, strict=True):
        assert np.allclose(ours, theirs) and ours.dtype == np.float32


def test_box_and_name_are_the_means_by_score_and_the_score_over_all_views() -> None:
    boxes, scores, shares = together(
        [one((0, 0, 10, 20), score=0.9, name=3), one((0, 0, 10, 23), score=0.3, name=5), one()], 0.002
    )
    assert boxes == pytest.approx(np.array([[0, 0, 10, 20.75]]))
    assert scores == pytest.approx([0.4])
    assert shares[0, 3] == pytest.approx(0.75) and shares[0, 5] == pytest.approx(0.25)


def test_two_that_one_view_tells_apart_stay_two_and_the_surest_comes_first() -> None:
    crossing = one((0, 0, 30, 30), (2, 2, 32, 32), score=0.6)
    boxes, scores, _ = together([one((0, 0, 30, 30), score=0.9), crossing], 0.002)
    assert len(boxes) == 2
    assert scores.tolist() == pytest.approx([0.75, 0.3])


def test_what_is_too_faint_over_all_is_nothing() -> None:
    faint = one((0, 0, 10, 20), score=0.005)
    assert len(together([faint, one(), one()], 0.002)[0]) == 0
    assert len(together([faint, faint, one()], 0.002)[0]) == 1
    assert len(together([one(), one(), one()], 0.002)[0]) == 0


@pytest.mark.models
def test_the_shipped_detector_finds_in_three_views_what_it_misses_in_one(configuration: Any, tmp_path: Any) -> None:
    (cell,) = annotated(["1060511"], tmp_path)
    pixels = read_grey(cell.image)
    detector = registry.detector(configuration)
    assert isinstance(detector, Yolov10Detector) and detector.turns == (0, 1, 2)
    three, one_view = detector.detect(pixels), looking(detector, (0,)).detect(pixels)
    assert len(cell.boxes) == len(match(three.boxes, cell.boxes)) == len(match(one_view.boxes, cell.boxes)) + 1
    assert np.array_equal(looking(detector, (0, 1, 2), at_once=3).detect(pixels).boxes, three.boxes)
