"""The whole way of a picture: real cells, and pictures that are none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from inference import registry
from inference.labels import CHROMOSOMES, LABELS, UNKNOWN
from inference.pipeline import MOST, STAGES, analyse
from inference.protocols import AnalysisError, Detections, Mask, ModelInfo, Proposal
from inference.stages.presence import MOST_ASIDE
from inference.stages.quality import BLANK
from inference.training.cil import AnnotatedCell
from karyosite.imaging import read_grey
from tests.inference.conftest import drawn_cell


def facts(pixels: np.ndarray) -> dict[str, Any]:
    return {"sha256": "ab" * 32, "page": 0, "width": pixels.shape[1], "height": pixels.shape[0]}


def analysed(pixels: np.ndarray, configuration: Any, **options: Any) -> Proposal:
    detector, classifier = registry.detector(configuration), registry.classifier(configuration)
    segmenter = registry.segmenter(configuration)
    return analyse(
        pixels,
        detector=detector,
        segmenter=segmenter,
        classifier=classifier,
        judge=registry.judge(configuration, detector, segmenter, classifier),
        calibration=registry.calibration(detector, classifier, segmenter),
        image_facts=facts(pixels),
        **options,
    )


def check_document(document: dict[str, Any], width: int, height: int) -> None:
    """What docs/karyogram-document.md asks of a machine's proposal."""
    assert document["schema"] == "karyosite.karyogram/1"
    assert {model["role"] for model in document["models"]} >= {"detector", "segmenter"}
    slots: dict[str, list[int]] = {}
    identifiers = set()
    for entry in document["chromosomes"]:
        identifiers.add(entry["id"])
        present = entry["state"] == "present"
        slots.setdefault(entry["label"] if present else "debris", []).append(entry["order"])
        assert entry["label"] in LABELS and (present or "left out" in entry["flags"][0])
        assert entry["source"] == "machine" and entry["reviewed"] is False and entry["flip"] is False
        assert 0 <= entry["angle"] < 360
        assert 0 <= entry["score"] <= 1 and 0 <= entry["detection_score"] <= 1
        assert entry["label"] == UNKNOWN or entry["label"] in entry["probabilities"]
        x1, y1, x2, y2 = entry["box"]
        assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
        assert entry["rings"] and all(len(ring) >= 3 for ring in entry["rings"])
        corners = np.array([corner for ring in entry["rings"] for corner in ring])
        assert (corners >= -0.5).all() and (corners <= [width + 0.5, height + 0.5]).all()
    assert len(identifiers) == len(document["chromosomes"])
    for orders in slots.values():
        assert sorted(orders) == list(range(len(orders)))


@pytest.mark.models
def test_real_cells_become_karyograms(held_out: list[AnnotatedCell], configuration: Any) -> None:
    hidden = 0
    for cell in held_out:
        pixels = read_grey(cell.image)
        height, width = pixels.shape
        proposal = analysed(pixels, configuration)
        document = proposal.document
        check_document(document, width, height)
        present = sum(entry["state"] == "present" for entry in document["chromosomes"])
        assert 40 <= present <= 50 and len(document["chromosomes"]) <= present + MOST_ASIDE
        assert document["note"] == ""
        asked = [one for one in document["chromosomes"] if any("may be hidden" in flag for flag in one["flags"])]
        assert len(asked) <= 1 and (present < 46 or not asked)
        hidden += len(asked)
        assert 36 <= len(document["chromosomes"]) <= 56
        assert len(json.dumps(document)) <= 80_000
        assert len(proposal.masks) == len(document["chromosomes"])
        for entry, mask in zip(document["chromosomes"], proposal.masks, strict=True):
            rows, columns = mask.bits.shape
            centre = np.array([mask.left + columns / 2, mask.top + rows / 2])
            box = np.array(entry["box"])
            assert (centre >= box[:2] - 2).all() and (centre <= box[2:] + 2).all()
        assert set(STAGES) | {"total"} == set(proposal.timings_s)
        assert document["image"] == facts(pixels)
    assert hidden, "the threshold cutter leaves something over in those of 45"


@pytest.mark.models
@pytest.mark.parametrize("picture", ["white", "black", "noise", "nucleus", "smallest"])
def test_what_is_no_metaphase_gives_an_empty_karyogram_that_says_so(picture: str, configuration: Any) -> None:
    import cv2

    rng = np.random.default_rng(0)
    nucleus = np.full((500, 600), 225, np.uint8)
    cv2.ellipse(nucleus, (300, 250), (130, 100), 20, 0, 360, 120, -1)
    pixels, words = {
        "white": (np.full((400, 500), 255, np.uint8), BLANK),
        "black": (np.zeros((400, 500), np.uint8), BLANK),
        "noise": (rng.integers(0, 255, (600, 700)).astype(np.uint8), "does not seem to show a metaphase"),
        "nucleus": (cv2.GaussianBlur(nucleus, (0, 0), 2), "interphase"),
        "smallest": (np.full((32, 32), 210, np.uint8), BLANK),
    }[picture]
    document = analysed(pixels, configuration).document
    assert document["chromosomes"] == []
    assert words in document["note"]


