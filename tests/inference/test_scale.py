"""The same cell at another size, in a larger field, or cut to a few chromosomes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from inference import registry
from inference.evaluation.cells import match
from inference.pipeline import analyse
from inference.protocols import Detections
from inference.stages.scale import detect_at_usual_scale, usual_part
from inference.training.cil import AnnotatedCell, read_grey
from tests.inference.conftest import drawn_cell, shipped


def in_a_field(pixels: np.ndarray, times: float) -> tuple[np.ndarray, int, int]:
    """The picture in a field so many times as large, and where its corner lies."""
    height, width = (round(times * side) for side in pixels.shape)
    ground = np.random.default_rng(0).normal(np.percentile(pixels, 90), 2, (height, width))
    field = np.clip(ground, 0, 255).astype(np.uint8)
    top, left = (height - pixels.shape[0]) // 3, (width - pixels.shape[1]) // 2
    field[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return field, left, top


@pytest.mark.models
def test_a_resized_cell_gives_the_same_karyotype(held_out: list[AnnotatedCell], configuration: Any) -> None:
    models = shipped(configuration)
    pixels = read_grey(held_out[1].image)

    def karyotype(shown: np.ndarray) -> tuple[np.ndarray, list[str]]:
        facts = {"sha256": "0" * 64, "page": 0, "width": shown.shape[1], "height": shown.shape[0]}
        made = analyse(shown, image_facts=facts, **models).document["chromosomes"]
        entries = [entry for entry in made if entry["state"] == "present"]
        return np.array([entry["box"] for entry in entries], np.float32), [entry["label"] for entry in entries]

    boxes, labels = karyotype(pixels)
    for factor in (0.5, 0.71, 1.41, 2.0):
        smooth = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        found, named = karyotype(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=smooth))
        pairs = match(found / factor, boxes)
        assert abs(len(found) - len(boxes)) <= 1, factor
        same = sum(named[one] == labels[other] for one, other in pairs)
        assert same >= len(boxes) - 2, f"{same} of {len(boxes)} named alike at {factor}"


@pytest.mark.models
@pytest.mark.parametrize(("times", "factor"), [(2.0, 1.0), (3.5, 1.0), (3.0, 0.5), (2.5, 2.0)])
def test_a_cell_in_a_large_field_is_found_as_in_its_own(
    held_out: list[AnnotatedCell], configuration: Any, times: float, factor: float
) -> None:
    detector = registry.detector(configuration)
    pixels = read_grey(held_out[1].image)
    own = detector.detect(pixels)
    field, left, top = in_a_field(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), times)
    found = (detect_at_usual_scale(detector, field).boxes - [left, top, left, top]) / np.float32(factor)
    for score, lost in ((0.15, 1), (0.05, 3)):  # the faintest candidates come and go with the last pixel
        boxes = own.boxes[own.scores >= score]
        assert len(boxes) >= 40
        assert len(match(found, boxes)) >= len(boxes) - lost


@pytest.mark.models
def test_few_large_chromosomes_are_put_on_a_wider_ground(held_out: list[AnnotatedCell], configuration: Any) -> None:
    detector = registry.detector(configuration)
    pixels = read_grey(held_out[1].image)
    height, width = pixels.shape
    corner = np.ascontiguousarray(pixels[: height // 2, : width // 2])
    own = detector.detect(pixels).boxes
    whole = own[(own[:, 2] < corner.shape[1] - 2) & (own[:, 3] < corner.shape[0] - 2)]
    found = detect_at_usual_scale(detector, corner).boxes
    assert len(match(found, whole)) >= len(whole) - 1
    assert (found[:, 2] <= corner.shape[1]).all() and (found[:, 3] <= corner.shape[0]).all() and (found >= 0).all()


def test_ordinary_cells_are_shown_whole(held_out: list[AnnotatedCell]) -> None:
    assert [usual_part(read_grey(cell.image)) for cell in held_out] == [None] * len(held_out)
    assert usual_part(np.full((400, 400), 200, np.uint8)) is None


def test_a_chromosome_far_from_the_cell_is_not_lost() -> None:
    """A detector that finds each dark thing of the picture it is shown."""

    class Things:
        def detect(self, pixels: np.ndarray) -> Detections:
            _, dark = cv2.threshold(pixels, 150, 1, cv2.THRESH_BINARY_INV)
            facts = cv2.connectedComponentsWithStats(np.where(pixels == 114, 0, dark).astype(np.uint8))[2][1:]
            large = facts[facts[:, cv2.CC_STAT_AREA] > 100].astype(np.float32)
            boxes = np.concatenate([large[:, :2], large[:, :2] + large[:, 2:4]], axis=1)
            return Detections(boxes, np.ones(len(boxes), np.float32), np.full((len(boxes), 24), 1 / 24, np.float32))

    cell, boxes, _ = drawn_cell()
    field, left, top = in_a_field(cell, 4.0)
    cv2.line(field, (60, 1300), (100, 1340), 90, 13)
    part = usual_part(field)
    assert part is not None and part.apart and part.bottom < 1250
    found = detect_at_usual_scale(Things(), field).boxes  # type: ignore[arg-type]
    lone = np.array([[52, 1292, 108, 1348]], np.float32)
    assert len(match(found, np.concatenate([boxes + [left, top, left, top], lone]))) == len(boxes) + 1 == len(found)
