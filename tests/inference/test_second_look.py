"""What is done once chromosomes are cut: boxes drawn around cut-outs, the p arm's end, and what these rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import registry
from inference.backends.boxes import overlap
from inference.backends.crop_classifier import CropClassifier
from inference.backends.processor import multiplies_bfloat16
from inference.labels import CHROMOSOMES
from inference.protocols import Mask, ModelInfo
from inference.stages.axis import describe, with_p_up
from inference.stages.crops import CHANNELS, HEIGHT, WIDTH, surely_there, upright_crops
from inference.stages.framed import Frame, fit
from inference.training import candidates, classifier, hardware, polarity
from inference.training.cil import AnnotatedCell
from tests.conftest import ROOT


def solid(left: int, top: int, width: int, height: int) -> Mask:
    return Mask(left, top, np.ones((height, width), bool), 1.0)


def test_boxes_are_drawn_as_annotators_drew_them() -> None:
    rng = np.random.default_rng(3)
    masks = [solid(*map(int, row)) for row in rng.integers(40, 120, (120, 4))]
    outlines = np.array([[m.left, m.top, m.left + m.bits.shape[1], m.top + m.bits.shape[0]] for m in masks], float)
    truth = outlines + [-6, -8, 5, 3]
    found = truth + rng.normal(0, 2, truth.shape)
    frame = fit(found, masks, truth)
    drawn = frame.around(found, masks, (400, 400))
    before, after = (overlap(boxes, truth).diagonal().mean() for boxes in (found, drawn))
    assert after > before + 0.02 and np.abs(drawn - truth).mean() < 0.6
    said = {"pull": list(frame.pull), "margin": list(frame.margin)}
    again = Frame.of(said)
    assert again is not None
    np.testing.assert_allclose(again.around(found, masks, (400, 400)), drawn)
    assert Frame.of(None) is None and Frame.of({"pull": [1.0], "margin": [1.0]}) is None
    with pytest.raises(ValueError, match="Too few"):
        fit(found[:3], masks[:3], truth[:3])


@given(st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 40)] * 2), st.floats(0, 1), st.floats(-3, 9))
def test_a_drawn_box_stays_in_the_picture_and_an_uncut_one_as_it_is(
    place: tuple[int, int, int, int], pull: float, margin: float
) -> None:
    frame = Frame((pull,) * 4, (margin,) * 4)
    box = np.array([[place[0], place[1], place[0] + place[2], place[1] + place[3]]], np.float32)
    boxes = np.concatenate([box, box])
    drawn = frame.around(boxes, [solid(*place), Mask(0, 0, np.zeros((0, 0), bool), 0.0)], (110, 105))
    assert (drawn >= 0).all() and (drawn[:, [0, 2]] <= 105).all() and (drawn[:, [1, 3]] <= 110).all()
    np.testing.assert_allclose(drawn[1], box[0])


def chromosome(turn: float) -> tuple[np.ndarray, Mask]:
    """A drawn chromosome on a light ground whose p arm, the end towards `turn` (degrees clockwise from up), is short:
    the waist says so."""
    import cv2

    field = np.zeros((200, 200), np.uint8)
    cv2.ellipse(field, (100, 60), (11, 24), 0, 0, 360, 1, -1)
    cv2.ellipse(field, (100, 120), (11, 42), 0, 0, 360, 1, -1)
    turned = cv2.warpAffine(field, cv2.getRotationMatrix2D((100, 100), -turn, 1), (200, 200))
    rows, columns = np.nonzero(turned)
    top, left = int(rows.min()), int(columns.min())
    bits = turned[top : rows.max() + 1, left : columns.max() + 1] > 0
    return np.where(turned > 0, 90, 230).astype(np.uint8), Mask(left, top, bits, 1.0)


@pytest.mark.parametrize("turn", [0, 20, 70, 110, 180, 200, 290, 350])
def test_who_knows_the_bands_turns_the_axis_and_who_does_not_leaves_it(turn: int) -> None:
    pixels, mask = chromosome(turn)
    found = describe(mask, pixels)
    boxes = np.array([[mask.left, mask.top, mask.left + mask.bits.shape[1], mask.top + mask.bits.shape[0]]], np.float32)
    meant = upright_crops(pixels, boxes, [mask])[0, 1] > 127
    # The short arm is the narrower half by area: where it lies in the upright crop is known from the drawing.
    rows = np.flatnonzero(meant.any(axis=1))
    waist = rows[8] + int(meant[rows[8] : rows[-8]].sum(axis=1).argmin())
    p_up = waist - rows[0] < rows[-1] - waist
    assert with_p_up(found, mask, 0.9 if p_up else 0.1) == found
    assert with_p_up(found, mask, 0.55) == found
    other = with_p_up(found, mask, 0.1 if p_up else 0.9)
    np.testing.assert_allclose(other.points, found.points[::-1])
    assert (other.angle - found.angle) % 360 == pytest.approx(180)
    assert found.centromere is not None and other.centromere == pytest.approx(1 - found.centromere)
    back = with_p_up(other, mask, 0.9 if p_up else 0.1)
    np.testing.assert_allclose(back.points, found.points)


def banded(label: int, upside_down: bool, rng: np.random.Generator) -> np.ndarray:
    """A crop drawn from the ideogram."""
    pattern = polarity.expected(polarity.BANDS)[label]
    pattern = pattern[::-1] if upside_down else pattern
    crop = np.zeros((CHANNELS, HEIGHT, WIDTH), np.uint8)
    rows = np.interp(np.linspace(0, 1, 80), np.linspace(0, 1, len(pattern)), pattern)
    dark = 120 + 250 * rows + rng.normal(0, 12, 80)
    crop[0, 24:104, 24:40] = np.clip(dark, 0, 255).astype(np.uint8)[:, None]
    crop[1, 24:104, 24:40] = 255
    return crop


def test_orientation_is_found_without_anybody_having_marked_it() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 24, 400)
    down = rng.random(400) < 0.5
    crops = np.stack([banded(int(label), bool(turned), rng) for label, turned in zip(classes, down, strict=True)])
    classes[:5] = -1
    found = polarity.orient(crops, classes)
    assert (found.p_up[5:] == ~down[5:]).mean() > 0.99
    assert (found.margin[:5] == 0).all() and found.agreement.min() > 0.8
    assert not polarity.profiles(np.zeros((1, CHANNELS, HEIGHT, WIDTH), np.uint8)).any()


def test_pieces_do_not_shift_the_scale_of_a_cell() -> None:
    areas, scores = [400] * 10 + [30] * 9, np.array([0.9] * 10 + [0.02] * 9)
    assert surely_there(areas, scores) == [400] * 10
    assert surely_there(areas, np.full(19, 0.02)) == areas


def test_bfloat16_is_left_alone_where_the_processor_does_not_multiply_it(tmp_path: Path) -> None:
    for number, (flags, fast) in enumerate({"avx2 fma": False, "avx512f avx512_bf16": True, "amx_bf16": True}.items()):
        said = tmp_path / str(number)
        said.write_text(f"model name : x\nflags\t\t: fpu {flags}\n")
        assert multiplies_bfloat16(said) == fast
    assert not multiplies_bfloat16(tmp_path / "nowhere")
    assert hardware.Hardware("cpu", False).place({"a": [1, "b"]}) == {"a": [1, "b"]}


@pytest.mark.models
def test_training_begins_where_the_shipped_classifier_stands(
    configuration: Any, held_out: list[AnnotatedCell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    rows = candidates.plain(held_out[0], np.random.default_rng(1))
    assert (rows["iou"] > 0.6).all() and (rows["classes"] == held_out[0].classes).all()
    shipped = registry.classifier(configuration)
    assert isinstance(shipped, CropClassifier)
    path = next((ROOT / "inference" / "weights").glob("kary-crops-*.onnx"))
    torch.manual_seed(0)
    model = classifier.build()
    classifier.begin_with(model, path, rows["crops"])
    before = classifier.logits_of(model, rows["crops"])
    known = (before[:, : len(CHROMOSOMES)].argmax(1) == rows["classes"]).mean()
    assert known > 0.8
    classifier.export(model, tmp_path / "again.onnx")
    again = CropClassifier(
        tmp_path / "again.onnx", ModelInfo("classifier", "again", "1", ""), temperature=1, detector_share=0, threads=1
    )
    turned = classifier.logits_of(model, np.ascontiguousarray(rows["crops"][:, :, ::-1, ::-1]))
    turned[:, -1] *= -1
    monkeypatch.setattr(CropClassifier, "_clear", lambda self, logits: np.zeros(len(logits), bool))  # both ways, all
    np.testing.assert_allclose(again.logits(rows["crops"]), (before + turned) / 2, atol=1e-3)


@pytest.mark.models
def test_candidates_are_what_the_pipeline_sees(configuration: Any, held_out: list[AnnotatedCell]) -> None:
    detector = registry.detector(configuration)
    rows = candidates.looked_at(held_out[1], detector, registry.segmenter(configuration))
    own = rows["own"]
    assert own.sum() > 0.9 * len(held_out[1].boxes) and (rows["iou"][own] >= 0.5).all()
    assert (rows["classes"][rows["iou"] < 0.5] == -1).all() and len(rows["crops"]) == len(own) > own.sum()
