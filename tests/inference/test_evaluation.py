"""The figures: counted by hand on small cases, and the command on real cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from inference.evaluation.cells import Tally, evenly
from inference.evaluation.threshold import choose
from inference.protocols import Proposal
from inference.training.cil import AnnotatedCell
from tests.conftest import CIL

BOXES = np.array([[0, 0, 20, 50], [40, 0, 60, 50], [80, 0, 100, 50]], np.float32)


def cell(classes: list[int]) -> AnnotatedCell:
    return AnnotatedCell("drawn", Path("drawn.jpg"), BOXES[: len(classes)], np.array(classes))


def proposal(entries: list[tuple[list[float], str, list[str]]]) -> Proposal:
    chromosomes = [{"box": box, "label": label, "flags": flags, "state": "present"} for box, label, flags in entries]
    return Proposal({"chromosomes": chromosomes}, [], [], {"detect": 0.5, "total": 1.0})


def test_figures_are_those_counted_by_hand() -> None:
    tally = Tally()
    # All three found and right.
    tally.add(cell([0, 0, 23]), proposal([(box.tolist(), label, []) for box, label in zip(BOXES, "11Y", strict=True)]))
    # One right, one misnamed and doubted, one missed, one box where nothing is: the count is exact all the same.
    tally.add(
        cell([0, 1, 2]),
        proposal(
            [
                (BOXES[0].tolist(), "1", ["between 1 (60 %) and 2 (30 %)"]),
                (BOXES[1].tolist(), "8", ["perhaps 8 (30 %)"]),
                ([300, 300, 320, 340], "3", []),
            ]
        ),
    )
    tally.add(cell([4]), proposal([]))
    metrics = tally.metrics()
    assert (metrics["cells"], metrics["exact_count"], metrics["fully_right"]) == (3, 2, 1)
    assert metrics["recall_iou50"] == round(5 / 7, 4)
    assert metrics["precision_iou50"] == round(5 / 6, 4)
    assert metrics["label_accuracy_of_matched"] == 0.8
    assert metrics["doubted_of_matched"] == 0.4 and metrics["doubted_of_misnamed"] == 1.0
    assert metrics["right_of_annotated_by_class"]["1"] == 1.0
    assert metrics["right_of_annotated_by_class"]["2"] == 0.0
    assert metrics["right_of_annotated_by_class"]["7"] is None
    assert metrics["median_seconds"] == {"detect": 0.5, "total": 1.0}
    assert Tally().metrics()["recall_iou50"] is None


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
    annotations = held_out[0].image  # the fixture unpacked the annotations; lay them out as the public download does
    home = tmp_path / "24_chromosomes_object"
    (home / "annotations").mkdir(parents=True)
    (home / "JEPG").symlink_to(annotations.parent)
    import tarfile

    with tarfile.open(CIL / "annotations.tar.gz") as archive:
        for each in held_out[:3]:
            member = next(name for name in archive.getnames() if name.endswith(f"/{each.name}.xml"))
            unpacked = archive.extractfile(member)
            assert unpacked is not None
            (home / "annotations" / f"{each.name}.xml").write_bytes(unpacked.read())
    (tmp_path / "val.txt").write_text("\n".join(each.name for each in held_out[:3]))
    out = tmp_path / "metrics.json"
    call_command("evaluate", "--data", str(tmp_path), "--limit", "2", "--out", str(out), verbosity=0)
    metrics = json.loads(out.read_text())
    assert metrics["cells"] == 2 and metrics["recall_iou50"] > 0.8
    assert json.loads(capsys.readouterr().out) == metrics
    with pytest.raises(CommandError, match="Set --data"):
        call_command("evaluate", "--data", str(tmp_path / "nowhere"), verbosity=0)


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
