"""A second look at cuts that begins as one that shipped (inference.training.beside)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inference.training import shipped
from inference.training.beside_model import Beside

_PLAIN = "fine.weight", "fine.bias", "moved.weight", "moved.bias"
_EXPECTS = tuple(f"expects.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias"))


def _told_more(weight: Any, inputs: int) -> Any:
    """weight: (outputs, of so many or fewer, 3, 3).  Planes that were added at the end since count nothing yet."""
    from torch.nn import functional

    return functional.pad(weight, (0, 0, 0, 0, 0, max(0, inputs - weight.shape[1])))


def begin_with(path: Path, seen: Any, expected: Any) -> Beside:
    """The network in a file (.onnx), in training's own form: it answers as the file does.  seen: float32 (n, PLANES,
    rows, columns); expected: float32 (n,); some windows, by which the normalisations are set.  One that was told fewer
    planes answers as it did.

    Raises ValueError where the file is another network's."""
    import torch

    graph, numbers = shipped.read(path)
    folded = [node.input[1:3] for node in graph.node if node.op_type == "Conv" and node.input[1].startswith("onnx::")]
    if not folded or any(name not in numbers for name in (*_PLAIN, *_EXPECTS)):
        raise ValueError(f"{path.name} is another network than this.")
    model: Any = Beside()
    pairs = shipped.normalised(model)
    if len(pairs) != len(folded):
        raise ValueError(f"{path.name} is another network than this.")
    for (convolution, norm), (weight, bias) in zip(pairs, folded, strict=True):
        shipped.unfold(convolution, norm, _told_more(numbers[weight], convolution.in_channels), numbers[bias])
    model.load_state_dict({name: numbers[name] for name in (*_PLAIN, *_EXPECTS)}, strict=False)
    model.eval()

    def answer() -> None:
        with torch.inference_mode():
            model(seen, expected)

    shipped.settled(model, answer)
    return model
