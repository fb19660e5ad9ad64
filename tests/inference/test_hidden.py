"""Where fewer than 46 were found and something large lies against one of them, the cell's note says so."""

from __future__ import annotations

import numpy as np
import pytest

from inference.labels import UNKNOWN
from inference.protocols import Mask
from inference.stages.leftover import adjoining
from inference.stages.quality import hidden

WIDE, LONG = 14, 60


def _field(count: int) -> tuple[np.ndarray, list[Mask]]:
    """So many upright bars in rows of ten, all cut."""
    import cv2

    pixels = np.full((5 * 110, 10 * 60), 235, np.uint8)
    masks = []
    for number in range(count):
        row, column = divmod(number, 10)
        top, left = 20 + 110 * row, 20 + 60 * column
        pixels[top : top + LONG, left : left + WIDE] = 100
        masks.append(Mask(left, top, np.ones((LONG, WIDE), bool), 0.95))
    return cv2.GaussianBlur(pixels, (0, 0), 1.0), masks


def _across(pixels: np.ndarray, number: int, long: int) -> np.ndarray:
    """Something that sticks out of a bar on its right."""
    row, column = divmod(number, 10)
    top, left = 20 + 110 * row + 20, 20 + 60 * column + WIDE - 2
    more = pixels.copy()
    more[top : top + WIDE, left : left + long] = 100
    return more


LABELS = [str(1 + number % 22) for number in range(46)]


def test_a_piece_against_a_chromosome_is_told_with_what_it_lies_against() -> None:
    pixels, masks = _field(45)
    assert adjoining(pixels, masks) == [] and hidden(pixels, masks, LABELS[:45]) == ""
    left = adjoining(_across(pixels, 13, 44), masks)
    assert [row for _, row in left] == [13] and 300 < left[0][0] < 44 * WIDE
    sentence = hidden(_across(pixels, 13, 44), masks, LABELS[:45])
    assert sentence.startswith("45 chromosomes were found, and one may be hidden")
    assert "lies against the 14 and is in no outline" in sentence


def test_of_an_unknown_one_no_name_is_told() -> None:
    pixels, masks = _field(45)
    assert "lies against another and" in hidden(_across(pixels, 13, 44), masks, [UNKNOWN] * 45)


@pytest.mark.parametrize(("count", "long"), [(45, 14), (46, 44), (12, 44)], ids=["small", "46", "few"])
def test_small_ones_whole_cells_and_mere_parts_of_cells_say_nothing(count: int, long: int) -> None:
    pixels, masks = _field(count)
    assert hidden(_across(pixels, 3, long), masks, LABELS[:count]) == ""


def test_what_lies_apart_and_a_nucleus_are_no_chromosome() -> None:
    import cv2

    pixels, masks = _field(45)
    pixels[480:540, 500:514] = 100  # a bar alone: debris, or one that everybody sees
    cv2.circle(pixels, (420, 500), 45, 120, -1)
    assert adjoining(pixels, masks) == []
    assert adjoining(pixels, []) == []
