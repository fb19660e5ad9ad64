"""A cell's cuts end at one darkness of its picture."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import registry
from inference.backends import compact_sam
from inference.backends.compact_sam import CompactSam
from inference.evaluation import segmentation
from inference.protocols import Mask
from inference.stages import edge
from inference.stages.beside import planes
from inference.stages.edge import NEAREST, SHARE, Edge, edge_levels, levels_to_follow
from inference.training.cil import AnnotatedCell

SIDE = 40
INSIDE = 0.9 * 255 * SHARE  # what the inside of `_seen` tells, without any ground around


def _seen(level: float, *, edge_pixels: int = 40, taken: float = 0.0) -> np.ndarray:
    """A cut with so many pixels on its edge, of this density; all else is darker and its own."""
    density, logits = np.full((SIDE, SIDE), 0.9, np.float32), np.full((SIDE, SIDE), 6.0, np.float32)
    others = np.zeros((SIDE, SIDE), np.float32)
    density.flat[:edge_pixels], logits.flat[:edge_pixels], others.flat[:edge_pixels] = level / 255, 0.3, taken
    return np.stack([density, logits, np.zeros_like(density), others])


def _levels(cuts: list[np.ndarray]) -> tuple[float | None, float | None]:
    """As it is told the second look, and where cuts are to end."""
    boxes = np.tile(np.array([10, 10, 30, 60], np.float32), (len(cuts), 1))
    drawn, followed = (of(dict(enumerate(cuts)), range(len(cuts)), boxes) for of in (edge_levels, levels_to_follow))
    return drawn.get(0), followed.get(0)


def test_the_level_is_that_of_most_cuts_by_their_free_edges_and_followed_is_how_dark_they_are_too() -> None:
    cuts = [_seen(50), _seen(60), _seen(64), _seen(70), _seen(200)]
    expected = pytest.approx((64, (64 + INSIDE) / 2))
    assert _levels(cuts) == expected
    assert _levels([*cuts, _seen(10, taken=0.5), _seen(12, taken=1), _seen(14, taken=2)]) == expected
    assert _levels([*cuts, _seen(10, edge_pixels=20), _seen(12, edge_pixels=5)]) == expected
    drawn, followed = _levels([_seen(10, taken=1), _seen(12, edge_pixels=3)])  # no free edge
    assert drawn is None and followed == pytest.approx(INSIDE)
    all_taken = _seen(10)
    all_taken[3] = 1
    assert _levels([all_taken]) == _levels([]) == (None, None)


def test_how_dark_a_cut_is_counts_from_the_ground_around_it() -> None:
    one = _seen(60)
    one[0, 20:], one[1, 20:] = 0.2, -6.0  # bare ground
    level = (60 + 255 * (0.2 + SHARE * (0.9 - 0.2))) / 2
    assert _levels([one]) == pytest.approx((60, level))
    one[0, 30:], one[3, 30:] = 0.8, 1.0  # what another takes is not
    assert _levels([one]) == pytest.approx((60, level))


def test_where_a_picture_is_darker_on_one_side_so_are_its_edges() -> None:
    cuts = {row: _seen(40 + row) for row in range(2 * NEAREST)}
    boxes = np.array([[20 * row, 0, 20 * row + 10, 40] for row in cuts], np.float32)
    first, last = 40 + (NEAREST - 1) / 2, 40 + 2 * NEAREST - 1 - (NEAREST - 1) / 2
    for levels, meant in (
        (edge_levels, lambda drawn: drawn),
        (levels_to_follow, lambda drawn: (drawn + INSIDE) / 2),
    ):
        found = levels(cuts, cuts, boxes)
        assert found[0] == pytest.approx(meant(first)) and found[2 * NEAREST - 1] == pytest.approx(meant(last))
        few = levels(cuts, [0, 1], boxes)  # a cut that tells nothing itself ends where the others do
        assert set(few) == set(cuts) and list(few.values()) == pytest.approx([meant(40.5)] * len(cuts))


def test_an_edge_moves_to_the_level_where_it_is_in_doubt_and_where_nobody_else_is() -> None:
    field = np.zeros((30, 50), np.uint8)
    field[:, :20] = 160  # a chromosome's dark side; the ground is at 40
    field[:, 20:] = 40
    one = Edge(field, 100.0, np.zeros((8, 8), np.float32))
    logits = np.tile(np.array([5, 1, 0.1, -0.1, -1, -5], np.float32), (4, 1))
    free = np.ones_like(logits)
    # The cut ends two pixels inside the dark, or two outside: it comes to end where the dark does.
    for left in (20 - 5, 20 - 1):
        dark = field[10:14, left : left + 6] == 160
        moved = one.followed(logits, free, left, 10)
        sure = np.abs(logits) >= edge.MOVED
        assert np.array_equal((moved > 0)[~sure], dark[~sure])
        assert np.array_equal(moved[sure], logits[sure])
    assert np.array_equal(one.followed(logits, np.zeros_like(free), 15, 10), logits)


def test_an_edge_does_not_run_out_into_dirt_nearby_but_comes_back_from_any_distance() -> None:
    dark, light = (np.full((9, 30), grey, np.uint8) for grey in (160, 40))
    logits = np.full((9, 30), -1.5, np.float32)
    logits[:, :10] = 1.5
    taken = np.zeros((8, 8), np.float32)
    out = Edge(dark, 100.0, taken).followed(logits, np.ones_like(logits), 0, 0)
    assert (out > 0)[:, : 10 + edge.REACH].all() and not (out > 0)[:, 10 + edge.REACH :].any()
    assert not (Edge(light, 100.0, taken).followed(logits, np.ones_like(logits), 0, 0) > 0).any()
    further_in = Edge(dark, 100.0, taken).followed(logits + 1, np.ones_like(logits), 0, 0, cut_at=1.0)
    assert (further_in > 1)[:, : 10 + edge.REACH].all() and not (further_in > 1)[:, 10 + edge.REACH :].any()


@given(st.floats(0, 4), st.floats(0, 4))
def test_the_more_others_take_the_less_is_an_edge_free(few: float, more: float) -> None:
    few, more = sorted((few, more))
    free = Edge(np.zeros((1, 1), np.uint8), 0.0, np.array([[0.0, few, more]], np.float32)).free[0]
    assert free[0] == 1 and 0 <= free[2] <= free[1] <= 1


@pytest.fixture(scope="module")
def segmenter(configuration: Any) -> CompactSam:
    found = registry.segmenter(SimpleNamespace(**(vars(configuration) | {"segmenter": "shipped"})))
    assert isinstance(found, CompactSam)
    return found


def test_outlines_end_at_one_darkness_and_lone_ones_come_nearer_to_the_truth(
    segmenter: CompactSam, held_out: list[AnnotatedCell], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [*segmentation.made_scenes(held_out), *segmentation.made_scenes(held_out, seed=12)]
    spreads: dict[float, float] = {}
    ious: dict[float, float] = {}
    shipped = edge.STEEP
    for steep in (shipped, 0.0):
        monkeypatch.setattr(edge, "STEEP", steep)
        spread, found = [], []
        for truth in made:
            cuts = segmenter.segment(truth.pixels, truth.boxes)
            lone = [row for row, one in enumerate(truth.known) if one.kind == "lone"]
            found += [cuts[row].iou(truth.known[row].mask) for row in lone]
            spread.append(np.std([_rim(truth.pixels, cuts[row]) for row in lone]))
        spreads[steep], ious[steep] = float(np.mean(spread)), float(np.mean(found))
    assert spreads[shipped] < 0.9 * spreads[0.0], spreads
    assert ious[shipped] > ious[0.0] + 0.001, ious


def _rim(pixels: np.ndarray, cut: Mask) -> float:
    """How dark a cut is along its outline."""
    import cv2

    inner = cv2.erode(np.pad(cut.bits, 1).astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    return float(np.median(255 - cut.window(pixels)[cut.bits & ~inner]))


def test_the_faintest_boxes_have_no_edge_and_tell_none(segmenter: CompactSam) -> None:
    pixels = np.full((160, 240), 230, np.uint8)
    for row in range(3):
        pixels[40:110, 40 + 60 * row : 60 + 60 * row] = 90
    boxes = np.array([[36 + 60 * row, 36, 64 + 60 * row, 114] for row in range(3)], np.float32)
    embedding = segmenter.embed(pixels)
    answers = segmenter.first_answers(embedding, boxes, np.ones(3))
    density = segmenter.density(pixels, embedding)

    def edges(*sure: float) -> list[Edge | None]:
        seen = planes(density, answers, boxes * float(embedding["scale"]), np.array(sure))
        return compact_sam._edges(pixels, seen, boxes, np.array(sure))

    first, none, faint = edges(0.9, 0.02, 0.2)
    assert first is not None and faint is not None and none is None and first.level == faint.level
    assert edges(0.2, 0.2, 0.2) == [None] * 3
