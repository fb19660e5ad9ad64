"""manage.py segment: given boxes of a picture file, cut without server or database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image
from pycocotools import mask as coco

from tests.inference.conftest import drawn_cell


def segment(folder: Path, pixels: np.ndarray, boxes: Any, *more: str) -> dict[str, Any]:
    Image.fromarray(pixels).save(folder / "cell.png")
    (folder / "boxes.json").write_text(boxes if isinstance(boxes, str) else json.dumps(boxes))
    out = folder / "masks.json"
    out.unlink(missing_ok=True)
    call_command("segment", str(folder / "cell.png"), "--boxes", str(folder / "boxes.json"), "--out", str(out), *more)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def overlap(entry: dict[str, Any], true: np.ndarray) -> float:
    bits = coco.decode({"size": entry["size"], "counts": entry["counts"].encode()}).astype(bool)
    assert bits.shape == true.shape
    return float((bits & true).sum() / (bits | true).sum())


@pytest.mark.parametrize("more", [(), ("--segmenter", "threshold")])
def test_masks_come_in_the_order_of_the_boxes(tmp_path: Path, more: tuple[str, ...]) -> None:
    pixels, boxes, true = drawn_cell()
    order = [3, 0, 7, 1]
    found = segment(tmp_path, pixels, boxes[order].tolist(), *more)
    assert set(found) == {"masks", "segmenter", "timings_s"} and len(found["masks"]) == 4
    for entry, index in zip(found["masks"], order, strict=True):
        assert overlap(entry, true[index]) > 0.75 and 0 <= entry["score"] <= 1
    if more:
        assert found["segmenter"]["name"] == "threshold"
    assert found["timings_s"]["total"] > 0


def test_a_field_bright_on_dark_is_found_or_told(tmp_path: Path) -> None:
    pixels, boxes, true = drawn_cell()
    fluorescence = (0.6 * (255 - pixels)).astype(np.uint8)
    for more in ((), ("--invert",)):
        found = segment(tmp_path, fluorescence, boxes.tolist(), *more)
        assert np.mean([overlap(entry, mask) for entry, mask in zip(found["masks"], true, strict=True)]) > 0.75


def test_many_boxes_none_and_small_pictures(tmp_path: Path) -> None:
    pixels, boxes, _ = drawn_cell()
    rng = np.random.default_rng(1)
    many = [(boxes[number % 8] + rng.uniform(-3, 3, 4)).tolist() for number in range(500)]
    assert len(segment(tmp_path, pixels, many)["masks"]) == 500
    assert segment(tmp_path, pixels, [])["masks"] == []
    small = segment(tmp_path, pixels[60:100, 40:80].copy(), [[0, 0, 40, 40], [-5, 10, 900, 30]])
    assert [entry["size"] for entry in small["masks"]] == [[40, 40], [40, 40]]


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([[10, 10, 20, 20], [600, 10, 700, 40]], "Box 1 .* outside the picture, which is 480 × 360"),
        ([[10, 10, 10, 20]], "Box 0 .* no area"),
        ([[30, 10, 10, 20]], "no area"),
        ([[1, 2, 3]], "not four numbers"),
        ([[1, 2, 3, "x"]], "not four numbers"),
        ("[[1, 2, 3, NaN]]", "not four numbers"),
        ({"boxes": []}, "list of boxes"),
        ("{", "no JSON"),
    ],
)
def test_what_cannot_be_cut_is_one_sentence_and_nothing_is_written(tmp_path: Path, boxes: Any, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        segment(tmp_path, drawn_cell()[0], boxes)
    assert not (tmp_path / "masks.json").exists()


def test_a_missing_or_broken_picture_and_an_unknown_segmenter_are_told(tmp_path: Path) -> None:
    pixels, boxes, _ = drawn_cell()
    with pytest.raises(CommandError, match="There is no segmenter called “scissors”"):
        segment(tmp_path, pixels, boxes.tolist(), "--segmenter", "scissors")
    (tmp_path / "cell.png").write_bytes(b"no picture")
    rest = ("--boxes", str(tmp_path / "boxes.json"), "--out", str(tmp_path / "masks.json"))
    with pytest.raises(CommandError):
        call_command("segment", str(tmp_path / "cell.png"), *rest)
    with pytest.raises(CommandError):
        call_command("segment", str(tmp_path / "none.png"), *rest)
