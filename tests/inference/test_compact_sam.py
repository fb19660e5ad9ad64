"""The shipped compact SAM on fields with drawn masks, on made crossings, and on what should not be sent to it."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference import registry
from inference.backends import sam_masks
from inference.backends.compact_sam import CompactSam
from inference.backends.threshold import ThresholdSegmenter
from inference.evaluation import segmentation
from inference.protocols import AnalysisError, Mask, ModelInfo
from inference.stages.window import LARGE, NEIGHBOURS, SMALL
from inference.training.cil import AnnotatedCell, read_grey
from tests.conftest import CIL

MFISH = CIL.parent / "mfish"


@pytest.fixture(scope="module")
def shipped(configuration: Any) -> CompactSam:
    found = registry.segmenter(SimpleNamespace(**(vars(configuration) | {"segmenter": "shipped"})))
    assert isinstance(found, CompactSam)
    return found


@pytest.fixture(scope="module")
def made(held_out: list[AnnotatedCell]) -> list[segmentation.Truth]:
    # Twice, each time otherwise laid: of one time only twenty touch, and one cut more or less decides.
    return [*segmentation.made_scenes(held_out), *segmentation.made_scenes(held_out, seed=12)]


def test_crossings_lone_and_touching_ones_are_cut_better_than_by_intensity(
    shipped: CompactSam, made: list[segmentation.Truth]
) -> None:
    once = segmentation.judge(iter(made[: len(made) // 2]), shipped.segment).figures()
    for kind, least in PINNED_ONCE.items():
        assert once[kind]["mean_iou"] >= least, (kind, once)
    ours = segmentation.judge(iter(made), shipped.segment).figures()
    theirs = segmentation.judge(iter(made), ThresholdSegmenter().segment).figures()
    for kind, least in PINNED.items():
        assert ours[kind]["mean_iou"] >= least, (kind, ours)
        if kind != "lone":  # there the truth is cut by the other's own rule: drawn fields tell who is ahead (below)
            assert ours[kind]["mean_iou"] > theirs[kind]["mean_iou"] + 0.1, kind


# A little below what was measured: a new model may not be worse.
PINNED = {"lone": 0.96, "touching": 0.937, "crossing": 0.932, "crossing_itself": 0.787}
PINNED_ONCE = {"lone": 0.958, "crossing": 0.94, "crossing_itself": 0.787}


def test_it_hears_what_it_is_told_of_the_boxes_around_and_cuts_crossings_no_worse(
    shipped: CompactSam, made: list[segmentation.Truth]
) -> None:
    def alone(pixels: np.ndarray, boxes: np.ndarray, sure: np.ndarray | None = None) -> list[Mask]:
        return shipped.segment(pixels, boxes, np.zeros(len(boxes)))

    told = segmentation.judge(iter(made), shipped.segment)
    untold = segmentation.judge(iter(made), alone)
    assert told.scores["crossing"].ious != untold.scores["crossing"].ious
    for kind in ("touching", "crossing"):
        assert np.mean(told.scores[kind].ious) > np.mean(untold.scores[kind].ious)


def test_fields_drawn_by_people_are_cut_better_than_by_intensity(shipped: CompactSam) -> None:
    fields = list(segmentation.drawn_fields(MFISH))[::12]
    ours = segmentation.judge(iter(fields), shipped.segment).figures()
    theirs = segmentation.judge(iter(fields), ThresholdSegmenter().segment).figures()
    assert ours["all"]["mean_iou"] > max(0.87, theirs["all"]["mean_iou"] + 0.05)
    for kind in segmentation.KINDS:
        assert ours[kind]["mean_iou"] > theirs[kind]["mean_iou"] + 0.05, kind


def test_close_boxes_tell_where_the_edge_is_and_roomy_ones_leave_it(shipped: CompactSam) -> None:
    """The person who drew this field sees the edge further in than others; boxes close around say so."""
    field = next(one for one in segmentation.drawn_fields(MFISH) if one.name == "A0501XY")

    def judged(room: float) -> tuple[float, float]:
        masks = shipped.segment(field.pixels, field.boxes + np.array([-room, -room, room, room], np.float32))
        ratios = [mask.bits.sum() / one.mask.bits.sum() for mask, one in zip(masks, field.known, strict=True)]
        ious = [mask.iou(one.mask) for mask, one in zip(masks, field.known, strict=True)]
        return float(np.median(ratios)), float(np.mean(ious))

    close, roomy = judged(0.0), judged(3.0)
    assert close[0] < 1.1 < roomy[0] and close[1] > roomy[1] + 0.02


def test_a_mask_cut_further_in_keeps_what_it_shares() -> None:
    upright, flat = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    upright[2:38, 15:25], flat[15:25, 2:38] = True, True
    thin_upright, thin_flat = np.zeros((32, 6), bool), np.zeros((6, 32), bool)
    thin_upright[:], thin_flat[:] = True, True
    thin = [Mask(17, 4, thin_upright, 0.9), Mask(4, 17, thin_flat, 0.8)]
    kept = sam_masks.with_shared(0, thin, Mask(0, 0, upright, 0.9)).full(40, 40)
    assert kept[17:23, 15:25].all() and not kept[4:16, 15].any() and kept.sum() == 32 * 6 + 6 * 4


def test_a_piece_that_counts_only_further_in_is_not_taken() -> None:
    """Cut further in, the largest piece may have become so small that one left out before is large enough beside it."""
    whole = Mask(10, 10, np.ones((20, 8), bool), 0.9)
    further_in = np.zeros((18, 30), bool)
    further_in[2:16, 0:4] = further_in[10:16, 26:30] = True
    kept = sam_masks.with_shared(0, [Mask(12, 11, further_in, 0.9)], whole).full(60, 60)
    assert kept.sum() == 14 * 4 and kept[13:27, 12:16].all()
    nowhere = sam_masks.with_shared(0, [Mask(40, 40, np.ones((3, 3), bool), 0.9)], whole)
    assert not nowhere.bits.any()


def test_what_it_expects_of_itself_tells_bad_cuts(shipped: CompactSam, made: list[segmentation.Truth]) -> None:
    expected, actual = [], []
    for truth in made:
        for mask, known in zip(shipped.segment(truth.pixels, truth.boxes), truth.known, strict=False):
            expected.append(mask.score)
            actual.append(mask.iou(known.mask))
    assert np.corrcoef(expected, actual)[0, 1] > 0.3
    assert abs(np.mean(expected) - np.mean(actual)) < 0.1


def test_a_click_and_a_box_mean_the_same_chromosome(shipped: CompactSam, made: list[segmentation.Truth]) -> None:
    truth = made[0]
    embedding = shipped.embed(truth.pixels)
    lone = [(row, one) for row, one in enumerate(truth.known) if one.kind == "lone"][:6]
    values = []
    for row, one in lone:
        rows, columns = np.nonzero(one.mask.bits)
        middle = len(rows) // 2
        click = np.array([[one.mask.left + columns[middle], one.mask.top + rows[middle], 1]], np.float32)
        clicked = shipped.cut(truth.pixels, embedding, None, click, None)
        boxed = shipped.cut(truth.pixels, embedding, truth.boxes[row], click[:0], None)
        values.append((clicked.iou(one.mask), boxed.iou(one.mask)))
    assert np.median([clicked for clicked, _ in values]) > 0.7
    assert np.median([boxed for _, boxed in values]) > 0.85


def test_bare_ground_holds_nothing(shipped: CompactSam, held_out: list[AnnotatedCell]) -> None:
    pixels, boxes = read_grey(held_out[0].image), held_out[0].boxes
    embedding, none = shipped.embed(pixels), np.zeros((0, 3), np.float32)
    asked, answered = 0, 0
    for y in range(0, pixels.shape[0] - 40, 40):
        for x in range(0, pixels.shape[1] - 40, 40):
            apart = (boxes[:, 0] > x + 45) | (boxes[:, 2] < x - 5) | (boxes[:, 1] > y + 45) | (boxes[:, 3] < y - 5)
            if asked >= 30 or not apart.all() or pixels[y : y + 40, x : x + 40].min() < 215:
                continue
            asked += 1
            box, click = np.array([x, y, x + 30, y + 30], np.float32), np.array([[x + 20, y + 20, 1]], np.float32)
            answered += shipped.cut(pixels, embedding, box, none, None).bits.any()
            answered += shipped.cut(pixels, embedding, None, click, None).bits.any()
    assert asked >= 10 and answered <= 1


def test_not_this_takes_a_neighbour_out(shipped: CompactSam, made: list[segmentation.Truth]) -> None:
    truth = made[1]
    embedding = shipped.embed(truth.pixels)
    better = 0
    lone = [one for one in truth.known if one.kind == "lone"][:5]
    for one in lone:
        grown = _with_a_bar(one.mask, random.Random(3))
        extra = np.argwhere(grown.bits & ~_in_frame(one.mask, grown))
        y, x = extra[len(extra) // 2]
        point = np.array([[grown.left + x, grown.top + y, 0]], np.float32)
        refined = shipped.cut(truth.pixels, embedding, None, point, grown)
        better += refined.iou(one.mask) > grown.iou(one.mask)
    assert better >= len(lone) - 1


def _with_a_bar(mask: Mask, rng: random.Random) -> Mask:
    import cv2

    bits = np.pad(mask.bits, 24).astype(np.uint8)
    rows, columns = np.nonzero(bits)
    at = rng.randrange(len(rows))
    cv2.line(bits, (int(columns[at]), int(rows[at])), (4, 4), 1, 9)
    return Mask(mask.left - 24, mask.top - 24, bits.astype(bool), 1.0)


def _in_frame(mask: Mask, frame: Mask) -> np.ndarray:
    bits = np.zeros_like(frame.bits)
    y, x = mask.top - frame.top, mask.left - frame.left
    bits[y : y + mask.bits.shape[0], x : x + mask.bits.shape[1]] = mask.bits
    return bits


@pytest.mark.parametrize("shape", [(40, 40), (33, 500), (700, 690)])
def test_odd_pictures_and_boxes_give_a_mask_each(shipped: CompactSam, shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 230, np.uint8)
    pixels[10:20, 5:30] = 90
    boxes = np.array([[0, 0, 40, 33], [-50, -50, -10, -10], [5, 5, 5, 5], [3000, 3000, 3100, 3100]], np.float32)
    masks = shipped.segment(pixels, boxes)
    assert len(masks) == 4 and shipped.segment(pixels, boxes[:0]) == []
    for mask in masks:
        assert mask.left >= 0 and mask.top >= 0
        assert mask.top + mask.bits.shape[0] <= shape[0] and mask.left + mask.bits.shape[1] <= shape[1]


def test_500_boxes_are_cut_in_bounded_batches(shipped: CompactSam, made: list[segmentation.Truth]) -> None:
    truth = made[0]
    boxes = np.tile(truth.boxes, (500 // len(truth.boxes) + 1, 1))  # whole copies: the median box tells the scale
    masks = shipped.segment(truth.pixels, boxes, np.arange(len(boxes)) < len(truth.boxes))  # of copies nothing is told
    assert len(masks) == len(boxes) >= 500
    again = shipped.segment(truth.pixels, truth.boxes)
    assert masks[0].iou(again[0]) > 0.99


def test_the_files_are_made_from_a_checkpoint_and_answer_as_it_does(tmp_path: Path) -> None:
    import torch

    from inference.training.sam_export import export
    from inference.training.sam_model import CompactSam as Network

    torch.manual_seed(5)
    network = Network().eval()
    torch.nn.init.normal_(network.beside.weight, std=0.1)
    assert sum(part.numel() for part in network.image_encoder.parameters()) < 6_000_000
    torch.save({"ema": network.state_dict()}, tmp_path / "last.pt")
    export(tmp_path / "last.pt", tmp_path / "field.onnx", tmp_path / "prompt.onnx")
    assert sum((tmp_path / name).stat().st_size for name in ("field.onnx", "prompt.onnx")) < 20 * 10**6
    model = CompactSam(tmp_path / "field.onnx", tmp_path / "prompt.onnx", ModelInfo("segmenter", "a", "1", "0"))
    density = np.random.default_rng(1).random((1, 1, 192, 256), np.float32)
    with torch.inference_mode():
        wanted = network.image_encoder(torch.from_numpy(density))
    found = model._field.run(["embedding", "middle", "fine"], {"density": density})
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=2e-4)
    for side in (SMALL, LARGE):
        views = [part[:, :, : side // step, : side // step] for part, step in zip(wanted, (4, 2, 1), strict=True)]
        views = [torch.nn.functional.pad(view, (0, side // step - view.shape[3], 0, side // step - view.shape[2]))
                 for view, step in zip(views, (4, 2, 1), strict=True)]  # fmt: skip
        points = torch.tensor([[[20.0, 20], [90, 80], [50, 50], [60, 40], [0, 0], [0, 0]]])
        labels = torch.tensor([[2.0, 3, 1, 0, -1, -1]])
        present = torch.zeros(1, 1, side, side)
        neighbours = torch.zeros(1, NEIGHBOURS, 5)
        neighbours[0, 0] = torch.tensor([30.0, 10, 70, 95, 0.9])
        with torch.inference_mode():
            masks, expected = network.prompt(*views, points, labels, present, torch.ones(1), neighbours)
        given = dict(zip(("embedding", "middle", "fine"), (view.numpy() for view in views), strict=True))
        given |= {"points": points.numpy(), "labels": labels.numpy(), "present": present.numpy()}
        given["neighbours"] = neighbours.numpy()
        given["has_mask"] = np.ones(1, np.float32)
        answers = model._prompt.run(["masks", "expected"], given)
        np.testing.assert_allclose(answers[0], masks.numpy(), atol=2e-3)
        np.testing.assert_allclose(answers[1], expected.numpy(), atol=2e-4)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "field.onnx"
    broken.write_bytes(b"nothing")
    with pytest.raises(AnalysisError, match="field.onnx is damaged"):
        CompactSam(broken, broken, ModelInfo("segmenter", "a", "1", "0"))
