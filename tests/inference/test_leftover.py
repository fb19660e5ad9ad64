"""What the cuts leave over is pointed at: the second of two in one box, a box that was too short, a cut that bends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference import pipeline
from inference.evaluation import presence
from inference.evaluation.cells import match
from inference.labels import CHROMOSOMES
from inference.pipeline import analyse
from inference.protocols import Detections, Mask
from inference.stages.cut import SCORE, cut_all, further
from inference.stages.leftover import _MOST, asked
from inference.stages.scale import detect_at_usual_scale
from inference.training import candidates, judged
from karyosite.imaging import read_grey
from tests.inference.conftest import annotated, looking, shipped

SIDE, WIDE = 400, 14
Line = tuple[int, int, int, int]
LONE: list[Line] = [(40, 40, 40, 130), (90, 40, 90, 130), (300, 40, 380, 40), (300, 80, 380, 80), (40, 360, 130, 360)]
RISING, FALLING = (170, 240, 240, 170), (170, 170, 240, 240)


def bits(*lines: Line) -> np.ndarray:
    """bool (SIDE, SIDE): bars as wide as chromosomes."""
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    for x1, y1, x2, y2 in lines:
        cv2.line(drawn, (x1, y1), (x2, y2), 1, WIDE)
    return drawn > 0


def picture(*lines: Line) -> np.ndarray:
    """Densities add where bars cross, as in transmitted light."""
    density = np.sum([bits(line) * 80.0 for line in (*LONE, *lines)], axis=0)
    return np.clip(235 - cv2.GaussianBlur(density, (0, 0), 1.0), 0, 255).astype(np.uint8)


def cut(drawn: np.ndarray) -> Mask:
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    window = drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Mask(int(columns[0]), int(rows[0]), window, 0.9)


def left_over(pixels: np.ndarray, cuts: Sequence[np.ndarray], scores: Sequence[float] = ()) -> list[Any]:
    masks = [cut(bits(line)) for line in LONE] + [cut(one) for one in cuts]
    return asked(pixels, np.array([0.9] * len(LONE) + list(scores or [0.9] * len(cuts))), masks)


def says(one: Any, drawn: np.ndarray, but_not: np.ndarray) -> bool:
    """Whether it points at one chromosome, on both sides of the other, and away from that one alone."""
    points = one.points.round().astype(int)
    wanted, unwanted = points[points[:, 2] == 1], points[points[:, 2] == 0]
    there = [drawn[y, x] and not but_not[y, x] for x, y, _ in wanted]
    away = [but_not[y, x] and not drawn[y, x] for x, y, _ in unwanted]
    return len(wanted) == 2 and len(unwanted) > 0 and all(there) and all(away)


def test_the_other_one_of_two_in_one_box_is_pointed_at() -> None:
    found = left_over(picture(RISING, FALLING), [bits(RISING)])
    across = [one for one in found if one.kind == "across"]
    assert len(across) == 1 and found[0] is across[0]
    assert says(across[0], bits(FALLING), bits(RISING))
    np.testing.assert_allclose(across[0].box, [161, 161, 249, 249], atol=6)


def test_nothing_is_asked_where_everything_is_cut() -> None:
    assert left_over(picture(RISING, FALLING), [bits(RISING), bits(FALLING)]) == []
    assert asked(picture(), np.zeros(0), []) == []
    assert left_over(np.full((SIDE, SIDE), 235, np.uint8), [bits(RISING)]) == []


def test_a_faint_candidate_explains_nothing() -> None:
    found = left_over(picture(RISING, FALLING), [bits(RISING), bits(FALLING)], [0.9, 0.02])
    assert [one.kind for one in found if one.kind == "across"] == ["across"]


def test_a_box_that_ends_at_a_crossing_is_carried_on_beyond_it() -> None:
    upright, short, over = (200, 120, 200, 280), (200, 217, 200, 280), (150, 200, 260, 200)
    found = left_over(picture(upright, over), [bits(short), bits(over)])
    beyond = [one for one in found if one.kind == "beyond"]
    assert len(beyond) == 1 and says(beyond[0], bits(upright), bits(over))
    assert beyond[0].box[1] < 118 and beyond[0].box[3] > 282


def test_a_cut_that_bends_from_one_into_the_other_is_told_apart() -> None:
    bent = bits((240, 170, 205, 205), (205, 205, 240, 240))  # one arm of each
    first, second = (150, 150, 240, 240), (240, 170, 150, 260)
    found = left_over(picture(first, second), [bent])
    into = [one for one in found if one.kind == "into"]
    assert into
    assert any(says(one, bits(first), bits(second)) for one in into)


def test_a_nucleus_is_no_arm_and_hides_none() -> None:
    pixels = picture(RISING)
    for middle in ((236, 236), (174, 174)):
        cv2.circle(pixels, middle, 36, 90, -1)
    assert left_over(pixels, [bits(RISING)]) == []
    pixels = picture(RISING, FALLING)
    cv2.circle(pixels, (278, 278), 48, 90, -1)
    across = [one for one in left_over(pixels, [bits(RISING)]) if one.kind == "across"]
    assert len(across) == 1 and says(across[0], bits(FALLING), bits(RISING))
    np.testing.assert_allclose(across[0].box, [161, 161, 249, 249], atol=12)


def test_a_picture_that_is_no_cell_asks_for_a_bounded_number() -> None:
    across: list[Line] = [(15, y, 385, y) for y in range(30, 390, 44)]
    down: list[Line] = [(x, 6, x, 394) for x in range(30, 380, 24)]
    pixels = np.where(bits(*across, *down), 60, 235).astype(np.uint8)
    masks = [cut(bits(line)) for line in across]
    assert len(asked(pixels, np.full(len(masks), 0.9), masks)) == _MOST
    thin = np.full((1, 40), 60, np.uint8)
    assert asked(thin, np.array([0.9]), [Mask(5, 0, np.ones((1, 9), bool), 0.9)]) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3), st.booleans(), st.integers(55, 125))
def test_a_crossing_is_found_however_it_lies(turns: int, mirrored: bool, angle: int) -> None:
    away = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * 48
    over = tuple(int(value) for value in (205 - away[0], 205 - away[1], 205 + away[0], 205 + away[1]))
    under = (155, 205, 255, 205)

    def turned(plane: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(plane[:, ::-1] if mirrored else plane, turns))

    masks = [cut(turned(bits(line))) for line in (*LONE, under)]
    found = asked(turned(picture(under, over)), np.full(len(masks), 0.9), masks)  # type: ignore[arg-type]
    across = [one for one in found if one.kind == "across"]
    assert len(across) == 1
    assert says(across[0], turned(bits(over)), turned(bits(under)))  # type: ignore[arg-type]


@pytest.mark.models
@pytest.mark.parametrize(("name", "without"), [("1080411", False), ("1101313", True)])
def test_two_in_one_box_come_out_as_two(
    name: str, without: bool, configuration: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """Real cells, in each of which two chromosomes lie across each other, and a detector that looks once finds one box
    for both.  without: whether the second look alone parts them by now."""
    (cell,) = annotated([name], tmp_path)
    models = shipped(configuration)
    models["detector"] = looking(models["detector"], (0,))
    pixels = read_grey(cell.image)
    facts = {"sha256": "0" * 64, "page": 0, "width": pixels.shape[1], "height": pixels.shape[0]}

    def matched() -> tuple[int, int]:
        made = analyse(pixels, image_facts=facts, **models).document["chromosomes"]
        present = [one for one in made if one["state"] == "present"]
        pairs = match(np.array([one["box"] for one in present], np.float32), cell.boxes)
        right = [present[row]["label"] == CHROMOSOMES[cell.classes[column]] for row, column in pairs]
        return len(present), sum(right)

    assert matched() == (46, 46)
    monkeypatch.setattr(pipeline, "cut_all", partial(_without, pipeline.cut_all))
    assert (matched()[1] == 46) is without


@pytest.mark.models
def test_who_learns_and_who_judges_sees_it_and_the_regressions_do_not(configuration: Any, tmp_path: Path) -> None:
    (cell,) = annotated(["1080411"], tmp_path)
    models = shipped(configuration)
    detector, segmenter, classifier = looking(models["detector"], (0,)), models["segmenter"], models["classifier"]
    pixels = read_grey(cell.image)
    found = detect_at_usual_scale(detector, pixels)
    added = len(cut_all(pixels, found, segmenter, leftover=True)[0]) - len(found)
    assert added > 0
    learned = judged.look(cell, detector, segmenter, classifier, models["calibration"].frame)
    assert learned is not None and len(learned.fits) == len(found) + added
    assert len(candidates.looked_at(cell, detector, segmenter)["boxes"]) == len(found) + added
    fitted = presence.look(pixels, cell.boxes, detector, segmenter, classifier)
    assert len(fitted.boxes) == len(found)


def _without(cut: Any, *given: Any, leftover: bool) -> Any:
    return cut(*given, leftover=False)


@pytest.mark.models
def test_what_was_pointed_at_is_cut_once_and_whole(configuration: Any) -> None:
    segmenter = shipped(configuration)["segmenter"]
    lines = (*LONE, RISING)
    boxes = np.array([[m.left - 3, m.top - 3, m.left + m.bits.shape[1] + 3, m.top + m.bits.shape[0] + 3]
                      for m in (cut(bits(line)) for line in lines)], np.float32)  # fmt: skip
    found = Detections(boxes, np.full(len(boxes), 0.9, np.float32), np.full((len(boxes), 24), 1 / 24, np.float32))
    pixels = picture(RISING, FALLING)
    candidates, masks = cut_all(pixels, found, segmenter, leftover=True)
    assert len(candidates) == len(masks) > len(found)
    np.testing.assert_array_equal(candidates.boxes[: len(found)], found.boxes)
    assert (candidates.scores[len(found) :] == np.float32(SCORE)).all()
    np.testing.assert_allclose(candidates.probabilities.sum(axis=1), 1, atol=1e-5)
    best = {
        line: max(_overlap(mask.full(SIDE, SIDE), bits(line)) for mask in masks) for line in (RISING, FALLING)
    }  # fmt: skip
    assert min(best.values()) > 0.75, best
    assert len(cut_all(pixels, found, segmenter, leftover=False)[1]) == len(found)
    # Once it is cut, nobody asks for it again.
    embedding = segmenter.embed(pixels, candidates.boxes)
    assert further(pixels, np.full(len(masks), 0.9), masks, embedding, segmenter) == []


def test_a_segmenter_that_cannot_is_left_alone(configuration: Any) -> None:
    from inference.backends.threshold import ThresholdSegmenter

    boxes = np.array([[160, 160, 250, 250], [30, 30, 50, 140]], np.float32)
    found = Detections(boxes, np.ones(2, np.float32), np.full((2, 24), 1 / 24, np.float32))
    candidates, masks = cut_all(picture(RISING, FALLING), found, ThresholdSegmenter(), leftover=True)
    assert candidates is found and len(masks) == 2
    nothing = Detections(boxes[:0], np.zeros(0), np.zeros((0, 24)))
    assert cut_all(picture(), nothing, ThresholdSegmenter(), leftover=True)[1] == []


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())
