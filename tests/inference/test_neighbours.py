"""What a segmenter's prompt is told of the boxes around its own."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.protocols import Mask
from inference.stages.window import NEIGHBOURS, told_of
from inference.training.cutouts import Scene, keep, kept
from inference.training.sam_prompts import as_detected, told
from inference.training.scenes import crop_of

BOX = st.tuples(*[st.floats(0, 200, width=32)] * 2, *[st.floats(4, 90, width=32)] * 2).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@given(st.lists(st.tuples(BOX, st.floats(0, 1, width=32)), max_size=9))
def test_told_are_at_most_four_other_boxes_that_are_near_and_how_sure_they_are(
    given_: list[tuple[tuple[float, ...], float]],
) -> None:
    boxes = np.array([box for box, _ in given_], np.float32).reshape(-1, 4)
    sure = np.array([one for _, one in given_], np.float32)
    found = told_of(boxes, sure)
    assert found.shape == (len(boxes), NEIGHBOURS, 5)
    for row, others in enumerate(found):
        for x1, y1, x2, y2, how_sure in others:
            if how_sure == 0:
                assert not np.array([x1, y1, x2, y2]).any()
                continue
            at = [i for i in range(len(boxes)) if i != row and np.array_equal(boxes[i], [x1, y1, x2, y2])]
            assert how_sure in sure[at]
            reach = 6.0 + 1e-3
            assert x1 - reach <= boxes[row, 2] and boxes[row, 0] <= x2 + reach
            assert y1 - reach <= boxes[row, 3] and boxes[row, 1] <= y2 + reach


def test_those_that_overlap_most_come_first_and_what_lies_apart_is_not_told() -> None:
    boxes = np.array([[0, 0, 50, 50], [45, 0, 95, 50], [20, 0, 70, 50], [300, 300, 340, 340]], np.float32)
    first = told_of(boxes, np.ones(4))[0]
    assert first[:2, 0].tolist() == [20, 45] and not first[2:].any()


def test_a_surer_box_of_the_same_place_is_not_told_for_then_this_is_it_once_more() -> None:
    boxes = np.array([[0, 0, 50, 50], [2, 1, 51, 50]], np.float32)
    surer, less = told_of(boxes, np.array([0.9, 0.2]))
    assert surer[0, 4] == np.float32(0.2) and not less.any()
    assert told_of(boxes, np.ones(2))[:, 0, 4].all()  # two that cross in one place are told of each other


def _scene() -> Scene:
    bits = np.ones((20, 8), bool)
    masks, boxes = [Mask(60, 60, bits, 1.0)], np.array([[58, 58, 70, 82]], np.float32)
    others = np.array([[100, 50, 140, 90], [500, 500, 520, 540]], np.float32)
    return Scene("one", np.zeros((600, 600), np.uint8), masks, boxes, False, others)


def test_boxes_of_chromosomes_without_a_mask_are_kept_and_turned_with_the_scene(tmp_path: Path) -> None:
    keep([_scene()], tmp_path / "scenes.npz")
    (scene,) = kept(tmp_path / "scenes.npz")
    assert np.array_equal(scene.others, _scene().others)
    with np.load(tmp_path / "scenes.npz") as parts:  # as an earlier version cut them
        np.savez(tmp_path / "earlier.npz", **{name: parts[name] for name in parts if not name.endswith(".others")})
    assert [len(earlier.others) for earlier in kept(tmp_path / "earlier.npz")] == [0]
    seen = 0
    for number in range(600):
        crop = crop_of(scene, 288, random.Random(number))
        if not crop.placed or not len(crop.others):
            continue
        seen += 1
        own, other = crop.placed[0].box, crop.others[0]
        assert own is not None and len(crop.others) == 1
        away = np.abs((own[:2] + own[2:]) / 2 - (other[:2] + other[2:]) / 2)
        scale = max(own[2:] - own[:2]) / 24
        assert np.allclose(np.sort(away), [0, 56 * scale], atol=1)  # (64, 70) and (120, 70)
    assert seen > 20


def test_training_tells_true_boxes_often_false_ones_less_surely_and_sometimes_nothing() -> None:
    boxes = np.array([[40, 40, 100, 60], [60, 20, 80, 90]], np.float32)
    every = [told(boxes, boxes[:0], random.Random(number)) for number in range(300)]
    untold = sum(not one.any() for one in every)
    true = [one[0][:, 4][(one[0][:, :4] == boxes[1]).all(axis=1)].max(initial=0) for one in every]
    false = [one[0][:, 4][(one[0][:, :4] != boxes[1]).any(axis=1)].max(initial=0) for one in every]
    assert 25 < untold < 90
    assert sum(one > 0 for one in true) > 200 and 20 < sum(one > 0 for one in false) < 200
    assert np.mean([one for one in true if one > 0]) > np.mean([one for one in false if one > 0]) + 0.3


def test_boxes_to_learn_from_err_as_a_detector_does_true_ones_first() -> None:
    boxes = np.array([[0, 0, 40, 40], [50, 0, 90, 40], [0, 60, 40, 90]], np.float32)
    counts = []
    for number in range(60):
        found, sure = as_detected(boxes[:2], boxes[2:], random.Random(number))
        assert np.array_equal(found[:3], boxes) and len(found) == len(sure)
        assert all(sure[3:] <= 0.6)
        counts.append(len(found))
    assert min(counts) == 3 and max(counts) > 3
