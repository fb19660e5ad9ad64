"""The crop classifier: 24 classes from chromosomes turned upright (inference.stages.crops).

A small residual network, trained from nothing on a CPU in bfloat16.  Flips of all four kinds, small turns, scale and
shift; densities vary as exposure does.  Resumable; the rate falls along a cosine over `cpu_hours` of processor time.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from inference.labels import CHROMOSOMES
from inference.stages.crops import HEIGHT, WIDTH
from inference.training import crops as crop_store
from inference.training import interrupts
from inference.training.keeping import follow, save

MODEL_NAME = "kary-crops"


def build(widths: tuple[int, ...] = (24, 48, 96, 160)) -> Any:
    """A torch module: float32 (n, 2, HEIGHT, WIDTH) in 0..1 → logits (n, 24)."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, inner: int, outer: int, stride: int) -> None:
            super().__init__()
            self.first = nn.Sequential(
                nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)
            )
            self.second = nn.Sequential(nn.Conv2d(outer, outer, 3, 1, 1, bias=False), nn.BatchNorm2d(outer))
            self.aside = (
                nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))
                if stride != 1 or inner != outer
                else nn.Identity()
            )

        def forward(self, seen: Any) -> Any:
            return torch.relu(self.second(self.first(seen)) + self.aside(seen))

    class CropNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            stem = widths[0]
            self.stem = nn.Sequential(
                nn.Conv2d(2, stem, 5, 2, 2, bias=False), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)
            )
            blocks: list[nn.Module] = [Block(stem, stem, 1)]
            for inner, outer in zip(widths, widths[1:], strict=False):
                blocks += [Block(inner, outer, 2), Block(outer, outer, 1)]
            self.blocks = nn.Sequential(*blocks)
            # The mean over everything, and the strongest answer anywhere: bands are local, size is not.
            self.name = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * widths[-1], len(CHROMOSOMES)))

        def forward(self, crops: Any) -> Any:
            seen = self.blocks(self.stem(crops))
            return self.name(torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1))

    return CropNetwork()


def augmented(batch: Any) -> Any:
    """batch: uint8 tensor (n, 2, HEIGHT, WIDTH).  Returns float32 in 0..1, each crop flipped, turned and moved."""
    import torch

    count = len(batch)
    turn = torch.randn(count) * math.radians(6)
    stretch = torch.exp(torch.randn(count) * 0.06)
    across, down = (torch.randint(0, 2, (2, count)) * 2 - 1).float()
    aspect = HEIGHT / WIDTH
    cos, sin = torch.cos(turn) * stretch, torch.sin(turn) * stretch
    theta = torch.stack(
        [
            torch.stack([cos * across, -sin * aspect, torch.randn(count) * 0.06], 1),
            torch.stack([sin / aspect * across, cos * down, torch.randn(count) * 0.04], 1),
        ],
        1,
    )
    grid = torch.nn.functional.affine_grid(theta, [count, 2, HEIGHT, WIDTH], align_corners=False)
    crops = torch.nn.functional.grid_sample(batch.float() / 255, grid, align_corners=False)
    gain = torch.exp(torch.randn(count, 1, 1) * 0.15)
    crops[:, 0] = (crops[:, 0] * gain).clamp(0, 1)
    return crops


def logits_of(model: Any, crops: np.ndarray, batch: int = 256) -> np.ndarray:
    """float32 (n, 24)."""
    import torch

    model.eval()
    out = []
    with torch.no_grad():
        for start in range(0, len(crops), batch):
            out.append(
                model(torch.from_numpy(np.ascontiguousarray(crops[start : start + batch])).float() / 255).numpy()
            )
    return np.concatenate(out)


def export(model: Any, path: Path) -> None:
    """ONNX with a free batch size: crops uint8 (n, 2, HEIGHT, WIDTH) → logits float32 (n, 24)."""
    import torch

    class Shipped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = copy.deepcopy(model).eval().float()

        def forward(self, crops: Any) -> Any:
            return self.network(crops.float() / 255)

    example = torch.zeros(2, 2, HEIGHT, WIDTH, dtype=torch.uint8)
    torch.onnx.export(
        Shipped(), (example,), str(path), input_names=["crops"], output_names=["logits"], opset_version=17,
        dynamic_axes={"crops": {0: "n"}, "logits": {0: "n"}}, dynamo=False,
    )  # fmt: skip


def train(*, crops: Path, out: Path, cpu_hours: float, batch: int, rate: float) -> None:
    """Train from nothing, or from `out/last.pt` where a run was stopped, until `cpu_hours` are spent."""
    import torch

    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    pictures, classes, _ = crop_store.load(crops, "train")
    validation, truth, _ = crop_store.load(crops, "val")
    some = np.arange(0, len(truth), 8)
    model = build().to(memory_format=torch.channels_last)
    ema = copy.deepcopy(model).eval()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02)
    lossf = torch.nn.CrossEntropyLoss(label_smoothing=0.05)
    spent, step = 0.0, 0
    last = out / "last.pt"
    if last.exists():
        state = torch.load(last, weights_only=False)
        model.load_state_dict(state["model"])
        ema.load_state_dict(state["ema"])
        optimiser.load_state_dict(state["optimiser"])
        spent, step = state["spent"], state["step"]
    rng = np.random.default_rng(step)
    order = rng.permutation(len(classes))
    place, recent, clock = 0, [], time.process_time()

    def keep() -> None:
        state = {
            "model": model.state_dict(), "ema": ema.state_dict(), "optimiser": optimiser.state_dict(),
            "spent": spent, "step": step,
        }  # fmt: skip
        save(last, state)

    while spent < cpu_hours * 3600:
        if place + batch > len(order):
            order, place = rng.permutation(len(classes)), 0
        chosen = np.sort(order[place : place + batch])
        place += batch
        share = min(1.0, spent / (cpu_hours * 3600))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 200) * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
        model.train()
        seen = augmented(torch.from_numpy(pictures[chosen])).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            answer = model(seen)
        loss = lossf(answer.float(), torch.from_numpy(classes[chosen]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
        decay = min(0.998, (1 + step) / (10 + step))
        follow(ema, model, decay)
        recent.append(float(loss.detach()))
        spent, clock = spent + time.process_time() - clock, time.process_time()
        interrupts.pause_point(keep)
        if step % 100 == 0:
            line: dict[str, Any] = {"step": step, "crops": step * batch, "cpu_hours": round(spent / 3600, 3)}
            line["loss"] = round(float(np.mean(recent)), 4)
            if step % 400 == 0:
                line["right"] = round(float((logits_of(ema, validation[some]).argmax(1) == truth[some]).mean()), 4)
                keep()
            with (out / "progress.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            recent = []
    keep()
    export(ema, out / "classifier.onnx")
    right = float((logits_of(ema, validation).argmax(1) == truth).mean())
    (out / "result.json").write_text(
        json.dumps({"right": right, "crops_seen": step * batch, "cpu_hours": spent / 3600})
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=Path, default=Path("training-runs/crops"))
    parser.add_argument("--out", type=Path, default=Path("training-runs/classifier"))
    parser.add_argument("--cpu-hours", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    train(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
