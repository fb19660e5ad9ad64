"""The classical segmenter on drawn cells with known masks, and on real touching ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from inference.backends.threshold import ThresholdSegmenter
from inference.training.cil import AnnotatedCell
from karyosite.imaging import read_grey
from tests.inference.conftest import drawn_cell


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def test_lone_chromosomes_are_cut_along_their_edge() -> None:
    pixels, boxes, true = drawn_cell()
    masks = ThresholdSegmenter().segment(pixels, boxes)
    for mask, wanted in zip(masks, true, strict=True):
        assert overlap(mask.full(*pixels.shape), wanted) > 0.8
        assert mask.score > 0.6


def test_a_large_nucleus_beside_is_kept_out() -> None:
    import cv2

    pixels, boxes, true = drawn_cell()
    with_nucleus = pixels.copy()
    cv2.circle(with_nucleus, (120, 170), 70, 110, -1)
    whole = [not (pixels[mask] != with_nucleus[mask]).any() for mask in true]
    assert any(whole) and not all(whole)
    masks = ThresholdSegmenter().segment(with_nucleus, boxes)
    for mask, wanted, apart in zip(masks, true, whole, strict=True):
        if apart:
            assert overlap(mask.full(*pixels.shape), wanted) > 0.6


def test_two_that_touch_are_shared_out() -> None:
    import cv2

    pixels = np.full((200, 200), 225, np.uint8)
    upright, lying = np.zeros((200, 200), np.uint8), np.zeros((200, 200), np.uint8)
    cv2.line(upright, (60, 40), (60, 150), 1, 13)
    cv2.line(lying, (73, 100), (150, 100), 1, 13)
    pixels[(upright | lying) > 0] = 90
    pixels = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    boxes = np.array([[53, 33, 68, 157], [66, 93, 157, 107]], np.float32)
    first, second = (mask.full(200, 200) for mask in ThresholdSegmenter().segment(pixels, boxes))
    assert overlap(first, upright > 0) > 0.8 and overlap(second, lying > 0) > 0.8


def test_a_crossing_belongs_to_both() -> None:
    import cv2

    pixels = np.full((200, 200), 225, np.uint8)
    upright, lying = np.zeros((200, 200), np.uint8), np.zeros((200, 200), np.uint8)
    cv2.line(upright, (100, 30), (100, 170), 1, 13)
    cv2.line(lying, (30, 100), (170, 100), 1, 13)
    pixels[(upright | lying) > 0] = 90
    pixels = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    boxes = np.array([[92, 23, 108, 177], [23, 92, 177, 108]], np.float32)
    first, second = (mask.full(200, 200) for mask in ThresholdSegmenter().segment(pixels, boxes))
    assert overlap(first, upright > 0) > 0.75 and overlap(second, lying > 0) > 0.75
    assert first[100, 100] and second[100, 100]


def test_a_box_with_nothing_in_it_gives_an_empty_mask_and_no_boxes_none() -> None:
    pixels, boxes, _ = drawn_cell()
    empty = np.array([[2, 2, 20, 20]], np.float32)
    assert not ThresholdSegmenter().segment(pixels, np.concatenate([boxes, empty]))[-1].bits.any()
    assert ThresholdSegmenter().segment(pixels, boxes[:0]) == []


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_and_boxes_on_the_edge_do_no_harm(value: int) -> None:
    flat = np.full((60, 80), value, np.uint8)
    boxes = np.array([[0, 0, 80, 60], [70, 50, 80, 60], [79.5, 59.5, 80, 60], [0, 0, 1, 1]], np.float32)
    masks = ThresholdSegmenter().segment(flat, boxes)
    assert len(masks) == 4
    assert all(mask.full(60, 80).shape == (60, 80) for mask in masks)


def test_on_real_cells_masks_lie_in_their_boxes_and_mostly_fill_them(held_out: list[AnnotatedCell]) -> None:
    scores: list[float] = []
    for cell in held_out[:3]:
        pixels = read_grey(cell.image)
        masks = ThresholdSegmenter().segment(pixels, cell.boxes)
        scores += [mask.score for mask in masks]
        for mask, box in zip(masks, cell.boxes, strict=True):
            rows, columns = mask.bits.shape
            assert mask.left >= box[0] - 4 and mask.top >= box[1] - 4
            assert mask.left + columns <= box[2] + 4 and mask.top + rows <= box[3] + 4
    # Annotated boxes are a little loose: a mask that is whole fills about 0.7 of its box's extent.
    assert np.mean(np.array(scores) > 0.4) >= 0.85


def test_the_protocol_is_kept() -> None:
    from inference.protocols import Segmenter

    segmenter: Segmenter = ThresholdSegmenter()
    info: Any = segmenter.info
    assert (info.role, info.name, info.sha256) == ("segmenter", "threshold", "")


# ---- clicks


def two_in_contact() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two thick bars that touch end to side; pixels and each one's true mask."""
    import cv2

    upright, lying = np.zeros((200, 240), np.uint8), np.zeros((200, 240), np.uint8)
    cv2.line(upright, (90, 60), (90, 140), 1, 14)
    cv2.line(lying, (103, 100), (160, 100), 1, 14)
    pixels = np.where((upright | lying) > 0, 90, 225).astype(np.uint8)
    return cv2.GaussianBlur(pixels, (0, 0), 1.0), upright.astype(bool), lying.astype(bool)


def test_a_click_takes_the_chromosome_under_it() -> None:
    pixels, _, true = drawn_cell()
    prompter = ThresholdSegmenter()
    embedding = prompter.embed(pixels)
    for bits in true:
        y, x = np.argwhere(bits).mean(axis=0)
        assert (
            overlap(prompter.cut(pixels, embedding, None, np.array([[x, y, 1]]), None).full(*pixels.shape), bits) > 0.9
        )
    ground = prompter.cut(pixels, embedding, None, np.array([[2, 2, 1]]), None)
    assert not ground.bits.any()


def test_not_this_takes_the_neighbour_away_and_this_too_brings_it_back() -> None:
    pixels, upright, lying = two_in_contact()
    prompter = ThresholdSegmenter()
    embedding = prompter.embed(pixels)
    both = prompter.cut(pixels, embedding, None, np.array([[90, 70, 1]]), None)
    assert overlap(both.full(*pixels.shape), upright | lying) > 0.85
    one = prompter.cut(pixels, embedding, None, np.array([[90, 70, 1], [140, 100, 0]]), None)
    assert overlap(one.full(*pixels.shape), upright) > 0.9
    refined = prompter.cut(pixels, embedding, None, np.array([[140, 100, 0]]), both)
    assert overlap(refined.full(*pixels.shape), upright) > 0.9
    again = prompter.cut(pixels, embedding, None, np.array([[140, 100, 1]]), refined)
    assert overlap(again.full(*pixels.shape), upright | lying) > 0.85
    boxed = prompter.cut(pixels, embedding, np.array([80.0, 50.0, 100.0, 150.0]), np.array([[90, 100, 1]]), None)
    assert overlap(boxed.full(*pixels.shape), upright) > 0.8
