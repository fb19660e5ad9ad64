"""Going on from a shipped network (.onnx), whose normalisations were folded into its convolutions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.training.halved import whole


def read(path: Path) -> tuple[Any, dict[str, Any]]:
    """(the graph, name → tensor of each number kept in it)."""
    import onnx
    import torch
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    return graph, dict(
        whole(one.name, torch.from_numpy(numpy_helper.to_array(one).copy())) for one in graph.initializer
    )


def normalised(model: Any) -> list[tuple[Any, Any]]:
    """Every convolution of the model that a normalisation follows, with it, in the order in which they stand."""
    from torch import nn

    return [
        (first, second)
        for block in model.modules()
        if isinstance(block, nn.Sequential)
        for first, second in zip(block, list(block)[1:], strict=False)
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d)
    ]


def unfold(convolution: Any, norm: Any, weight: Any, bias: Any) -> None:
    """The convolution takes the folded weights over, the normalisation only their offset: together the same answer."""
    import torch

    with torch.no_grad():
        convolution.weight.copy_(weight)
        norm.bias.copy_(bias)
        norm.weight.fill_(1.0)
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)


def settled(model: Any, answer: Callable[[], Any]) -> None:
    """Once folded weights were taken over, the normalisations say nothing of the numbers that run through them:
    measured while the model is asked (`answer`, in evaluation) about some pictures, and made up for, so that its
    answers stay what they were."""
    import torch
    from torch import nn

    norms: list[Any] = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    seen: dict[Any, tuple[Any, Any]] = {}

    def note(module: Any, given: Any, _: Any) -> None:
        seen[module] = (given[0].mean((0, 2, 3)), given[0].var((0, 2, 3)))

    hooks = [norm.register_forward_hook(note) for norm in norms]
    answer()
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        for norm in norms:
            mean, spread = seen[norm]
            norm.bias += mean
            norm.weight.copy_((spread + norm.eps).sqrt())
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(spread)
