"""The network of the second look at cuts, and its file (inference.training.beside, inference.backends.sam_beside)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from inference.stages.beside import PLANES, REACH
from inference.stages.window import SMALL

_WIDTHS, _FINE, _FULL = (32, 64, 96), 8, 12
_STEP = 4.0  # logits for one unit of the last layer


class _Layer(nn.Sequential):
    def __init__(self, inner: int, outer: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inner, outer, 3, stride, dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(outer),
            nn.SiLU(inplace=True),
        )


class Beside(nn.Module):
    """float32 (n, PLANES, rows, columns) and (n,), the IoU expected so far → logits (n, 1, rows, columns), IoU (n,).

    A small U-Net from half the resolution down to an eighth, and two layers at the full one."""

    def __init__(self) -> None:
        super().__init__()
        (first, second, third), fine, full = _WIDTHS, _FINE, _FULL
        self.stem = nn.Sequential(_Layer(4 * (PLANES + 1), first), _Layer(first, first))
        self.middle = nn.Sequential(_Layer(first, second, stride=2), _Layer(second, second, dilation=2))
        self.deep = nn.Sequential(_Layer(second, third, stride=2), _Layer(third, third, dilation=2))
        self.far = _Layer(third, third, dilation=3)
        self.joined = _Layer(third + second, second)
        self.risen = _Layer(second + first, first)
        self.fine = nn.Conv2d(first, 4 * fine, 3, 1, 1)
        self.full = _Layer(fine + PLANES + 1, full)
        self.finer = _Layer(full, full)
        self.moved = nn.Conv2d(full, 1, 3, 1, 1)
        self.expects = nn.Sequential(nn.Linear(2 * third + 1, 32), nn.SiLU(), nn.Linear(32, 1))
        for parameter in self.moved.parameters():
            nn.init.zeros_(parameter)

    def forward(self, planes: Any, expected: Any) -> tuple[Any, Any]:
        own = planes[:, 1:2]
        others, counted, level = torch.sigmoid(planes[:, 2:3]), planes[:, 3:5] / 3, planes[:, 5:]
        seen = torch.cat([planes[:, :1], own / REACH, torch.sigmoid(own), others, counted, level], 1)
        half = self.stem(functional.pixel_unshuffle(seen, 2))
        quarter = self.middle(half)
        deep = self.deep(quarter)
        deep = deep + self.far(deep)
        up = self.joined(torch.cat([functional.interpolate(deep, scale_factor=2.0), quarter], 1))
        up = self.risen(torch.cat([functional.interpolate(up, scale_factor=2.0), half], 1))
        full = self.full(torch.cat([functional.pixel_shuffle(self.fine(up), 2), seen], 1))
        full = full + self.finer(full)
        whole = torch.cat([deep.mean((2, 3)), deep.amax((2, 3)), expected[:, None].to(deep.dtype)], 1)
        return own + _STEP * self.moved(full), torch.sigmoid(self.expects(whole))[:, 0]


def export(model: Any, path: Path) -> None:
    """ONNX of any number of windows, or parts of them, of any size that `part_of` gives: planes, expected → logits,
    iou."""
    import copy

    shipped: Any = copy.deepcopy(model).cpu().float().eval()
    temporary = path.with_suffix(".tmp.onnx")
    torch.onnx.export(
        shipped, (torch.zeros(2, PLANES, SMALL, SMALL), torch.zeros(2)), str(temporary),
        input_names=["planes", "expected"], output_names=["logits", "iou"], opset_version=17, dynamo=False,
        dynamic_axes={
            "planes": {0: "n", 2: "rows", 3: "columns"}, "expected": {0: "n"},
            "logits": {0: "n", 2: "rows", 3: "columns"}, "iou": {0: "n"},
        },
    )  # fmt: skip
    temporary.replace(path)
