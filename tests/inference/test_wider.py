"""A detector made twice as wide answers as it did, and can learn more than it could."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inference.backends import weights
from inference.training.wider import widened


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


def test_the_file_it_writes_is_one_that_the_program_detects_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    import numpy as np

    from inference.backends.yolov10 import torch_engine
    from inference.training import wider

    path, _ = weights.checked(weights.entries("detector")[0], "torch")
    monkeypatch.setattr(sys, "argv", ["wider", str(path), str(tmp_path / "wide.pt")])
    wider.main()
    picture = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    before, after = (torch_engine(file, "cpu")(picture) for file in (path, tmp_path / "wide.pt"))
    assert after.shape == before.shape
    assert np.abs(after[:, 4:] - before[:, 4:]).max() < 0.02  # kept in half precision
