"""The command that holds segmenters against exact masks, and clicks against what they should have brought."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from inference.evaluation import pointing, segmentation
from inference.protocols import Mask
from inference.training.cil import AnnotatedCell
from inference.training.scenes import Placed
from tests.conftest import CIL
from tests.inference.conftest import public_layout

MFISH = CIL.parent / "mfish"


def test_it_judges_by_both_sources_by_both_boxes_and_by_clicks(
    held_out: list[AnnotatedCell], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    public_layout(held_out[:2], tmp_path)
    out = tmp_path / "out"
    call_command("evaluate-segmentation", "--made", str(tmp_path), "--drawn", str(MFISH), "--limit", "1", "--segmenter",
                 "threshold", "--boxes", "both", "--clicks", "--out", str(out), verbosity=0)  # fmt: skip
    found = json.loads((out / "metrics.json").read_text())
    results, pointed = found["results"], found["pointed"]
    assert [(one["source"], one["boxes"]) for one in results] == [
        ("made", "truth"), ("made", "detector"), ("drawn", "truth"), ("drawn", "detector"),
    ]  # fmt: skip
    for one in results:
        assert one["segmenter"].startswith("threshold ") and one["all"]["chromosomes"] > 10
        assert 0.3 < one["all"]["mean_iou"] <= 1 and one["median_seconds_a_picture"] > 0
    assert results[0]["lone"]["mean_iou"] > 0.9
    assert [one["source"] for one in pointed] == ["made", "made", "drawn", "drawn"]
    for one in pointed:
        assert sum(one["box"][kind]["chromosomes"] for kind in segmentation.KINDS) <= pointing.MISSING
        assert set(one) == {"source", "segmenter", "others", *pointing.ASKED, "followed"}
    with (out / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * (len(segmentation.KINDS) + 2)
    for one in results:
        with Image.open(out / f"worst-{one['source']}-threshold-{one['boxes']}.png") as page:
            assert min(page.size) > 100
    told = capsys.readouterr().out.splitlines()
    assert len(told) == len(results) + len(pointed) * (len(pointing.ASKED) + 1)


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nothing to judge by"):
        call_command("evaluate-segmentation", verbosity=0)
    for given in ("--made", "--drawn"):
        with pytest.raises(CommandError, match="There is no folder"):
            call_command("evaluate-segmentation", given, str(tmp_path / "nowhere"), "--segmenter", "threshold",
                         "--out", str(tmp_path / "out"), verbosity=0)  # fmt: skip


class _Obedient:
    """Answers a click by half of the chromosome, and makes of further ones what they say."""

    def __init__(self, whole: Mask) -> None:
        self._whole = whole
        self.asked: list[tuple[bool, int, int]] = []

    def segment(self, pixels: np.ndarray, boxes: np.ndarray) -> list[Mask]:
        return [Mask(0, 0, np.ones((4, 4), bool), 1.0) for _ in boxes]

    def embed(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        return {}

    def cut(
        self,
        pixels: np.ndarray,
        embedding: dict[str, np.ndarray],
        box: np.ndarray | None,
        points: np.ndarray,
        mask: Mask | None,
        others: list[Mask],
    ) -> Mask:
        self.asked.append((box is not None, len(points), len(others)))
        if box is not None or mask is not None:
            return self._whole
        return Mask(self._whole.left, self._whole.top, self._whole.bits[:20], 1.0)


def test_clicks_go_where_the_largest_error_is() -> None:
    known = [Mask(40, 30, np.ones((50, 12), bool), 1.0), Mask(80, 30, np.ones((50, 12), bool), 1.0)]
    boxes = np.array([[38, 28, 54, 82], [78, 28, 94, 82]], np.float32)
    truth = segmentation.Truth("drawn", np.full((120, 140), 230, np.uint8), boxes, [Placed(one, None) for one in known])
    for row in (0, 1):
        alone = segmentation.Truth(truth.name, truth.pixels, boxes[row : row + 1], truth.known[row : row + 1])
        segmenter = _Obedient(known[row])
        judged = pointing.judge(iter([alone]), segmenter)
        # A box; a click; one click more puts it right, and nobody clicks again.
        assert segmenter.asked == [(True, 0, 0), (False, 1, 0), (False, 1, 0)] * 2
        figures = judged["beside"].figures()
        assert figures["box"]["lone"] == {"chromosomes": 1, "mean_iou": 1.0}
        assert figures["click"]["lone"]["mean_iou"] == 0.4
        assert figures["click and 1 more"]["lone"] == figures["click and 2 more"]["lone"] == figures["box"]["lone"]
        assert figures["followed"] == {
            "this too": {"clicks": 1, "share": 1.0},
            "not this": {"clicks": 0, "share": None},
        }


def test_a_crossing_counts_as_one_and_by_its_size() -> None:
    def bar(left: int, top: int, width: int, height: int) -> Mask:
        return Mask(left, top, np.ones((height, width), bool), 1.0)

    pixels = np.full((200, 200), 230, np.uint8)
    upright, flat, short = bar(20, 20, 20, 100), bar(0, 60, 60, 20), bar(36, 100, 40, 10)
    known = [Placed(one, None, "crossing") for one in (upright, flat, short)]
    truth = segmentation.Truth("x", pixels, np.zeros((3, 4), np.float32), known)
    # The large crossing, 400 pixels, is found whole; of the small one, 40 pixels, nothing.
    judged = segmentation.judge(iter([truth]), lambda *_: [upright, flat, bar(60, 100, 16, 10)])
    itself = judged.figures()["crossing_itself"]
    assert itself == {"crossings": 2, "mean_iou": 0.5, "iou_of_all_pixels": pytest.approx(400 / 440, abs=1e-4)}
    nothing = segmentation.judge(iter([]), lambda *_: []).figures()["crossing_itself"]
    assert nothing == {"crossings": 0, "mean_iou": None, "iou_of_all_pixels": None}
