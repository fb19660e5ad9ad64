"""The crop classifier: what it is shown, how its word is weighed, and what it does on real cells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference import registry
from inference.backends.crop_classifier import CropClassifier
from inference.evaluation.cells import STAGES, evaluate
from inference.pipeline import analyse
from inference.protocols import AnalysisError, Detections, Mask, Proposal
from inference.stages.classify import looks, pooled
from inference.stages.crops import CHANNELS, HEIGHT, WIDTH, upright_crops
from inference.training.cil import AnnotatedCell
from karyosite.imaging import read_grey


def bar(width: int, height: int, left: int = 60, top: int = 60) -> tuple[np.ndarray, np.ndarray, Mask]:
    """A dark bar on a light field, its box and its mask."""
    pixels = np.full((240, 240), 230, np.uint8)
    pixels[top : top + height, left : left + width] = 60
    box = np.array([[left, top, left + width, top + height]], np.float32)
    return pixels, box, Mask(left, top, np.ones((height, width), bool), 1.0)


@pytest.mark.parametrize(("width", "height"), [(20, 80), (80, 20)])
def test_a_chromosome_stands_upright_in_the_middle_of_its_field(width: int, height: int) -> None:
    pixels, box, mask = bar(width, height)
    crops = upright_crops(pixels, box, [mask])
    assert crops.shape == (1, CHANNELS, HEIGHT, WIDTH)
    rows, columns = np.nonzero(crops[0, 1] > 127)
    assert np.ptp(rows) > 2 * np.ptp(columns)
    assert rows.mean() == pytest.approx(HEIGHT / 2, abs=2)
    assert columns.mean() == pytest.approx(WIDTH / 2, abs=2)
    inside = crops[0, 0][crops[0, 1] > 200]
    assert np.median(inside) == pytest.approx(170, abs=3)


def test_relative_size_is_kept_within_a_cell_and_microscopes_do_not_matter() -> None:
    pixels, box, long = bar(20, 80)
    short = Mask(120, 60, np.ones((40, 20), bool), 1.0)
    boxes = np.concatenate([box, np.array([[120, 60, 140, 100]], np.float32)])
    pixels[60:100, 120:140] = 60
    crops = upright_crops(pixels, boxes, [long, short])
    areas = (crops[:, 1] > 127).sum((1, 2))
    assert areas[0] / areas[1] == pytest.approx(2.0, rel=0.1)
    twice = upright_crops(
        np.kron(pixels, np.ones((2, 2), np.uint8)),
        boxes * 2,
        [Mask(m.left * 2, m.top * 2, np.kron(m.bits, np.ones((2, 2), bool)), 1.0) for m in (long, short)],
    )
    assert np.abs((twice[:, 1] > 127).sum((1, 2)) - areas).max() < 0.1 * areas.max()  # half a pixel of edge


def test_a_field_shows_what_the_others_explain_and_not_what_it_explains_itself() -> None:
    pixels, box, long = bar(20, 80)
    beside = Mask(80, 60, np.ones((80, 10), bool), 1.0)
    boxes = np.concatenate([box, np.array([[80, 60, 90, 140]], np.float32)])
    first, second = upright_crops(pixels, boxes, [long, beside], scores=np.array([1.0, 0.5]))
    assert first[2].max() == pytest.approx(127, abs=2) and second[2].max() == 255
    assert not first[2][first[1] > 200].any()
    assert not upright_crops(pixels, box, [long])[0, 2].any()
    twice = upright_crops(pixels, np.repeat(box, 2, axis=0), [long, long])
    assert (twice[:, 2][twice[:, 1] > 200] == 255).all()


def test_an_empty_mask_and_an_empty_cell_are_no_fault() -> None:
    pixels, box, _ = bar(20, 80)
    assert not upright_crops(pixels, box, [Mask(0, 0, np.zeros((4, 4), bool), 0.0)]).any()
    assert upright_crops(pixels, np.zeros((0, 4), np.float32), []).shape == (0, CHANNELS, HEIGHT, WIDTH)


def test_the_two_are_pooled_by_their_logarithms() -> None:
    detector, crops = np.full((1, 24), 0.01), np.full((1, 24), 0.01)
    detector[0, 7], crops[0, 22] = 0.77, 0.77
    both = pooled(detector, crops, 0.5)
    assert both.sum() == pytest.approx(1)
    assert both[0].argmax() == 22
    assert both[0, 7] > 0.05
    assert pooled(detector, np.full((1, 24), 1 / 24), 1.0)[0] == pytest.approx(detector[0] / detector.sum(), abs=1e-3)


def test_without_a_classifier_the_detectors_word_stands() -> None:
    given = np.full((1, 24), 1 / 24, np.float32)
    detections = Detections(np.zeros((1, 4), np.float32), np.ones(1, np.float32), given)
    assert looks(np.zeros((9, 9), np.uint8), detections, [], None).probabilities is given


def test_it_can_be_switched_off_and_a_wrong_word_is_explained(configuration: Any) -> None:
    assert registry.classifier(SimpleNamespace(**vars(configuration) | {"classifier": "none"})) is None
    with pytest.raises(AnalysisError, match="KARYOSITE_CLASSIFIER"):
        registry.classifier(SimpleNamespace(**vars(configuration) | {"classifier": "resnet"}))


@pytest.mark.models
def test_what_is_not_clear_is_seen_upside_down_as_well(configuration: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = registry.classifier(configuration)
    assert isinstance(classifier, CropClassifier)
    crops = np.random.default_rng(0).integers(0, 255, (6, CHANNELS, HEIGHT, WIDTH), np.uint8)
    turned = np.ascontiguousarray(crops[:, :, ::-1, ::-1])
    one, other = classifier.logits(crops), classifier.logits(turned)
    assert np.allclose(one[:, :25], other[:, :25], atol=1e-3)
    assert np.allclose(one[:, 25], -other[:, 25], atol=1e-3)
    # Were all clear, each would be taken as it lies.
    monkeypatch.setattr(CropClassifier, "_clear", lambda self, logits: np.ones(len(logits), bool))
    first, second = classifier.logits(crops), classifier.logits(turned)
    assert not np.allclose(first, one, atol=1e-2)
    assert np.allclose((first + second)[:, :25] / 2, one[:, :25], atol=1e-3)


@pytest.mark.models
def test_most_chromosomes_of_held_out_cells_are_named_right(held_out: list[AnnotatedCell], configuration: Any) -> None:
    detector, segmenter = registry.detector(configuration), registry.segmenter(configuration)
    classifier = registry.classifier(configuration)
    assert classifier is not None

    def analyse_cell(cell: AnnotatedCell) -> Proposal:
        pixels = read_grey(cell.image)
        facts = {"sha256": "0" * 64, "page": 0, "width": pixels.shape[1], "height": pixels.shape[0]}
        return analyse(
            pixels, detector=detector, segmenter=segmenter, classifier=classifier, image_facts=facts,
            calibration=registry.calibration(detector, classifier, segmenter),
        )  # fmt: skip

    observations = evaluate(held_out, analyse_cell)
    known = np.concatenate([seen.truth_of_found() for seen in observations])
    named = np.concatenate([seen.named[STAGES[-1]] for seen in observations])
    # Pinned a little below what yolov10n-cil 0.3 with kary-crops 0.1 reached here; better weights only raise it.
    assert (known == named)[known >= 0].mean() >= 0.96
