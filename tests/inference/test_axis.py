"""Axes of drawn chromosomes whose length, bend and arms are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from inference.protocols import Mask
from inference.stages.axis import Axis, describe, profile, straightened
from inference.stages.medial import arc

_FINE = 8


def tube(line: np.ndarray, width: float, side: int = 220) -> np.ndarray:
    """bool (side, side): a round-ended tube of this width along a line."""
    import cv2

    fine = np.zeros((side * _FINE, side * _FINE), np.uint8)
    cv2.polylines(fine, [np.round(line * _FINE).astype(np.int32)], False, 1, round(width * _FINE))
    return np.asarray(cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA) > 0)


def bow(length: float, bend: float, turn: float = 0.0) -> np.ndarray:
    """A line of this length that turns by `bend` radians from end to end."""
    way = np.linspace(-0.5, 0.5, 400)
    steps = np.stack([np.cos(bend * way + turn), np.sin(bend * way + turn)], axis=1) * length / 399
    line = np.cumsum(steps, axis=0)
    return line - (line.min(axis=0) + line.max(axis=0)) / 2 + 110


def cut(bits: np.ndarray) -> Mask:
    rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return Mask(left, top, bits[top : rows[-1] + 1, left : columns[-1] + 1].copy(), 1.0)


def best_overlap(one: np.ndarray, other: np.ndarray) -> float:
    """IoU of two shapes laid on each other, a pixel either way being the drawing's own."""
    side = max(*one.shape, *other.shape) + 8
    fields = []
    for bits in (one, other):
        field = np.zeros((side, side), bool)
        rows, columns = np.nonzero(bits)
        rows = rows + round(side / 2 - (rows.min() + rows.max()) / 2)
        columns = columns + round(side / 2 - float(columns.mean()))
        field[rows, columns] = True
        fields.append(field)
    moved = (np.roll(fields[0], (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    return max(float((each & fields[1]).sum() / (each | fields[1]).sum()) for each in moved)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    length=st.floats(45, 110),
    width=st.floats(11, 15),
    bend=st.floats(0, 3.2),
    turn=st.floats(0, 6.2),
)
@example(length=49.5, width=12.1, bend=1.55, turn=1.66)  # bowed by a pixel where the ends go on straight
def test_bent_bars_come_out_straight_and_as_long_as_they_are(
    length: float, width: float, bend: float, turn: float
) -> None:
    # No bend tighter than twice its width: there the rows of any straightened view run into each other.
    assume(length / width > 3 and (bend < 0.1 or length / bend > 2 * width))
    mask = cut(tube(bow(length, bend, turn), width))
    axis = describe(mask)
    assert arc(axis.points.astype(float))[-1] == pytest.approx(length + width, rel=0.03, abs=2.0)
    view = straightened(np.full((220, 220), 100, np.uint8), axis, mask)
    bar = tube(np.array([[110.0, 110 - length / 2], [110.0, 110 + length / 2]]), width)
    assert best_overlap(view.cover, cut(bar).bits) >= 0.9


def test_a_chromosome_folded_back_is_followed_around_its_bend() -> None:
    line = np.concatenate(
        [
            np.stack([np.full(50, 90.0), np.linspace(150, 90, 50)], axis=1),
            np.stack([110 - 20 * np.cos(np.linspace(0, np.pi, 60)), 90 - 20 * np.sin(np.linspace(0, np.pi, 60))], 1),
            np.stack([np.full(50, 130.0), np.linspace(90, 150, 50)], axis=1),
        ]
    )
    axis = describe(cut(tube(line, 12)))
    assert arc(axis.points.astype(float))[-1] == pytest.approx(60 + 60 + 20 * np.pi + 12, rel=0.04)


def test_a_loop_whose_ends_meet_is_run_around_not_across() -> None:
    around = np.linspace(-0.5, 2 * np.pi + 0.5, 300)
    ring = np.stack([110 + 30 * np.cos(around), 110 + 30 * np.sin(around)], axis=1)
    for ends in ([], [[[140.0, 140.0]], [[140.0, 80.0]]]):
        line = ring if not ends else np.concatenate([ends[1], ring[30:-30], ends[0]])
        mask = cut(tube(line, 11))
        axis = describe(mask)
        assert arc(axis.points.astype(float))[-1] > 0.85 * 2 * np.pi * 30
        view = straightened(np.full((220, 220), 100, np.uint8), axis, mask)
        # Every row shows the arm once, never the one on the other side too.
        assert np.quantile(view.cover.sum(axis=1), 0.9) < 18


def test_the_axis_never_leaves_the_mask_by_much_and_stays_small() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        line = bow(float(rng.uniform(10, 90)), float(rng.uniform(0, 6)), float(rng.uniform(0, 6)))
        bits = tube(line, float(rng.uniform(5, 18)))
        bits &= rng.random(bits.shape) > 0.03  # a ragged mask
        axis = describe(cut(bits))
        assert axis.points.dtype == np.float32 and 2 <= len(axis.points) <= 64
        columns, rows = np.floor(axis.points).astype(int).T
        import cv2

        near = cv2.dilate(bits.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        assert near[rows, columns].mean() > 0.9


@pytest.mark.parametrize("bits", [np.zeros((0, 0)), np.ones((1, 1)), np.ones((2, 3)), np.zeros((9, 9))])
def test_specks_have_no_axis(bits: np.ndarray) -> None:
    mask = Mask(3, 4, bits.astype(bool), 1.0)
    axis = describe(mask)
    assert len(axis.points) == 0 and axis.centromere is None and axis.angle == 0
    assert straightened(np.zeros((20, 20), np.uint8), axis, mask).grey.shape == (0, 0)
    assert len(profile(np.zeros((20, 20), np.uint8), axis, mask).places) == 0


@pytest.mark.parametrize("bits", [np.ones((20, 20)), np.ones((1, 40)), np.ones((4, 4)), np.eye(30)])
def test_shapes_without_a_plain_axis_still_get_one(bits: np.ndarray) -> None:
    axis = describe(Mask(3, 4, bits.astype(bool), 1.0))
    assert len(axis.points) >= 2 and 0 <= axis.angle < 360 and np.isfinite(axis.points).all()


def waisted(bend: float, turn: float, share: float = 0.3) -> tuple[Mask, np.ndarray]:
    """A bent chromosome with a waist `share` of its length from the end that `bow` starts at; and its line."""
    line = bow(90, bend, turn)
    ends = [round(400 * (share - 0.07)), round(400 * (share + 0.07))]
    bits = tube(line[: ends[0]], 15) | tube(line[ends[1] :], 15) | tube(line, 8)
    return cut(bits), line


@pytest.mark.parametrize("bend", [0.0, 0.9, 1.8])
@pytest.mark.parametrize("turn", [0.0, 1.3, 2.9, 4.4, 5.8])
def test_the_short_arm_comes_first_and_its_waist_is_found(bend: float, turn: float) -> None:
    mask, line = waisted(bend, turn)
    axis = describe(mask)
    assert np.linalg.norm(axis.points[0] - line[0]) < np.linalg.norm(axis.points[0] - line[-1])
    assert axis.centromere == pytest.approx(0.33, abs=0.05)  # the round ends lengthen both arms
    up = np.array([np.sin(np.radians(axis.angle)), -np.cos(np.radians(axis.angle))]) * [-1, 1]
    towards_p = line[:130].mean(axis=0) - line[-130:].mean(axis=0)
    assert towards_p @ up > 0


def test_profile_and_straightened_view_show_the_bands_where_they_are() -> None:
    line = bow(80, 1.5, 0.4)
    mask = cut(tube(line, 13))
    rows, columns = np.indices((220, 220))
    nearest = ((columns[..., None] - line[::8, 0]) ** 2 + (rows[..., None] - line[::8, 1]) ** 2).argmin(axis=2) / 49
    pixels = np.where((nearest > 0.2) & (nearest < 0.35), 60, 190).astype(np.uint8)
    axis = describe(mask, pixels)
    if np.linalg.norm(axis.points[0] - line[0]) > 30:
        axis = Axis(axis.points[::-1], None, axis.angle)
    found = profile(pixels, axis, mask)
    assert len(found.places) == len(found.width) == len(found.density)
    band = found.density > 130
    # The round ends take (93 - 80) / 2 pixels on either side.
    assert found.places[band].min() == pytest.approx((6.5 + 0.2 * 80) / 93, abs=0.04)
    assert found.places[band].max() == pytest.approx((6.5 + 0.35 * 80) / 93, abs=0.04)
    assert np.median(found.width) == pytest.approx(13, abs=1)
    view = straightened(pixels, axis, mask)
    assert (view.grey[~view.cover] == 255).all() and (view.grey[view.cover] <= 190).all()
    # Seen from the p end down, the picture's left is the left of one who looks along the axis backwards: not mirrored.
    upright = Mask(0, 0, np.ones((40, 10), bool), 1.0)
    shaded = np.tile(np.linspace(50, 200, 10).astype(np.uint8), (40, 1))
    plain = straightened(shaded, Axis(np.array([[5.0, 0.0], [5.0, 40.0]], np.float32), None, 0.0), upright)
    shown = plain.grey[20][plain.cover[20]]
    assert len(shown) >= 9 and (np.diff(shown.astype(int)) > 0).all()