@pytest.mark.models
def test_fluorescence_is_analysed_like_bright_field(held_out: list[AnnotatedCell], configuration: Any) -> None:
    pixels = read_grey(held_out[0].image)
    bright, dark = (
        sum(entry["state"] == "present" for entry in analysed(seen, configuration).document["chromosomes"])
        for seen in (pixels, 255 - pixels)
    )
    assert abs(bright - dark) <= 4, (bright, dark)


class Scripted:
    """A detector that finds what it is told to."""

    info = ModelInfo("detector", "scripted", "1", "")

    def __init__(self, boxes: np.ndarray, labels: list[str]) -> None:
        shares = np.full((len(boxes), 24), 0.001, np.float32)
        for row, label in zip(shares, labels, strict=True):
            row[CHROMOSOMES.index(label)] = 1 - 0.023
        self.found = Detections(boxes.astype(np.float32), np.full(len(boxes), 0.9, np.float32), shares)

    def detect(self, pixels: np.ndarray) -> Detections:
        return self.found


class Nothing:
    info = ModelInfo("segmenter", "nothing", "1", "")
    cut_trusted_from: float | None = None

    def segment(self, pixels: np.ndarray, boxes: np.ndarray, sure: np.ndarray | None = None) -> list[Mask]:
        return [Mask(0, 0, np.zeros((0, 0), bool), 0.0) for _ in boxes]


def test_progress_is_told_before_each_stage_and_may_end_the_work(configuration: Any) -> None:
    pixels, boxes, _ = drawn_cell()
    told: list[str] = []
    segmenter = registry.segmenter(configuration)
    scripted = Scripted(boxes, ["21"] * len(boxes))
    analyse(pixels, detector=scripted, segmenter=segmenter, image_facts=facts(pixels), progress=told.append)
    assert tuple(told) == STAGES

    class Cancelled(Exception):
        pass

    def stop(stage: str) -> None:
        if stage == "segment":
            raise Cancelled

    with pytest.raises(Cancelled):
        analyse(pixels, detector=scripted, segmenter=segmenter, image_facts=facts(pixels), progress=stop)


def test_eight_of_one_class_stay_eight_and_uncut_ones_show_their_box() -> None:
    pixels, boxes, _ = drawn_cell()
    document = analyse(
        pixels, detector=Scripted(boxes, ["21"] * 8), segmenter=Nothing(), image_facts=facts(pixels)
    ).document
    check_document(document, 480, 360)
    assert [entry["label"] for entry in document["chromosomes"]] == ["21"] * 8
    flags = [flag for entry in document["chromosomes"] for flag in entry["flags"]]
    assert flags.count("could not be cut out: its whole box is shown") == 8
    assert "third copy of 21" in flags and "8th copy of 21" not in flags and "eighth copy of 21" in flags
    assert "Only 8 chromosomes" in document["note"]


def test_touching_ones_name_each_other(configuration: Any) -> None:
    import cv2

    pixels = np.full((520, 520), 225, np.uint8)
    cv2.line(pixels, (60, 40), (60, 150), 90, 13)
    cv2.line(pixels, (73, 100), (150, 100), 90, 13)
    cv2.line(pixels, (480, 400), (480, 490), 90, 13)  # the cell fills the picture: it is looked at as it is
    boxes = np.array([[53, 33, 68, 157], [66, 93, 157, 107]])
    document = analyse(
        cv2.GaussianBlur(pixels, (0, 0), 1.0),
        detector=Scripted(boxes, ["11", "12"]),
        segmenter=registry.segmenter(configuration),
        image_facts=facts(pixels),
    ).document
    assert [entry["flags"] for entry in document["chromosomes"]] == [
        ["touches 12: check the cut"],
        ["touches 11: check the cut"],
    ]


def test_a_picture_full_of_likenesses_is_bounded() -> None:
    pixels, _, _ = drawn_cell()
    corners = np.random.default_rng(0).uniform(0, 300, (400, 2))
    boxes = np.concatenate([corners, corners + 20], axis=1)
    document = analyse(
        pixels, detector=Scripted(boxes, ["1"] * 400), segmenter=Nothing(), image_facts=facts(pixels)
    ).document
    assert len(document["chromosomes"]) == MOST


def test_pixels_that_are_not_grey_are_refused_with_a_sentence() -> None:
    with pytest.raises(AnalysisError, match="grey values"):
        analyse(
            np.zeros((40, 40, 3), np.uint8),
            detector=Scripted(np.zeros((0, 4)), []),
            segmenter=Nothing(),
            image_facts={},
        )
