"""The figures: counted by hand on small cases, and the command on real cells."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from inference.evaluation import measures
from inference.evaluation.abnormal import abnormal_cells
from inference.evaluation.cells import STAGES, evenly, observe
from inference.evaluation.precision import average_precision
from inference.evaluation.source import SourceError, read_cells
from inference.evaluation.threshold import choose
from inference.labels import CHROMOSOMES
from inference.protocols import Proposal
from inference.training.cil import AnnotatedCell, read_grey
from tests.inference.conftest import public_layout

BOXES = np.array([[0, 0, 20, 50], [40, 0, 60, 50], [80, 0, 100, 50]], np.float32)


def cell(classes: list[int]) -> AnnotatedCell:
    return AnnotatedCell("drawn", Path("drawn.jpg"), BOXES[: len(classes)], np.array(classes, np.int64))


def proposal(entries: list[tuple[Any, str, list[str]]], **more: Any) -> Proposal:
    chromosomes = [
        {"box": list(map(float, box)), "label": label, "flags": flags, "state": "present",
         "detection_score": 0.9, "score": 0.8} | more
        for box, label, flags in entries
    ]  # fmt: skip
    return Proposal({"chromosomes": chromosomes}, [], [], {"detect": 0.5, "total": 1.0})


def test_figures_are_those_counted_by_hand() -> None:
    observations = [
        # All three found and right.
        observe(cell([0, 0, 23]), proposal([(box, label, []) for box, label in zip(BOXES, "11Y", strict=True)])),
        # One right, one misnamed and doubted, one missed, one box where nothing is: the count is exact all the same.
        observe(
            cell([0, 1, 2]),
            proposal(
                [
                    (BOXES[0], "1", ["between 1 (60 %) and 2 (30 %)"]),
                    (BOXES[1], "8", ["perhaps 8 (30 %)"]),
                    ([300, 300, 320, 340], "3", ["third copy of 3"]),
                ]
            ),
        ),
        observe(cell([4]), proposal([])),
    ]
    metrics = measures.measures(observations)
    assert (metrics["cells"], metrics["exact_count_cells"], metrics["zero_edit_cells"]) == (3, 2, 1)
    # Nobody is asked about the first; the last has no doubt either, but nothing was found.
    assert metrics["without_a_doubt"] == {"cells": 1, "zero_edit_cells": 1, "zero_edit_rate": 1.0}
    assert metrics["recall_iou50"] == round(5 / 7, 4)
    assert metrics["precision_iou50"] == round(5 / 6, 4)
    assert metrics["label_accuracy_of_found"] == 0.8
    assert metrics["corrections_a_cell"] == round(4 / 3, 3)
    assert metrics["flagged_of_found"] == 0.4 and metrics["flagged_of_misnamed"] == 1.0
    assert metrics["flagged_of_what_is_none"] == 1.0
    by_class = {row["class"]: row for row in metrics["by_class"]}
    assert by_class["1"]["recall"] == by_class["1"]["precision"] == 1.0
    assert (by_class["1"]["images"], by_class["1"]["instances"]) == (2, 3)
    assert by_class["2"]["recall"] == 0.0 and by_class["7"]["recall"] is None
    assert by_class["3"]["precision"] == 0.0  # the box where nothing is
    groups = {row["group"]: row for row in metrics["by_group"]}
    assert groups["A"] | {"right": 3, "named_of_another_group": 1, "missed": 1, "annotated": 5} == groups["A"]
    assert groups["B"]["missed"] == 1 and groups["A"]["not_a_chromosome"] == 1
    assert metrics["median_seconds"] == {"detect": 0.5, "total": 1.0}
    # Everything said with 80 %, and 80 % right; said to be there with 90 %, there in five of six.
    assert metrics["calibration"] == {"name_ece": 0.0, "detection_ece": round(abs(0.9 - 5 / 6), 4)}
    assert measures.measures([])["recall_iou50"] is None


def test_what_was_left_out_and_the_whole_photograph_are_doubts_too() -> None:
    """Wrong and in no doubt; one that asks about what was left out; one that is out of focus."""
    silent = proposal([(BOXES[0], "1", []), (BOXES[1], "2", [])])
    aside, blurred = (proposal([(box, "1", []) for box in BOXES[:2]]) for _ in range(2))
    aside.document["chromosomes"].append({"state": "debris", "flags": ["left out: perhaps a 1"]})
    blurred.document["note"] = "The picture is out of focus."
    observations = [observe(cell([0, 0]), one) for one in (silent, aside, blurred)]
    assert [seen.doubts for seen in observations] == [0, 1, 1]
    assert measures.measures(observations)["without_a_doubt"] == {
        "cells": 1, "zero_edit_cells": 0, "zero_edit_rate": 0.0,
    }  # fmt: skip
    assert [row["doubts"] for row in measures.by_cell(observations)] == [0, 1, 1]


def test_cells_that_need_corrections_come_after_those_that_need_none() -> None:
    observations = []
    for score, label in ((0.9, "1"), (0.6, "1"), (0.7, "2"), (0.5, "2")):
        one = proposal([(BOXES[0], label, [])])
        one.document["chromosomes"][0] |= {"score": score, "detection_score": 1.0}
        observations.append(observe(cell([0]), one))
    assert [seen.expected for seen in observations] == pytest.approx([0.1, 0.4, 0.3, 0.5])
    found = measures.measures(observations)["cells_in_order"]
    assert found == {"by_expected_corrections": 0.75, "by_doubts": 0.5}
    assert measures.measures(observations[:2])["cells_in_order"]["by_doubts"] is None


def test_average_precision_by_hand() -> None:
    """Two annotated 1s: the surer row is wrong, the fainter right, one never found: precision 1/2 up to recall 1/2."""
    seen = observe(cell([0, 0]), proposal([([300, 300, 320, 340], "1", []), (BOXES[0] + [0, 0, 0, 10], "1", [])]))
    seen.detection_scores[1] = 0.5
    averages = average_precision([seen])
    assert averages.shape == (24, 10)
    assert averages[0, 0] == pytest.approx(0.5 * 51 / 101)  # recall 0, 0.01 … 0.50 of 101 points
    assert averages[0, 9] == 0.0  # the box overlaps by 50/60: too little from IoU 0.85 on
    assert averages[0, 6] == pytest.approx(averages[0, 0]) and averages[0, 7] == 0.0
    assert np.isnan(averages[5]).all()


def test_average_precision_agrees_with_ultralytics() -> None:
    from ultralytics.utils.metrics import ap_per_class

    rng = np.random.default_rng(3)
    seen, hits, confidence, named, truth = [], [], [], [], []
    grid = np.array([[60 * column, 90 * row] for row in range(5) for column in range(8)], np.float32)
    for _ in range(30):
        corners = grid + rng.uniform(0, 8, grid.shape)
        boxes = np.concatenate([corners, corners + [30, 60]], axis=1).astype(np.float32)
        classes = rng.integers(0, 4, len(boxes))
        kept = rng.random(len(boxes)) < 0.9
        given = np.where(rng.random(len(boxes)) < 0.2, rng.integers(0, 4, len(boxes)), classes)[kept]
        each = observe(
            AnnotatedCell("drawn", Path("drawn.jpg"), boxes, classes),
            proposal([(box, str(index + 1), []) for box, index in zip(boxes[kept], given, strict=True)], score=1.0),
        )
        each.detection_scores[:] = rng.uniform(0.1, 1, kept.sum())
        seen.append(each)
        hits.append(given == classes[kept])
        confidence.append(each.detection_scores)
        named.append(given)
        truth.append(classes)
    right = np.repeat(np.concatenate(hits)[:, None], 10, axis=1)
    theirs = ap_per_class(right, np.concatenate(confidence), np.concatenate(named), np.concatenate(truth))[5]
    assert average_precision(seen)[:4, 0] == pytest.approx(theirs[:, 0], abs=0.006)  # they interpolate otherwise


def test_gains_and_losses_are_held_against_the_truth() -> None:
    usual = [index for index in range(22) for _ in range(2)] + [22, 22]

    def seen(truth: list[int], found: list[int]) -> Any:
        boxes = np.array([[50 * place, 0, 50 * place + 30, 60] for place in range(50)], np.float32)
        return observe(
            AnnotatedCell("drawn", Path("drawn.jpg"), boxes[: len(truth)], np.array(truth)),
            proposal([(box, CHROMOSOMES[index], []) for box, index in zip(boxes, found, strict=False)]),
        )

    observations = [
        seen(usual, usual),
        seen([*usual, 20], [*usual, 20]),  # +21 kept
        seen([*usual, 20], [*usual, 17]),  # +21 made +18: lost, and one invented
        seen(usual[:-1], usual[:-1]),  # one X
        seen([*usual, 23], [*usual, 23]),  # XXY
        seen([*usual, 23], usual),  # XXY made XX: the number of X is right, and the change is lost all the same
        seen(usual, [*usual[:-1], 0]),  # a second X made a third 1
    ]
    observations[-1] = replace(observations[-1], doubts=1)
    counted = abnormal_cells(observations)
    assert (counted["cells"], counted["cells_kept"]) == (5, 3)
    assert (counted["gains"], counted["gains_kept"], counted["losses"], counted["losses_kept"]) == (4, 2, 1, 1)
    assert (counted["invented"], counted["cells_with_invented"]) == (3, 2)
    assert counted["cells_with_invented_without_a_doubt"] == 1
    assert [row["invented"] for row in measures.by_cell(observations)] == [0, 0, 1, 0, 0, 0, 2]


def test_a_clone_is_what_other_cells_of_the_case_share() -> None:
    usual = [index for index in range(22) for _ in range(2)] + [22, 22]
    boxes = np.array([[50 * place, 0, 50 * place + 30, 60] for place in range(50)], np.float32)

    def annotated(name: str, truth: list[int]) -> AnnotatedCell:
        return AnnotatedCell(name, Path("drawn.jpg"), boxes[: len(truth)], np.array(truth))

    def seen(name: str, truth: list[int], found: list[int]) -> Any:
        entries: list[tuple[Any, str, list[str]]] = [
            (box, CHROMOSOMES[index], []) for box, index in zip(boxes, found, strict=False)
        ]
        return observe(annotated(name, truth), proposal(entries))

    observations = [
        seen("100011", [*usual, 20], usual),  # +21, lost
        seen("100012", [*usual, 20], [*usual, 20]),
        seen("100021", usual[:-1], usual[:-1]),  # one X, in one more cell: two losses are no clone
        seen("100031", [*usual, 7], usual),  # +8 in one cell
    ]
    others = [annotated("100022", usual[:-1]), annotated("100031", usual)]
    counted = abnormal_cells(observations, others)
    assert (counted["clonal_cells"], counted["clonal_cells_kept"], counted["cells"]) == (2, 1, 4)
    counted = abnormal_cells(observations, [*others, annotated("100023", usual[:-1]), annotated("100033", [*usual, 7])])
    assert (counted["clonal_cells"], counted["clonal_cells_kept"]) == (4, 2)
    assert not measures.annotated_twice(boxes) and measures.annotated_twice(np.repeat(boxes[:1], 2, axis=0))


def test_a_yolo_layout_is_read_as_the_public_one(held_out: list[AnnotatedCell], tmp_path: Path) -> None:
    known = held_out[0]
    height, width = read_grey(known.image).shape
    for folder in ("images/val", "labels/val"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "images" / "val" / known.image.name).symlink_to(known.image.resolve())
    middles, sizes = (known.boxes[:, :2] + known.boxes[:, 2:]) / 2, known.boxes[:, 2:] - known.boxes[:, :2]
    rows = np.concatenate([known.classes[:, None], middles / [width, height], sizes / [width, height]], axis=1)
    lines = "\n".join(" ".join(f"{value:.8g}" for value in row) for row in rows)
    (tmp_path / "labels" / "val" / f"{known.name}.txt").write_text(lines)
    (tmp_path / "val.txt").write_text(f"./images/val/{known.image.name}\n{known.name}\nnot-there\n")
    cells, missing = read_cells(tmp_path, "val.txt")
    assert missing == ["not-there"] and [each.name for each in cells] == [known.name] * 2
    for each in cells:
        assert np.abs(each.boxes - known.boxes).max() < 0.01 and (each.classes == known.classes).all()
    (tmp_path / "labels" / "val" / f"{known.name}.txt").write_text("24 0.5 0.5 0.1 0.1")
    with pytest.raises(SourceError, match="beyond the 24"):
        read_cells(tmp_path, "val")


def test_cells_are_taken_evenly() -> None:
    cells = [cell([0]) for _ in range(100)]
    assert len(evenly(cells, 7)) == 7 and evenly(cells, 7)[0] is cells[0] and evenly(cells, 7)[-1] is cells[-1]
    assert evenly(cells, 0) is cells and evenly(cells, 200) is cells


def test_the_threshold_with_the_most_exact_counts_is_chosen() -> None:
    boxes = np.array([[0, 0, 10, 10], [30, 0, 40, 10], [60, 0, 70, 10]], np.float32)
    scores = np.zeros((3, 24))
    scores[:, 0] = [0.9, 0.5, 0.21]
    chosen = choose([(boxes, scores, 2), (boxes, scores, 2), (boxes[:1], scores[:1], 1)])
    assert 0.21 < chosen["threshold"] <= 0.5
    assert (chosen["exact_counts"], chosen["cells"], chosen["mean_count_error"]) == (3, 3, 0)


@pytest.mark.models
def test_the_command_writes_metrics_of_real_cells(held_out: list[AnnotatedCell], tmp_path: Path, capsys: Any) -> None:
    public_layout(held_out[:3], tmp_path)
    out = tmp_path / "out"
    call_command("evaluate", str(tmp_path), "--split", str(tmp_path / "val.txt"), "--limit", "2", "--out", str(out),
                 "--worst", "1", verbosity=0)  # fmt: skip
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["cells"] == 2 and metrics["recall_iou50"] > 0.8
    assert json.loads(capsys.readouterr().out) == metrics
    stages = {row["stage"]: row["label_accuracy_of_found"] for row in metrics["stages"]}
    assert list(stages) == list(STAGES) and stages["detector"] < stages["whole pipeline"]
    with (out / "by-class.csv").open() as file:
        assert [row["class"] for row in csv.DictReader(file)] == list(CHROMOSOMES)
    for picture in ("figure-1a-confusion", "figure-1b-classes", "precision-recall", "calibration", "stages", "groups"):
        with Image.open(out / f"{picture}.png") as drawn:
            assert min(drawn.size) > 300
    worst = list((out / "worst").glob("*.png"))
    assert len(worst) <= 1 and all(f"worst/{path.name}" in (out / "worst.html").read_text() for path in worst)
    call_command("evaluate", str(tmp_path), "--limit", "1", "--out", str(out), "--without", "classifier,assign",
                 verbosity=0)  # fmt: skip
    bare = json.loads((out / "metrics.json").read_text())
    assert {model["role"] for model in bare["models"]} == {"detector", "segmenter"}
    assert bare["stages"][0]["label_accuracy_of_found"] == bare["label_accuracy_of_found"]
    capsys.readouterr()
    call_command("evaluate", str(tmp_path), "--limit", "1", "--altered", verbosity=0)
    altered = json.loads(capsys.readouterr().out)
    assert altered["cells_right"] in (0, 1) and altered["losses_kept"] <= altered["cells_right"]
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("evaluate", str(tmp_path / "nowhere"), verbosity=0)
    with pytest.raises(CommandError, match="can be left out"):
        call_command("evaluate", str(tmp_path), "--without", "detector", verbosity=0)


def test_pooling_is_chosen_for_the_most_right_names() -> None:
    """The detector is sure and wrong, the classifier right and timid: the detector's share goes to nothing."""
    from inference.evaluation import pooling
    from inference.protocols import Detections

    truth = np.array([0, 1, -1])
    wrong, logits = np.full((3, 24), 0.01), np.zeros((3, 24))
    wrong[[0, 1, 2], [5, 6, 7]] = 0.77
    logits[[0, 1, 2], [0, 1, 2]] = 3.0
    seen = pooling.Seen(Detections(np.zeros((3, 4)), np.ones(3), wrong), logits, truth)
    chosen = pooling.choose([seen])
    assert chosen["detector_share"] < 1
    assert chosen["temperature"] == min(pooling.TEMPERATURES)
    assert chosen["named_right"] == chosen["classifier_alone_unassigned"] == 1.0
