"""What a person points at is cut beside what the cell has already, and a click is followed whatever is seen."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference import registry
from inference.backends import sam_asked, sam_masks
from inference.backends.compact_sam import CompactSam
from inference.evaluation import pointing, segmentation
from inference.protocols import Mask
from inference.stages.beside import REACH, answer_of
from inference.stages.edge import edge_levels
from inference.training.cil import AnnotatedCell, read_grey
from tests.conftest import CIL
from tests.inference.conftest import HELD_OUT, annotated

NO_CLICKS = np.zeros((0, 3), np.float32)


@pytest.fixture(scope="module")
def shipped(configuration: Any) -> CompactSam:
    found = registry.segmenter(SimpleNamespace(**(vars(configuration) | {"segmenter": "shipped"})))
    assert isinstance(found, CompactSam)
    return found


@pytest.fixture(scope="module")
def judged(shipped: CompactSam, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of scenes of 23 cells: how well a click alone cuts differs widely from cell to cell."""
    names = (CIL / "val.txt").read_text().split()
    evenly = [Path(name).stem for name in names[:: len(names) // 18]]
    cells = annotated([*HELD_OUT, *(name for name in evenly if name not in HELD_OUT)], tmp_path_factory.mktemp("cil"))
    return {how: one.figures() for how, one in pointing.judge(segmentation.made_scenes(cells), shipped).items()}


def test_a_missing_chromosome_is_cut_better_beside_the_others(judged: dict[str, Any]) -> None:
    beside, alone = judged["beside"], judged["alone"]

    def gained(asked: str, kind: str) -> float:
        assert beside[asked][kind]["chromosomes"] >= 5, kind
        return float(beside[asked][kind]["mean_iou"] - alone[asked][kind]["mean_iou"])

    assert gained("click", "lone") > 0.08 and beside["click"]["lone"]["mean_iou"] > 0.945
    assert gained("click", "crossing") > 0.06
    assert gained("box", "crossing") > 0.015
    assert gained("box", "lone") > -0.005


def test_clicks_are_followed(judged: dict[str, Any]) -> None:
    for name, followed in judged["beside"]["followed"].items():
        assert followed["clicks"] >= 5 and followed["share"] >= 0.9, name
    assert judged["alone"]["followed"]["not this"]["share"] < 0.6  # which is why


def test_a_click_more_makes_it_no_worse(judged: dict[str, Any]) -> None:
    for kind in segmentation.KINDS:
        first, *further = (judged["beside"][asked][kind]["mean_iou"] for asked in pointing.ASKED[1:])
        assert further[-1] > first - 0.005, kind


def test_without_others_it_is_as_it_was(shipped: CompactSam, held_out: list[AnnotatedCell]) -> None:
    pixels, boxes = read_grey(held_out[0].image), held_out[0].boxes
    embedding = shipped.embed(pixels)
    nothing = Mask(0, 0, np.zeros((0, 0), bool), 0.0)
    for box in boxes[:4].astype(np.float32):
        [alone] = shipped.cut_many(pixels, embedding, [(box, NO_CLICKS)])
        told = shipped.cut(pixels, embedding, box, NO_CLICKS, None, [nothing])
        assert told.iou(alone) == 1.0


def test_the_refined_one_is_none_of_its_others(shipped: CompactSam, held_out: list[AnnotatedCell]) -> None:
    pixels, boxes = read_grey(held_out[0].image), held_out[0].boxes
    embedding = shipped.embed(pixels)
    masks = shipped.segment(pixels, boxes)
    for row in range(3):
        present, others = masks[row], masks[:row] + masks[row + 1 :]
        click = np.array([[*_deep(present), 1]], np.float32)
        one = shipped.cut(pixels, embedding, None, click, present, others)
        with_itself = shipped.cut(pixels, embedding, None, click, present, masks)
        assert one.iou(with_itself) == 1.0 and one.iou(present) > 0.8


def test_not_this_takes_a_part_and_never_all(
    shipped: CompactSam, held_out: list[AnnotatedCell], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, boxes = read_grey(held_out[0].image), held_out[0].boxes
    embedding = shipped.embed(pixels)
    masks = shipped.segment(pixels, boxes)

    def refused(row: int) -> Mask:
        click = np.array([[*_deep(masks[row]), 0]], np.float32)
        return shipped.cut(pixels, embedding, None, click, masks[row], masks)

    for row in range(12):
        found, (x, y) = refused(row), _deep(masks[row])
        assert found.bits.any() and not found.full(*pixels.shape)[y, x]
        assert found.bits.sum() < masks[row].bits.sum()

    # Also where the network's own answer is that nothing is left.
    def nothing(*args: Any) -> Any:
        return [(np.full_like(logits, -9.0), window, 0.1) for logits, window, _ in answered(*args)]

    answered = shipped.answers
    monkeypatch.setattr(shipped, "answers", nothing)
    assert refused(0).bits.any() and refused(0).iou(masks[0]) > 0.3


def test_bare_ground_stays_bare(shipped: CompactSam, held_out: list[AnnotatedCell]) -> None:
    pixels, boxes = read_grey(held_out[0].image), held_out[0].boxes
    embedding, masks = shipped.embed(pixels), shipped.segment(pixels, boxes)
    rng, asked, answered = random.Random(5), 0, 0
    for _ in range(400):
        x, y = rng.randrange(30, pixels.shape[1] - 30), rng.randrange(30, pixels.shape[0] - 30)
        if asked == 15 or pixels[y - 20 : y + 20, x - 20 : x + 20].min() < 215:
            continue
        asked += 1
        click = np.array([[x, y, 1]], np.float32)
        answered += shipped.cut(pixels, embedding, None, click, None, masks).bits.any()
    assert asked >= 8 and answered <= 1


@pytest.mark.parametrize("scale", [0.5, 0.87, 1.0, 1.7])
def test_a_mask_becomes_an_answer_and_comes_back(scale: float) -> None:
    down, across = np.mgrid[:90, :60]
    bits = ((down - 44) / 40) ** 2 + ((across - 30) / 11) ** 2 < 1
    mask = Mask(70, 40, bits, 1.0)
    box = sam_asked.extent(mask) * scale
    logits, window, expected = answer_of(mask, box, scale)
    assert np.abs(logits).max() == REACH and logits.shape == (window[2], window[2])
    back = sam_masks.mask_of(logits, window, expected, scale, (300, 300), NO_CLICKS)
    assert back.iou(mask) > 0.97
    # And it tells where the cell's edges are, as a network's own answer does.
    seen = np.stack([np.full(logits.shape, 0.25), logits, logits, np.zeros(logits.shape)])
    levels = edge_levels({0: seen}, [0], box[None])
    assert not levels or levels[0] == pytest.approx(0.25 * 255)
    assert levels or scale == 0.5, "its outline is long enough to tell"


def test_a_mask_without_a_pixel_is_no_answer() -> None:
    nothing = answer_of(Mask(5, 5, np.zeros((4, 4), bool), 1.0), np.array([5.0, 5.0, 9.0, 9.0]), 1.0)
    assert (nothing[0] == -REACH).all()


def test_not_this_beside_a_large_piece_takes_only_the_small_one() -> None:
    logits = np.full((112, 112), -5.0, np.float32)
    logits[20:80, 20:40] = logits[45:65, 44:56] = 5.0

    def cut(*click: float) -> Mask:
        return sam_masks.mask_of(logits, (0, 0, 112), 1.0, 1.0, (112, 112), np.array([click], np.float32))

    beside = cut(48, 55, 0)
    assert beside.bits.sum() == 60 * 20
    assert cut(30, 50, 0).bits.sum() == 20 * 12, "and the large one where it is clicked itself"


def test_a_bite_goes_as_far_as_the_nearest_edge() -> None:
    logits = np.full((112, 112), -5.0, np.float32)
    logits[20:90, 50:62] = 5.0
    bitten, _, _ = sam_asked._bitten((logits, (100, 200, 112), 0.9), np.array([156.0, 230.0]))
    assert bitten[30, 56] < 0 and (bitten[30, 50:62] < 0).all() and (bitten[45:90, 50:62] > 0).all()


def _deep(mask: Mask) -> tuple[int, int]:
    import cv2

    depths = cv2.distanceTransform(np.pad(mask.bits.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depths.argmax(), depths.shape)
    return mask.left + int(x), mask.top + int(y)
