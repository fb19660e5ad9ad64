"""The trained compact SAM as two ONNX files (inference.backends.compact_sam), from a checkpoint of its training; and
back, to train the shipped one on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from inference.stages.window import NEIGHBOURS, SMALL
from inference.training.halved import halve


def export(checkpoint: Path, field: Path, prompt: Path) -> None:
    """Writes both files, each beside and renamed."""
    import torch

    from inference.training.sam_model import DIM, FINE, MIDDLE, CompactSam

    model: Any = CompactSam()
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["ema"])
    model = model.eval()

    class Prompt(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *given: Any) -> Any:
            return self.model.prompt(*given)

    _write(
        model.image_encoder,
        (torch.zeros(1, 1, 256, 320),),
        field,
        ["density"],
        ["embedding", "middle", "fine"],
        {"density": {2: "height", 3: "width"}},
    )
    count, slots, side = 3, 6, SMALL
    _write(
        Prompt().eval(),
        (
            torch.zeros(count, DIM, side // 4, side // 4),
            torch.zeros(count, MIDDLE, side // 2, side // 2),
            torch.zeros(count, FINE, side, side),
            torch.zeros(count, slots, 2),
            torch.zeros(count, slots),
            torch.zeros(count, 1, side, side),
            torch.zeros(count),
            torch.zeros(count, NEIGHBOURS, 5),
        ),
        prompt,
        ["embedding", "middle", "fine", "points", "labels", "present", "has_mask", "neighbours"],
        ["masks", "expected"],
        {
            "embedding": {0: "count", 2: "quarter", 3: "quarter"},
            "middle": {0: "count", 2: "half", 3: "half"},
            "fine": {0: "count", 2: "side", 3: "side"},
            "points": {0: "count", 1: "slots"},
            "labels": {0: "count", 1: "slots"},
            "present": {0: "count", 2: "side", 3: "side"},
            "has_mask": {0: "count"},
            "neighbours": {0: "count"},
        },
    )


def write(checkpoint: Path, out: Path) -> None:
    """out/field.onnx and out/prompt.onnx as they ship: the field's numbers in half precision."""
    export(checkpoint, out / "field.onnx", out / "prompt.onnx")
    halve(out / "field.onnx")


def begin_with(model: Any, field: Path, prompt: Path, densities: Any) -> None:
    """The model (CompactSam) takes over the weights of both files; what is never asked of it keeps its own.
    densities: float (n, 1, h, w), some fields by which the normalisations are set.

    Raises ValueError where the files are another network's."""
    import torch

    from inference.training import shipped

    graph, numbers = shipped.read(field)
    folded = [node.input[1:3] for node in graph.node if node.op_type == "Conv" and node.input[1].startswith("onnx::")]
    pairs = shipped.normalised(model.image_encoder)
    if len(pairs) != len(folded):
        raise ValueError(f"{field.name} is another network than this.")
    for (convolution, norm), (weight, bias) in zip(pairs, folded, strict=True):
        shipped.unfold(convolution, norm, numbers[weight], numbers[bias])
    found = {f"image_encoder.{name}": value for name, value in numbers.items() if not name.startswith(("onnx::", "/"))}
    graph, numbers = shipped.read(prompt)
    found |= {name.removeprefix("model."): value for name, value in numbers.items() if name.startswith("model.")}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in numbers and node.name.startswith("/transformer/"):
            place = node.name.removeprefix("/").removesuffix("/MatMul").replace("/", ".")
            found[f"mask_decoder.{place}.weight"] = numbers[node.input[1]].T
    found |= _constants(numbers)
    own = model.state_dict()
    for name, value in found.items():
        if name not in own or own[name].numel() < value.numel():
            raise ValueError(f"{prompt.name} is another network than this: {name}.")
        whole = own[name].contiguous().clone()
        whole.view(-1)[: value.numel()] = value.reshape(-1)
        own[name] = whole
    model.load_state_dict(own)
    model.eval()

    def answer() -> None:
        with torch.inference_mode():
            model.image_encoder(densities)

    shipped.settled(model, answer)


def _constants(numbers: dict[str, Any]) -> dict[str, Any]:
    """What the exporter kept under names of its own, told by its shape: the library's flat normalisations, the token
    of no mask, and the decoder's own tokens."""
    found: dict[str, Any] = {}
    for name, value in numbers.items():
        kind, shape = name.partition("_")[0], tuple(value.shape)
        norm = {
            (4, 1, 1): "prompt_encoder.mask_downscaling.1",
            (16, 1, 1): "prompt_encoder.mask_downscaling.4",
            (32, 1, 1): "mask_decoder.output_upscaling.1",
        }.get(shape)
        if norm is not None and kind in ("onnx::Mul", "onnx::Add"):
            found[f"{norm}.{'weight' if kind == 'onnx::Mul' else 'bias'}"] = value
        elif kind == "onnx::Mul" and len(shape) == 4:
            found["prompt_encoder.no_mask_embed.weight"] = value
        elif kind == "onnx::Expand":
            found["mask_decoder.iou_token.weight"] = value[0, :1]
            found["mask_decoder.mask_tokens.weight"] = value[0, 1:]
    return found


def _write(
    module: Any, given: tuple[Any, ...], path: Path, inputs: list[str], outputs: list[str], axes: dict[str, Any]
) -> None:
    import onnx
    import onnxslim
    import torch

    temporary = path.with_suffix(".tmp.onnx")
    with torch.inference_mode():
        torch.onnx.export(
            module,
            given,
            str(temporary),
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    slim = onnxslim.slim(str(temporary))
    slim.doc_string = ""
    onnx.save(slim, str(temporary))
    temporary.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=Path("training-runs/sam/last.pt"))
    parser.add_argument("--out", type=Path, default=Path("training-runs/sam"))
    arguments = parser.parse_args()
    write(arguments.checkpoint, arguments.out)


if __name__ == "__main__":
    main()
