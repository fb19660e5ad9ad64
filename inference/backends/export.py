"""A torch checkpoint as an ONNX file for the CPU."""

from __future__ import annotations

import warnings
from pathlib import Path

from inference.backends.yolov10 import torch_module


def export_onnx(checkpoint: Path, target: Path, side: int) -> None:
    """Writes raw boxes and all class scores, (1, anchors, 4 + 24), for pictures of (1, 3, side, side).

    The file is written beside its place and renamed, so that a worker never reads half of it.
    """
    import torch

    model = torch_module(checkpoint)
    temporary = target.with_suffix(".tmp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.zeros(1, 3, side, side),),
            str(temporary),
            input_names=["pixels"],
            output_names=["rows"],
            opset_version=17,
            dynamo=False,
        )
    temporary.replace(target)
