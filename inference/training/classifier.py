"""The crop classifier: what a candidate turned upright is (inference.stages.crops).

A small residual network with three answers: which of 24 classes, how well the box holds one whole chromosome (its IoU
with the annotated box; pieces, joined pairs and dirt score low), and whether the p arm is up.  Flips of all four
kinds, small turns, scale and shift; densities vary as exposure does.  Resumable; the rate falls along a cosine over
`cpu_hours` of processor time.
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
from inference.stages.crops import CHANNELS, HEIGHT, WIDTH
from inference.training import candidates, interrupts, muon, polarity, shipped
from inference.training.hardware import hardware
from inference.training.keeping import follow, save_run, taken_up

MODEL_NAME = "kary-crops"
ANSWERS = len(CHROMOSOMES) + 2  # logits: of the classes, of "one whole chromosome", of "p arm up"
_WHOLE, _P_UP = len(CHROMOSOMES), len(CHROMOSOMES) + 1
_WHOLE_GAIN, _P_UP_GAIN = 1.5, 0.25  # what is taken for a chromosome fails more cells than names do
_ALONE = 0.1  # share of crops whose neighbours are not known, as when one chromosome is pointed at
_CLEAR = 0.3  # margin from which an orientation counts fully


def build(widths: tuple[int, ...] = (24, 48, 96, 160)) -> Any:
    """A torch module: float32 (n, CHANNELS, HEIGHT, WIDTH) in 0..1 → logits (n, ANSWERS)."""
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
                nn.Conv2d(CHANNELS, stem, 5, 2, 2, bias=False), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)
            )
            blocks: list[nn.Module] = [Block(stem, stem, 1)]
            for inner, outer in zip(widths, widths[1:], strict=False):
                blocks += [Block(inner, outer, 2), Block(outer, outer, 1)]
            self.blocks = nn.Sequential(*blocks)
            # The mean over everything, and the strongest answer anywhere: bands are local, size is not.
            self.name = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * widths[-1], ANSWERS))

        def forward(self, crops: Any) -> Any:
            seen = self.blocks(self.stem(crops))
            return self.name(torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1))

    return CropNetwork()


def augmented(batch: Any) -> tuple[Any, Any]:
    """batch: uint8 tensor (n, CHANNELS, HEIGHT, WIDTH).  Returns float32 in 0..1, each crop flipped, turned and moved,
    and bool (n,), which were turned upside down."""
    import torch

    count, device = len(batch), batch.device

    def drawn(*shape: int) -> Any:
        return torch.randn(count, *shape, device=device)

    turn = drawn() * math.radians(6)
    stretch = torch.exp(drawn() * 0.06)
    across, down = (torch.randint(0, 2, (2, count), device=device) * 2 - 1).float()
    aspect = HEIGHT / WIDTH
    cos, sin = torch.cos(turn) * stretch, torch.sin(turn) * stretch
    theta = torch.stack(
        [
            torch.stack([cos * across, -sin * aspect, drawn() * 0.06], 1),
            torch.stack([sin / aspect * across, cos * down, drawn() * 0.04], 1),
        ],
        1,
    )
    grid = torch.nn.functional.affine_grid(theta, [count, CHANNELS, HEIGHT, WIDTH], align_corners=False)
    crops = torch.nn.functional.grid_sample(batch.float() / 255, grid, align_corners=False)
    gain, gamma = torch.exp(drawn(1, 1) * 0.15), torch.exp(drawn(1, 1) * 0.15)
    crops[:, 0] = ((crops[:, 0] + 1e-4) ** gamma * gain).clamp(0, 1)
    crops[:, 2] *= torch.rand(count, 1, 1, device=device) > _ALONE
    return crops, down < 0


def logits_of(model: Any, crops: np.ndarray, batch: int = 256) -> np.ndarray:
    """float32 (n, ANSWERS)."""
    import torch

    model.eval()
    device = next(model.parameters()).device
    out = []
    with torch.no_grad():
        for start in range(0, len(crops), batch):
            part = torch.from_numpy(np.ascontiguousarray(crops[start : start + batch])).to(device)
            out.append(model(part.float() / 255).float().cpu().numpy())
    return np.concatenate(out)


def begin_with(model: Any, path: Path, crops: np.ndarray) -> None:
    """Takes over a shipped network's weights (.onnx), its normalisations measured on some crops.  The first and the
    last layer take over as many channels and answers as the shipped ones have; further ones begin at 0."""
    import torch

    graph, numbers = shipped.read(path)
    folded = [node.input[1:3] for node in graph.node if node.op_type == "Conv"]
    pairs = shipped.normalised(model)
    if len(pairs) != len(folded):
        raise ValueError(f"{path.name} is another network than this.")
    for (convolution, norm), (weight, bias) in zip(pairs, folded, strict=True):
        known = numbers[weight]
        further = convolution.weight.shape[1] - known.shape[1]
        known = torch.nn.functional.pad(known, (0, 0, 0, 0, 0, further))
        shipped.unfold(convolution, norm, known, numbers[bias])
    with torch.no_grad():
        last = model.name[-1]
        known = numbers["network.name.1.weight"]
        last.weight[: len(known)] = known
        last.bias[: len(known)] = numbers["network.name.1.bias"]
    shipped.settled(model, lambda: logits_of(model, crops, batch=len(crops)))


def export(model: Any, path: Path) -> None:
    """ONNX with a free batch size: crops uint8 (n, CHANNELS, HEIGHT, WIDTH) → logits float32 (n, ANSWERS)."""
    import torch

    class Shipped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = copy.deepcopy(model).cpu().eval().float()

        def forward(self, crops: Any) -> Any:
            return self.network(crops.float() / 255)

    example = torch.zeros(2, CHANNELS, HEIGHT, WIDTH, dtype=torch.uint8)
    torch.onnx.export(
        Shipped(), (example,), str(path), input_names=["crops"], output_names=["logits"], opset_version=17,
        dynamic_axes={"crops": {0: "n"}, "logits": {0: "n"}}, dynamo=False,
    )  # fmt: skip


def batch_loss(answer: Any, truth: dict[str, Any], upside_down: Any) -> Any:
    """answer: float (n, ANSWERS).  truth: rows of `targets`."""
    import torch
    from torch.nn import functional

    classes = truth["classes"]
    named = classes >= 0
    loss = functional.binary_cross_entropy_with_logits(answer[:, _WHOLE], truth["iou"]) * _WHOLE_GAIN
    if bool(named.any()):
        logits = answer[named, : len(CHROMOSOMES)]
        loss = loss + functional.cross_entropy(logits, classes[named], label_smoothing=0.03)
    weight = truth["clear"]
    p_up = (truth["p_up"] ^ upside_down).float()
    each = functional.binary_cross_entropy_with_logits(answer[:, _P_UP], p_up, reduction="none")
    return loss + _P_UP_GAIN * (each * weight).sum() / torch.clamp(weight.sum(), min=1.0)


def targets(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What each candidate's answers should be.  clear: float32 (n,) 0..1, how surely its orientation is known."""
    found = polarity.orient(rows["crops"], np.where(rows["own"], rows["classes"], -1))
    return {
        "classes": rows["classes"],
        "iou": rows["iou"].astype(np.float32),
        "p_up": found.p_up,
        "clear": np.minimum(found.margin / _CLEAR, 1.0).astype(np.float32),
    }


