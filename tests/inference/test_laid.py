"""More crossings for the detector to learn from: a cell's own lone chromosomes laid over the others."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference import registry
from inference.training import candidates, judged
from inference.training.cil import AnnotatedCell, read_grey
from inference.training.detector import Cells
from inference.training.laid import lay, lone_of, once_more


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nine bars on light ground, eight alone and two that cross; boxes five pixels around; a class each."""
    import cv2

    pixels = np.full((500, 500), 235, np.uint8)
    boxes = []
    for row in range(2):
        for column in range(4):
            x, y = 60 + 110 * column, 60 + 130 * row
            cv2.line(pixels, (x, y), (x + 30, y + 40 + 3 * column), 110, 12)
            boxes.append((x - 11, y - 11, x + 42, y + 52 + 3 * column))
    for ends in (((150, 330), (330, 450)), ((150, 450), (330, 330))):
        cv2.line(pixels, *ends, 110, 12)
        boxes.append((139, 319, 342, 462))
    return cv2.GaussianBlur(pixels, (0, 0), 1.0), np.array(boxes, np.float32), np.arange(10)


def test_chromosomes_that_stand_alone_are_laid_over_others_and_their_boxes_and_classes_are_known(drawn) -> None:
    pixels, boxes, classes = drawn
    lone = lone_of(pixels, boxes)
    assert set(lone.rows) == set(range(8))
    assert lone.room == pytest.approx(5, abs=1.5)
    crossings = 0
    for seed in range(40):
        after, more, named = lay(pixels, boxes, classes, lone, random.Random(seed))
        assert 0 < len(more) - len(boxes) <= 8
        assert np.array_equal(more[: len(boxes)], boxes) and np.array_equal(named[: len(classes)], classes)
        assert set(named[len(classes) :]) <= set(lone.rows)
        change = pixels.astype(int) - after
        assert change.min() >= 0, "light goes through both: nothing gets lighter"
        for number, (x1, y1, x2, y2) in enumerate(more[len(boxes) :].astype(int)):
            before, now = (picture[max(0, y1) : y2, max(0, x1) : x2] for picture in (pixels, after))
            inside = before.astype(int) - now > 20
            assert inside.any(), number
            crossings += int((inside & (before < 170)).sum() > 40)
        covered = np.zeros(pixels.shape, bool)
        for x1, y1, x2, y2 in more[len(boxes) :]:
            covered[max(0, int(y1)) : int(y2) + 1, max(0, int(x1)) : int(x2) + 1] = True
        assert not (change > 20)[~covered].any(), "all of a chromosome lies in its box"
    assert crossings > 60


def test_a_laid_chromosomes_box_is_as_wide_as_the_annotators_draw_them(drawn) -> None:
    pixels, boxes, classes = drawn
    lone = lone_of(pixels, boxes)
    alone = 0
    for seed in range(60):
        after, more, _ = lay(pixels, boxes, classes, lone, random.Random(seed))
        added = more[len(boxes) :]
        if len(added) != 1:
            continue
        rows, columns = np.nonzero(pixels.astype(int) - after > 40)
        x1, y1, x2, y2 = added[0]
        rooms = columns.min() - x1, rows.min() - y1, x2 - columns.max() - 1, y2 - rows.max() - 1
        assert min(rooms) >= 3 and sorted(rooms)[1] <= 8, rooms  # a crossing may hide one end
        alone += 1
    assert alone >= 3


def test_nothing_to_lay_leaves_the_cell_as_it_is(drawn) -> None:
    pixels, boxes, classes = drawn
    crossed = boxes[8:]
    same, still, named = lay(pixels, crossed, classes[8:], lone_of(pixels, crossed), random.Random(1))
    assert same is pixels and still is crossed and len(named) == 2
    none = np.zeros((0, 4), np.float32)
    assert len(lay(pixels, none, classes[:0], lone_of(pixels, none), random.Random(1))[1]) == 0


def test_of_a_real_cell_the_same_is_learned_from_with_more_crossings(held_out: list[AnnotatedCell]) -> None:
    cell = held_out[0]
    plain, laid = Cells([cell], 320), Cells([cell], 320, laid=1.0)
    counts = [len(laid[0][1]) for _ in range(6)]
    assert max(len(plain[0][1]) for _ in range(6)) <= len(cell.boxes) < max(counts)
    pixels, boxes, classes = laid[0]
    assert pixels.shape == (320, 320) and len(boxes) == len(classes)
    assert boxes.min() >= 0 and boxes.max() <= 320
    assert all(one.tobytes() != other.tobytes() for one, other in pairwise([laid[0][0] for _ in range(3)]))


def test_a_cell_with_more_crossings_is_the_same_each_time_and_its_boxes_lie_off_as_annotated_ones_do(
    held_out: list[AnnotatedCell],
) -> None:
    cell = held_out[0]
    more, pixels = once_more(cell, (0.6, 2.3))
    again, same = once_more(cell, (0.6, 2.3))
    assert np.array_equal(pixels, same) and np.array_equal(more.boxes, again.boxes)
    count = len(cell.boxes)
    assert more.name == f"{cell.name}-laid" and len(more.boxes) == len(more.classes) > count
    np.testing.assert_allclose(more.boxes[:count], cell.boxes, atol=1e-4)
    assert np.array_equal(more.classes[:count], cell.classes)
    assert (pixels <= read_grey(cell.image)).all() and (pixels < read_grey(cell.image)).any()
    offs = [_off(cell, *once_more(cell, marked)) for marked in ((0.0, 0.0), (0.6, 2.3))]
    assert abs(offs[0]) < 0.8 and 1.5 < offs[1] < 3.1


def _off(cell: AnnotatedCell, more: AnnotatedCell, pixels: np.ndarray) -> float:
    """How far above what they mark the boxes of the laid chromosomes lie, pixels."""
    darker = read_grey(cell.image).astype(int) - pixels > 8
    offs = []
    for x1, y1, x2, y2 in more.boxes[len(cell.boxes) :]:
        rows = np.nonzero(darker[max(0, int(y1)) : int(y2) + 1, max(0, int(x1)) : int(x2) + 1].any(axis=1))[0]
        offs.append((max(0, int(y1)) + (rows[0] + rows[-1] + 1) / 2) - (y1 + y2) / 2)
    return float(np.median(offs))


@pytest.mark.models
def test_candidates_of_such_cells_are_kept_beside_those_of_the_cells_as_they_are(
    configuration: Any, held_out: list[AnnotatedCell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = held_out[0]
    for module in (candidates, judged):
        monkeypatch.setattr(module, "read_split", lambda data, split: [cell])
    more, _ = once_more(cell)
    for laid in (False, True):
        candidates.make(tmp_path, "train", tmp_path / "crops", threads=2, laid=laid)
        judged.make(tmp_path, "train", tmp_path / "judged", first=0, most=0, threads=2, shown=False, laid=laid)
    plain, crossed = (np.load(tmp_path / "crops" / "train" / f"{name}.npz") for name in (cell.name, more.name))
    assert plain["own"].sum() <= len(cell.boxes) < crossed["own"].sum() <= len(more.boxes)
    plain, crossed = (np.load(tmp_path / "judged" / f"{name}.npz")["fits"] for name in (cell.name, more.name))
    assert (plain.shape[1], crossed.shape[1]) == (len(cell.boxes), len(more.boxes))
    assert (crossed.max(axis=0) >= 0.5).sum() > len(cell.boxes)
    registry.forget()
