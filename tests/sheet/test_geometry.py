from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.reports.geometry import ring_mask, turned, upright

corner = st.tuples(
    st.floats(-6, 26, allow_nan=False).map(lambda value: round(value, 1)),
    st.floats(-6, 26, allow_nan=False).map(lambda value: round(value, 1)),
)


def inside(rings: list[list[tuple[float, float]]], x: float, y: float) -> bool:
    """The textbook even-odd rule, one point at a time."""
    odd = False
    for ring in rings:
        for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
            if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
                odd = not odd
    return odd


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(corner, min_size=3, max_size=9), max_size=3))
def test_masks_follow_the_even_odd_rule(rings: list[list[tuple[float, float]]]) -> None:
    mask = ring_mask(rings, 20, 18)
    wanted = np.array([[inside(rings, x + 0.5, y + 0.5) for x in range(18)] for y in range(20)])
    assert (mask == wanted).all()


def test_a_ring_within_a_ring_is_a_hole() -> None:
    square = [[2, 2], [12, 2], [12, 12], [2, 12]]
    hole = [[5, 5], [9, 5], [9, 9], [5, 9]]
    assert ring_mask([square], 15, 15).sum() == 100
    assert ring_mask([square, hole], 15, 15).sum() == 84
    assert not ring_mask([square, hole], 15, 15)[7, 7]
    assert ring_mask([[[1, 1], [5, 5]]], 15, 15).sum() == 0


def bar(angle: float, flip: bool = False) -> tuple[np.ndarray, dict[str, Any]]:
    """A bar lying so that `angle` clockwise sets it up, with a dark head and a spot on its right-hand side."""
    upright_corners = np.array([[-8.0, -30], [8, -30], [8, 30], [-8, 30]])
    centre = np.array([60.0, 60.0])
    pixels = np.full((120, 120), 200, np.uint8)

    def laid(points: np.ndarray) -> list[list[float]]:
        return (turned(points * ([-1, 1] if flip else [1, 1]), -angle, False) + centre).tolist()

    pixels[ring_mask([laid(np.array([[-8.0, -30], [8, -30], [8, -15], [-8, -15]]))], 120, 120)] = 20
    pixels[ring_mask([laid(np.array([[2.0, 5], [8, 5], [8, 15], [2, 15]]))], 120, 120)] = 80
    return pixels, {"rings": [laid(upright_corners)], "angle": angle, "flip": flip}


def test_a_cut_out_stands_upright_whichever_way_it_lay() -> None:
    for angle in (0, 30, 90, 137.5, 180, 260, 345):
        for flip in (False, True):
            pixels, chromosome = bar(angle, flip)
            cut = upright(pixels, chromosome, 2.0)
            assert cut is not None
            assert math.isclose(cut.height, 122, abs_tol=4) and math.isclose(cut.width, 34, abs_tol=4)
            middle = cut.width // 2
            assert cut.grey[15, middle] < 40 and abs(int(cut.grey[-15, middle]) - 200) < 20
            assert cut.grey[61 + 20, middle + 10] < 100 and abs(int(cut.grey[61 + 20, middle - 10]) - 200) < 20
            assert cut.cover[0, 0] == 0 and cut.cover[61, middle] == 255


def test_outside_the_mask_is_paper_and_no_mask_is_no_cut() -> None:
    pixels, chromosome = bar(40)
    cut = upright(pixels, chromosome)
    assert cut is not None
    white = np.array(cut.on_white())
    assert (white[cut.cover == 0] == 255).all() and white.min() < 40
    assert upright(pixels, {"rings": [], "angle": 0, "flip": False}) is None


def test_rings_that_reach_over_the_edge_are_drawn_as_far_as_the_picture_goes() -> None:
    pixels = np.full((40, 40), 90, np.uint8)
    cut = upright(pixels, {"rings": [[[-10, -10], [20, -10], [20, 20], [-10, 20]]], "angle": 0, "flip": False})
    assert cut is not None
    assert cut.height == 32 and cut.grey[20, 20] == 90 and cut.grey[2, 2] == 255