def _asked(rows: dict[str, np.ndarray]) -> np.ndarray:
    """int (m,): the rows of one round.  What the detector found comes twice: only there is what is no chromosome."""
    found = np.flatnonzero(rows["detector"].max(axis=1) > 1.01 / len(CHROMOSOMES))
    return np.concatenate([np.arange(len(rows["classes"])), found])


def figures(model: Any, rows: dict[str, np.ndarray], truth: dict[str, np.ndarray]) -> dict[str, float]:
    """Shares of the annotated chromosomes named right and, of those whose orientation is clear, turned right; the
    correlation of "one whole chromosome" with the true IoU."""
    answer = logits_of(model, rows["crops"])
    own = rows["own"]
    clear = own & (truth["clear"] >= 1)
    whole = 1 / (1 + np.exp(-answer[:, _WHOLE]))
    return {
        "right": round(float((answer[own, : len(CHROMOSOMES)].argmax(1) == rows["classes"][own]).mean()), 4),
        "turned": round(float(((answer[clear, _P_UP] > 0) == truth["p_up"][clear]).mean()), 4),
        "whole": round(float(np.corrcoef(whole, rows["iou"])[0, 1]), 4),
    }


def train(
    *,
    crops: Path,
    out: Path,
    cpu_hours: float,
    batch: int,
    rate: float,
    threads: int = 2,
    start: Path | None = None,
    device: str = "",
) -> None:
    """Train from nothing or from `start` (a shipped .onnx), or from `out/last.pt` where a run was stopped, until
    `cpu_hours` are spent.  crops: what `inference.training.candidates` made."""
    import torch

    out.mkdir(parents=True, exist_ok=True)
    machine = hardware(device, threads)
    rows, held = candidates.load(crops, "train"), candidates.load(crops, "val")
    known, held_known = targets(rows), targets(held)
    some = {name: values[::4] for name, values in held.items()}
    some_known = {name: values[::4] for name, values in held_known.items()}
    model = build()
    if start is not None:
        begin_with(model, start, rows["crops"][: 8 * batch])
    model = model.to(machine.device, memory_format=torch.channels_last)
    ema = copy.deepcopy(model).eval()
    optimiser = muon.optimiser(model, rate, decay=0.02, bfloat16=machine.bfloat16)
    last, parts = out / "last.pt", {"model": model, "ema": ema, "optimiser": optimiser}
    state = taken_up(last, parts)
    spent, step = state.get("spent", 0.0), state.get("step", 0)
    rng = np.random.default_rng(step)
    asked = _asked(rows)
    order = rng.permutation(asked)
    place, recent, clock = 0, [], time.process_time()

    def keep() -> None:
        save_run(last, parts, spent=spent, step=step)

    def finish() -> None:
        keep()
        export(ema, out / "classifier.onnx")
        found = figures(ema, held, held_known) | {"crops_seen": step * batch, "cpu_hours": spent / 3600}
        (out / "result.json").write_text(json.dumps(found))

    while spent < cpu_hours * 3600:
        if place + batch > len(order):
            order, place = rng.permutation(asked), 0
        chosen = np.sort(order[place : place + batch])
        place += batch
        share = min(1.0, spent / (cpu_hours * 3600))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 200) * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
        model.train()
        truth = machine.place({name: torch.from_numpy(values[chosen]) for name, values in known.items()})
        seen, upside_down = augmented(machine.place(torch.from_numpy(rows["crops"][chosen])))
        with machine.numbers():
            answer = model(seen.contiguous(memory_format=torch.channels_last))
        loss = batch_loss(answer.float(), truth, upside_down)
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
                line |= figures(ema, some, some_known)
                keep()
            with (out / "progress.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            recent = []
    finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=Path, default=Path("training-runs/candidates"))
    parser.add_argument("--out", type=Path, default=Path("training-runs/classifier"))
    parser.add_argument("--cpu-hours", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--start", type=Path, help="a shipped classifier (.onnx) to begin with")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="")
    train(**vars(parser.parse_args()))


if __name__ == "__main__":
    interrupts.program(main)
