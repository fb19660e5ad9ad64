"""Where fewer than 46 were found and something large lies against one of them, that one asks for a look."""

from __future__ import annotations

import numpy as np
import pytest

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


def test_the_one_that_a_piece_lies_against_asks_for_a_look() -> None:
    pixels, masks = _field(45)
    assert adjoining(pixels, masks) == [] and hidden(pixels, masks) is None
    left = adjoining(_across(pixels, 13, 44), masks)
    assert [row for _, row in left] == [13] and 300 < left[0][0] < 44 * WIDE
    found = hidden(_across(pixels, 13, 44), masks)
    assert found is not None and found[0] == 13
    assert found[1].startswith("one more may be hidden") and found[1].endswith("45 were found")


@pytest.mark.parametrize(("count", "long"), [(45, 14), (46, 44), (12, 44)], ids=["small", "46", "few"])
def test_small_ones_whole_cells_and_mere_parts_of_cells_say_nothing(count: int, long: int) -> None:
    pixels, masks = _field(count)
    assert hidden(_across(pixels, 3, long), masks) is None


def test_what_lies_apart_and_a_nucleus_are_no_chromosome() -> None:
    import cv2

    pixels, masks = _field(45)
    pixels[480:540, 500:514] = 100  # a bar alone: debris, or one that everybody sees
    cv2.circle(pixels, (420, 500), 45, 120, -1)
    assert adjoining(pixels, masks) == []
    assert adjoining(pixels, []) == []
