"""The trained compact SAM as two ONNX files (inference.backends.compact_sam), from a checkpoint of its training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from inference.stages.window import SMALL


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
        ),
        prompt,
        ["embedding", "middle", "fine", "points", "labels", "present", "has_mask"],
        ["masks", "expected"],
        {
            "embedding": {0: "count", 2: "quarter", 3: "quarter"},
            "middle": {0: "count", 2: "half", 3: "half"},
            "fine": {0: "count", 2: "side", 3: "side"},
            "points": {0: "count", 1: "slots"},
            "labels": {0: "count", 1: "slots"},
            "present": {0: "count", 2: "side", 3: "side"},
            "has_mask": {0: "count"},
        },
    )


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
    export(arguments.checkpoint, arguments.out / "field.onnx", arguments.out / "prompt.onnx")


if __name__ == "__main__":
    main()
