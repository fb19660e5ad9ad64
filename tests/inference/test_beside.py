"""The second look at the cuts of a cell: each beside what the others take."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import registry
from inference.backends.compact_sam import CompactSam
from inference.backends.sam_beside import SecondLook
from inference.evaluation import segmentation
from inference.protocols import Mask
from inference.stages import edge
from inference.stages.beside import (
    AROUND,
    MEETING,
    PLANES,
    REACH,
    STEP,
    Answer,
    part_of,
    planes,
    planes_of_crossing,
)
from inference.stages.window import LARGE, SMALL
from inference.training import beside, beside_rows
from inference.training.cil import AnnotatedCell, read_grey
from inference.training.cutouts import annotated_scene, keep, tight_boxes
from inference.training.scenes import Composed, Placed, base_of
from tests.conftest import CIL


def _answer(left: int, top: int, taken: tuple[int, int, int, int], expected: float = 0.9) -> Answer:
    """Sure of a rectangle of the field (x1, y1, x2, y2), and that all else is not its own."""
    logits = np.full((SMALL, SMALL), -20, np.float32)
    x1, y1, x2, y2 = taken
    logits[max(0, y1 - top) : y2 - top, max(0, x1 - left) : x2 - left] = 20
    return logits, (left, top, SMALL), expected


FIELD = np.arange(200, dtype=np.uint8)[None].repeat(160, 0)
UPRIGHT, FLAT, FAR = (60, 20, 80, 100), (20, 50, 120, 70), (150, 120, 170, 150)
ANSWERS = [_answer(12, 4, UPRIGHT), _answer(16, 8, FLAT), _answer(104, 80, FAR)]
BOXES = np.array([UPRIGHT, FLAT, FAR], np.float32)


def test_each_is_seen_with_the_field_its_box_and_what_the_others_take_in_its_own_window() -> None:
    seen = planes(FIELD, ANSWERS, BOXES, np.ones(3))
    assert set(seen) == {0, 1, 2} and seen[0].shape == (PLANES, SMALL, SMALL)
    density, own, strongest, taken, box, _ = seen[0]
    assert np.allclose(density[30], np.arange(12, 12 + SMALL) / 255)
    assert own[20 - 4 : 100 - 4, 60 - 12 : 80 - 12].min() == REACH and own.min() == -REACH
    others = np.zeros((SMALL, SMALL), bool)
    others[50 - 4 : 70 - 4, 20 - 12 : 120 - 12] = True
    others[:4], others[:, :4] = False, False  # beyond the other's window nothing is known of it
    assert np.array_equal(strongest > 0, others)
    assert taken[others].min() > 0.99 and taken[~others].max() < 0.01
    assert box.sum() == 20 * 80 and box[20 - 4, 60 - 12] == 1
    outside = seen[2][0]
    assert outside[160 - 80 :].max() == 0 and outside[:, 200 - 104 :].max() == 0


def test_each_is_told_how_dark_it_is_beside_where_the_cells_cuts_end() -> None:
    edges = []
    for logits, window, expected in ANSWERS:
        soft = logits.copy()
        soft[:, 50:53] = 0.5  # columns of the field: 62 to 64, 66 to 68, 154 to 156
        edges.append((soft, window, expected))
    seen = planes(FIELD, edges, BOXES, np.ones(3))
    level = 67  # the middle one
    for row, (_, (left, _, _), _) in enumerate(edges):
        columns = np.arange(left, min(left + SMALL, 200))
        assert np.allclose(seen[row][5][20, : len(columns)], np.clip((columns - level) / 64, -1, 1), atol=0.02)
    assert planes(FIELD, ANSWERS, BOXES, np.ones(3))[0][5].max() == 0  # no edge, no level


def test_three_that_lie_over_each_other_are_counted() -> None:
    third = _answer(12, 4, (40, 45, 90, 75))
    seen = planes(FIELD, [*ANSWERS[:2], third], np.array([UPRIGHT, FLAT, (40, 45, 90, 75)], np.float32), np.ones(3))
    assert seen[0][3][60 - 4, 70 - 12] == pytest.approx(2, abs=0.01)


def test_the_faint_are_looked_at_again_too_but_take_nothing_from_others() -> None:
    seen = planes(FIELD, ANSWERS, BOXES, np.array([0.9, 0.2, 0.9]))
    assert set(seen) == {0, 1, 2}
    assert seen[0][2].max() < 0 and seen[0][3].max() < 0.01
    assert seen[1][2].max() > 0 and seen[1][3].max() > 0.99  # the sure one takes from it


def test_the_faintest_are_left_as_they_are() -> None:
    assert set(planes(FIELD, ANSWERS, BOXES, np.array([0.9, 0.02, 0.9]))) == {0, 2}


def test_the_same_once_more_takes_nothing_from_the_less_sure_one() -> None:
    answers, boxes = [ANSWERS[0], ANSWERS[0]], np.array([UPRIGHT, UPRIGHT], np.float32)
    surer, less = (planes(FIELD, answers, boxes, np.array([0.9, 0.5]))[row] for row in (0, 1))
    assert surer[2].max() > 0 > less[2].max()
    both = planes(FIELD, answers, boxes, np.ones(2))  # alike sure: two that cross in one box
    assert both[0][2].max() > 0 and both[1][2].max() > 0


def test_those_that_cross_are_told_from_those_that_touch() -> None:
    assert set(planes_of_crossing(FIELD, ANSWERS, BOXES, np.ones(3))) == {0, 1}
    few = _answer(12, 4, (60, 20, 80, 50 + (MEETING - 1) // 20))  # reaches over the flat one's edge
    assert set(planes_of_crossing(FIELD, [few, *ANSWERS[1:]], BOXES, np.ones(3))) == set()
    assert set(planes_of_crossing(FIELD, ANSWERS, BOXES, np.array([0.9, 0.02, 0.9]))) == set()


class _Halving:
    """In the session's place: moves every logit half the way to the other's, and says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def run(self, wanted: list[str], given: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(given["planes"].shape)
        return given["planes"][:, 1:2] / 2, given["expected"] / 2


def test_answers_come_back_in_their_order_anew_around_their_boxes_and_the_faintest_as_they_were() -> None:
    session = _Halving()
    many = [ANSWERS[number % 3] for number in range(70)]
    sure = np.array([0.02 if number % 7 == 0 else 0.9 for number in range(70)])
    found = SecondLook(session, 2).looked(FIELD, many, BOXES[np.arange(70) % 3], sure)
    for number, ((logits, window, expected), (before, where, _)) in enumerate(zip(found, many, strict=True)):
        assert window == where
        if number % 7 == 0:
            assert logits is before and expected == 0.9
            continue
        box = BOXES[number % 3] - [window[0], window[1]] * 2
        part = part_of(box, SMALL)
        assert np.abs(logits[part]).max() == REACH / 2 and expected == pytest.approx(0.45)
        around = np.ones_like(logits, bool)
        around[part] = False
        assert around.any() and np.array_equal(logits[around], before[around])
    assert len(session.asked) == 60 and {shape[0] for shape in session.asked} == {1}


def test_those_that_cross_are_looked_at_once_more_by_what_the_second_look_found() -> None:
    session = _Halving()
    found = SecondLook(session, 2).again(FIELD, ANSWERS, BOXES, np.ones(3))
    assert [shape[0] for shape in session.asked] == [1, 1, 1, 2, 2]
    for (logits, (left, top, _), expected), box, looks in zip(found, BOXES, (2, 2, 1), strict=True):
        part = part_of(box - [left, top, left, top], SMALL)
        assert np.abs(logits[part]).max() == REACH / 2**looks and expected == pytest.approx(0.9 / 2**looks)
    once = SecondLook(_Halving()).looked(FIELD, ANSWERS, BOXES, np.ones(3))
    assert [expected for _, _, expected in once] == pytest.approx([0.45] * 3)


class _Sloping:
    """In the session's place: adds to every logit a hundredth of its row's number, as one that is not the same to all
    sides."""

    def run(self, wanted: list[str], given: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        own = given["planes"][:, 1:2]
        return own + np.arange(own.shape[2])[:, None] / 100, given["expected"]


def test_what_crosses_is_seen_standing_on_its_head_too_and_the_mean_of_both_counts() -> None:
    found = SecondLook(_Sloping()).again(FIELD, ANSWERS, BOXES, np.ones(3))
    for (logits, (left, top, _), _), box, crosses in zip(found, BOXES, (True, True, False), strict=True):
        down, across = part_of(box - [left, top, left, top], SMALL)
        rows = np.arange(down.stop - down.start) / 100
        ground = logits[down, across].min(axis=1)
        assert ground == pytest.approx(-REACH + rows + (rows.mean() if crosses else 0), abs=1e-4)


@given(
    st.integers(-20, 110),
    st.integers(-20, 110),
    st.floats(0.1, 150),
    st.floats(0.1, 150),
    st.sampled_from([SMALL, LARGE]),
)
def test_what_is_looked_at_holds_the_box_and_some_room_inside_the_window(
    x: int, y: int, wide: float, high: float, side: int
) -> None:
    for part, low, length in zip(
        part_of(np.array([x, y, x + wide, y + high]), side), (y, x), (high, wide), strict=True
    ):
        assert 0 <= part.start < part.stop <= side and (part.stop - part.start) % STEP == 0
        assert part.start <= max(0, low - AROUND) or part.stop - part.start == side or low > side
        assert part.stop >= min(side, low + length + AROUND) or part.stop - part.start == side
        assert part.stop - part.start < length + 2 * AROUND + 2 * STEP


def test_parts_learned_from_are_those_looked_at_in_use() -> None:
    import torch

    seen = planes(FIELD, ANSWERS, BOXES, np.ones(3))
    rows = {
        "seen": torch.from_numpy(np.stack([beside_rows.packed(seen[row]) for row in range(3)])),
        "truth": torch.from_numpy(np.stack([seen[row][1] > 0 for row in range(3)])),
        "expected": torch.tensor([0.1, 0.2, 0.3]),
    }
    kinds = [kind.tolist() for kind in beside.alike(rows["seen"])]
    assert sorted(sum(kinds, [])) == [0, 1, 2] and [2] in kinds
    for kind in kinds:
        near = beside.near_boxes({name: values[kind] for name, values in rows.items()})
        for place, row in enumerate(kind):
            left, top, _ = ANSWERS[row][1]
            down, across = part_of(BOXES[row] - [left, top, left, top], SMALL)
            assert np.array_equal(near["seen"][place].numpy(), rows["seen"][row, :, down, across].numpy())
            assert np.array_equal(near["truth"][place].numpy(), rows["truth"][row, down, across].numpy())
            assert near["expected"][place] == rows["expected"][row]


@pytest.fixture(scope="module")
def segmenter(configuration: Any) -> CompactSam:
    found = registry.segmenter(SimpleNamespace(**(vars(configuration) | {"segmenter": "shipped"})))
    assert isinstance(found, CompactSam)
    return found


def test_with_it_what_crosses_is_cut_better_and_the_rest_no_worse(
    segmenter: CompactSam, held_out: list[AnnotatedCell], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [*segmentation.made_scenes(held_out), *segmentation.made_scenes(held_out, seed=12)]
    again = segmentation.judge(iter(made), segmenter.segment)
    monkeypatch.setattr(segmenter, "second_look", None)
    once = segmentation.judge(iter(made), segmenter.segment)
    gains = {kind: np.mean(again.scores[kind].ious) - np.mean(once.scores[kind].ious) for kind in again.scores}
    assert gains["crossing"] > 0.02 and gains["all"] > 0.007
    assert min(gains["lone"], gains["touching"]) > -0.005
    assert np.mean(again.crossings) > np.mean(once.crossings) + 0.08


def test_boxes_wide_as_a_detector_draws_them_in_fields_it_never_saw() -> None:
    placed = [Placed(Mask(40 + 50 * row, 60, np.ones((30, 12), bool), 1.0), None) for row in range(40)]
    composed = Composed(np.zeros((200, 2100), np.uint8), placed)
    rooms = []
    for seed in range(60):
        boxes = beside_rows.wide_boxes(composed, random.Random(seed))
        room = (boxes - tight_boxes([one.mask for one in placed])) * [-1, -1, 1, 1]
        assert boxes.shape == (40, 4) and boxes.dtype == np.float32 and room.min() >= 0
        assert 0.8 < room.std() < 1.7  # one detector, one habit
        rooms.append(room.mean())
    assert 1.5 < min(rooms) < 3 and 6 < max(rooms) < 7.5


def test_it_cuts_no_wider_for_boxes_that_are_too_wide(segmenter: CompactSam, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a detector draws them in fluorescence, which it never saw."""
    fields = list(segmentation.drawn_fields(CIL.parent / "mfish"))[::12]

    def mean_iou(room: float) -> float:
        wider = np.array([-room, -room, room, room], np.float32)
        wide = (segmentation.Truth(one.name, one.pixels, one.boxes + wider, one.known) for one in fields)
        return float(np.mean(segmentation.judge(wide, segmenter.segment).scores["all"].ious))

    again = {room: mean_iou(room) for room in (0.0, 4.0)}
    monkeypatch.setattr(segmenter, "second_look", None)
    monkeypatch.setattr(edge, "STEEP", 0.0)  # following the edge gains without a second look, too
    for room, found in again.items():
        assert found > mean_iou(room) + 0.005, room


def test_it_is_trained_from_scenes_taken_up_again_and_exported_as_it_was_trained(
    held_out: list[AnnotatedCell], tmp_path: Path
) -> None:
    import onnxruntime
    import torch

    keep([annotated_scene(cell.name, read_grey(cell.image), cell.boxes) for cell in held_out[:2]], tmp_path / "s.npz")
    beside_rows.make(tmp_path / "s.npz", tmp_path, 2, shown=False)
    learned, judged = beside.load([tmp_path / f"{SMALL}.npz"])
    assert len(learned["truth"]) > 8 and len(judged["truth"]) > 8  # every twentieth scene, the first among them
    assert (learned["truth"] & (beside_rows.unpacked(learned["seen"])[:, 1] > 0)).sum() > 0.7 * learned["truth"].sum()
    numbers: dict[str, Any] = {"rows": [tmp_path], "out": tmp_path / "run", "batch": 8, "rate": 2e-3, "threads": 1}
    beside.train(**numbers, cpu_hours=0.002)
    first = torch.load(tmp_path / "run" / "last.pt", weights_only=False)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert 0.5 < result["before"] < 1 and result["after"] > result["before"] - 0.02
    beside.train(**numbers, cpu_hours=0.0025)
    assert torch.load(tmp_path / "run" / "last.pt", weights_only=False)["step"] > first["step"]
    from inference.training.beside_model import Beside

    model: Any = Beside()
    ended = torch.load(tmp_path / "run" / "last.pt", weights_only=False)
    assert any((ended["whole"][name] != one).any() for name, one in ended["ema"].items())
    late = beside.LATE
    model.load_state_dict({name: one * (1 - late) + ended["ema"][name] * late for name, one in ended["whole"].items()})
    seen, expected = beside_rows.unpacked(judged["seen"][:3, :, :64, 8:]), judged["expected"][:3]  # of any size
    with torch.no_grad():
        ours = model.eval()(seen, expected)
    session = onnxruntime.InferenceSession(str(tmp_path / "run" / "beside.onnx"))
    theirs = session.run(["logits", "iou"], {"planes": seen.numpy(), "expected": expected.numpy()})
    for mine, other in zip(ours, theirs, strict=True):
        assert np.abs(mine.numpy() - other).max() < 1e-3

    begun = numbers | {"out": tmp_path / "begun", "start": tmp_path / "run" / "beside.onnx", "rate": 1e-5}
    beside.train(**begun, cpu_hours=0.001)
    kept = torch.load(tmp_path / "begun" / "last.pt", weights_only=False)
    again = json.loads((tmp_path / "begun" / "result.json").read_text())
    assert kept["step"] > 0 and again["after"] == pytest.approx(
        json.loads((tmp_path / "run" / "result.json").read_text())["after"], abs=0.003
    )
    assert any((kept["whole"][name] != one).any() for name, one in kept["ema"].items())
    # The rest are the weights that it began with.
    model.load_state_dict({name: one * (1 - late) + kept["ema"][name] * late for name, one in kept["whole"].items()})
    with torch.no_grad():
        logits = model.eval()(seen, expected)[0]
    session = onnxruntime.InferenceSession(str(tmp_path / "begun" / "beside.onnx"))
    theirs = session.run(["logits"], {"planes": seen.numpy(), "expected": expected.numpy()})
    assert np.abs(logits.numpy() - theirs[0]).max() < 1e-3


def test_a_shipped_one_is_taken_up_and_answers_as_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from inference.training import beside_model
    from inference.training.beside_model import Beside, export
    from inference.training.beside_start import begin_with

    def made_up(path: Path) -> Any:
        one: Any = Beside().eval()
        for layer in one.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                torch.nn.init.normal_(layer.weight, 1, 0.2)
                torch.nn.init.normal_(layer.running_mean, 0, 0.2)
        torch.nn.init.normal_(one.moved.weight, 0, 0.1)
        export(one, path)
        return one

    torch.manual_seed(1)
    made = made_up(tmp_path / "made.onnx")
    seen, expected = torch.rand(6, PLANES, 40, 48) * 4 - 2, torch.rand(6)
    taken: Any = begin_with(tmp_path / "made.onnx", seen, expected)
    with torch.no_grad():
        for ours, theirs in zip(taken.eval()(seen, expected), made.eval()(seen, expected), strict=True):
            assert (ours - theirs).abs().max() < 1e-3
        assert (made(seen, expected)[0] - seen[:, 1:2]).std() > 1e-2
    with monkeypatch.context() as earlier:  # one that was told less answers as it did
        earlier.setattr(beside_model, "PLANES", PLANES - 1)
        told_less = made_up(tmp_path / "less.onnx")
    more: Any = begin_with(tmp_path / "less.onnx", seen, expected)
    with torch.no_grad():
        theirs = told_less(seen[:, : PLANES - 1], expected)[0]
        assert (more.eval()(seen, expected)[0] - theirs).abs().max() < 1e-3
        assert (theirs - seen[:, 1:2]).std() > 1e-2
    other = tmp_path / "other.onnx"
    torch.onnx.export(torch.nn.Conv2d(1, 1, 1), (torch.zeros(1, 1, 4, 4),), str(other), dynamo=False)
    with pytest.raises(ValueError, match=r"other\.onnx is another network"):
        begin_with(other, seen, expected)


def test_a_scene_shown_larger_teaches_the_same_masks(segmenter: CompactSam, held_out: list[AnnotatedCell]) -> None:
    scene = annotated_scene(held_out[0].name, read_grey(held_out[0].image), held_out[0].boxes)
    composed = base_of(scene)
    areas = []
    for zoom in (1.0, 1.5):
        rows = {SMALL: beside_rows.Rows(), LARGE: beside_rows.Rows()}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(beside_rows, "ZOOMED", 1.0)
            patch.setattr(beside_rows, "ZOOMS", (zoom, zoom))
            patch.setattr(beside_rows, "LONE", 1.0)
            beside_rows.learn_from(composed, segmenter, random.Random(3), rows, held=False)
        every = [*zip(rows[SMALL].seen, rows[SMALL].truth, strict=True)]
        assert len(every) > 10
        for seen, truth in every:
            own = seen[1] > beside_rows.packed(np.zeros((PLANES, 1, 1)))[1, 0, 0]
            assert (own & truth).sum() > 0.8 * (own | truth).sum()
        areas.append(np.mean([truth.sum() for _, truth in every]))
    assert areas[1] == pytest.approx(areas[0], rel=0.15)  # at the working scale again


def test_the_crossing_itself_counts_where_there_is_one() -> None:
    import torch

    truth, others = np.zeros((2, 1, 40, 40), bool), np.zeros((2, 1, 40, 40), bool)
    truth[:, :, 10:20], others[0, :, :, 10:20] = True, True
    told = [torch.from_numpy(one).float() for one in (truth, others)]
    right = torch.from_numpy(np.where(truth, 20.0, -20.0))
    assert beside.crossing_loss(right, *told).tolist() == pytest.approx([0, 0], abs=1e-4)
    ended = right.clone()
    ended[:, :, :, 10:20] = -20  # as if it ended at the other
    lost = beside.crossing_loss(ended, *told).tolist()
    assert lost[0] > 0.9 and lost[1] == 0


def test_planes_are_kept_as_bytes_nearly_as_they_are() -> None:
    import torch

    seen = planes(FIELD, ANSWERS, BOXES, np.ones(3))[0]
    back = beside_rows.unpacked(torch.from_numpy(beside_rows.packed(seen)[None]))[0].numpy()
    assert np.abs(back - seen).max(axis=(1, 2)).tolist() == pytest.approx([0, 0, 0, 0, 0, 0], abs=0.04)
