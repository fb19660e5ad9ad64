"""A detector made twice as wide answers as it did, and can learn more than it could."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.backends import weights
from inference.backends.boxes import letterbox
from inference.backends.yolov10 import torch_engine
from inference.training import wider
from inference.training.cil import AnnotatedCell
from inference.training.wider import widened
from karyosite.imaging import read_grey


@pytest.fixture(scope="module")
def both() -> tuple[Any, Any]:
    from ultralytics import YOLO

    path, _ = weights.checked(weights.entries("detector")[0], "torch")
    narrow = YOLO(str(path)).model.float().eval()
    return narrow, widened(narrow, seed=3).eval()


def test_twice_as_wide_it_answers_the_same(both: tuple[Any, Any]) -> None:
    import torch

    picture = torch.rand(1, 3, 192, 256, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        answers = [model(picture) for model in both]
    for head in ("one2one", "one2many"):
        for part in ("boxes", "scores"):
            before, after = (answer[1][head][part] for answer in answers)
            assert before.std() > 0.5
            assert torch.allclose(before, after, atol=1e-3), (head, part)
    counts = [sum(parameter.numel() for parameter in model.parameters()) for model in both]
    assert counts[1] > 3 * counts[0]


def test_the_two_copies_of_a_channel_are_read_differently_so_that_they_part(both: tuple[Any, Any]) -> None:
    import torch

    _, wide = both
    picture = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(2))
    wide.train()(picture)["one2many"]["scores"].square().mean().backward()
    taught = wide.model[1].conv.weight.grad
    assert taught.abs().max() > 0
    assert not torch.allclose(taught[0::2], taught[1::2], rtol=0.1)


@pytest.mark.models
def test_the_file_it_writes_finds_in_a_real_cell_what_the_narrow_one_finds(
    held_out: list[AnnotatedCell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = weights.checked(weights.entries("detector")[0], "torch")
    monkeypatch.setattr(sys, "argv", ["wider", str(path), str(tmp_path / "wide.pt")])
    wider.main()
    square, _ = letterbox(read_grey(held_out[0].image), 800)
    picture = np.ascontiguousarray(np.broadcast_to(square, (1, 3, 800, 800)), np.float32) / 255
    before, after = (torch_engine(file, "cpu")(picture) for file in (path, tmp_path / "wide.pt"))
    there = before[:, 4:].max(axis=1) > 0.3
    assert there.sum() > 30
    assert np.abs(after - before)[there, :4].max() < 0.5  # pixels: the file is kept in half precision
    assert np.abs(after - before)[:, 4:].max() < 0.02
