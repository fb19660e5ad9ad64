"""Training of the compact SAM on scenes that are known exactly (inference.training.scenes).

Prompts as they come in use: boxes with a detector's errors, boxes and clicks, clicks alone, and a present mask with
clicks where it is wrong (inference.training.sam_prompts).  Channels last, bfloat16 where the machine multiplies it;
the rate falls along a cosine over `cpu_hours` of processor time; resumable from `last.pt`; both files to ship are
written at the end.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

from inference.stages.window import LARGE, SMALL
from inference.training import muon
from inference.training.cutouts import Scene, kept
from inference.training.hardware import hardware
from inference.training.interrupts import pause_point, program
from inference.training.keeping import follow, save_run, taken_up
from inference.training.sam_prompts import SLOTS, Prompt, prompt_for, told
from inference.training.scenes import Composed, boxes_of, compose, crop_of, donor, exposed

FIELD = 288  # the side of a training scene
PROMPTS = 14  # a scene
DRAWN_SHARE = 0.25
# Chromosomes laid into a scene, at least and at most: seeing the scene costs three times what its prompts cost.
LAID, LAID_INTO_DRAWN = (6, 12), (0, 4)
HEAPS = 0.35  # of the chromosomes laid into a scene: upon the one laid last


def laid_scene(pool: list[Scene], side: int, laid: tuple[int, int], rng: random.Random) -> Composed:
    """A square of one of the cells, with lone chromosomes of any of them laid into it, at least and at most so many."""
    base = crop_of(rng.choice(pool), side, rng)
    donors = []
    for _ in range(rng.randint(*laid)):
        scene = rng.choice(pool)
        donors.append(donor(scene, rng.randrange(len(scene.masks)), rng))
    return compose(base, donors, rng, heaps=HEAPS)


class Scenes:
    """A torch dataset without end (duck-typed).  seed: of all chance; first: the number of the first scene, so that
    a run that goes on does not see the same ones again."""

    def __init__(self, scenes: list[Scene], seed: int = 0, first: int = 0) -> None:
        self.seed, self.first = seed, first
        self.real = [scene for scene in scenes if not scene.drawn and len(scene.masks) > 3]
        self.drawn = [scene for scene in scenes if scene.drawn]

    def __len__(self) -> int:
        return 10_000_000

    def __getitem__(self, number: int) -> tuple[np.ndarray, list[Prompt]]:
        import cv2

        cv2.setNumThreads(0)
        rng = random.Random(f"{self.seed} {self.first + number}")
        while True:
            pool = self.drawn if self.drawn and rng.random() < DRAWN_SHARE else self.real
            composed = laid_scene(pool, FIELD, LAID if pool is self.real else LAID_INTO_DRAWN, rng)
            if composed.placed:
                break
        boxes = boxes_of(composed, rng)
        order = list(range(len(composed.placed)))
        rng.shuffle(order)
        order.sort(key=lambda index: composed.placed[index].kind == "lone")
        lone = [index for index in order if composed.placed[index].kind == "lone"][:3]
        chosen = ([index for index in order if composed.placed[index].kind != "lone"] + lone)[:PROMPTS]
        around = told(boxes, composed.others, rng)
        prompts = [prompt_for(composed, index, boxes[index], around[index], rng) for index in chosen]
        return exposed(composed.density, rng), prompts


def collate(samples: list[tuple[np.ndarray, list[Prompt]]]) -> dict[str, Any]:
    """Fields float (b, 1, FIELD, FIELD), and for each window size its prompts as tensors."""
    import torch

    fields = torch.from_numpy(np.stack([field for field, _ in samples])).float().div_(255)[:, None]
    groups = {}
    for size in (SMALL, LARGE):
        rows = [
            (owner, prompt) for owner, (_, prompts) in enumerate(samples) for prompt in prompts if prompt.side == size
        ]
        if not rows:
            continue
        points = np.zeros((len(rows), SLOTS, 2), np.float32)
        labels = np.full((len(rows), SLOTS), -1, np.float32)
        present = np.zeros((len(rows), 1, size, size), np.float32)
        for row, (_, prompt) in enumerate(rows):
            for slot, (x, y, label) in enumerate(prompt.points):
                points[row, slot], labels[row, slot] = (x, y), label
            if prompt.present is not None:
                present[row, 0] = np.where(prompt.present, 6.0, -6.0)
        groups[size] = {
            "owners": [owner for owner, _ in rows],
            "corners": [(prompt.left, prompt.top) for _, prompt in rows],
            "points": torch.from_numpy(points),
            "labels": torch.from_numpy(labels),
            "present": torch.from_numpy(present),
            "has": torch.tensor([float(prompt.present is not None) for _, prompt in rows]),
            "neighbours": torch.from_numpy(np.stack([prompt.neighbours for _, prompt in rows])),
            "truth": torch.from_numpy(np.stack([prompt.truth for _, prompt in rows])).float()[:, None],
            "counts": torch.from_numpy(np.stack([prompt.counts for _, prompt in rows]))[:, None],
        }
    return {"fields": fields.contiguous(memory_format=torch.channels_last), "groups": groups}


def mask_loss(logits: Any, truth: Any, counts: Any) -> tuple[Any, Any]:
    """float (n,) both: cross-entropy in which hard pixels and those that count more weigh more, plus Dice; and the IoU.
    logits, truth, counts: float, alike, the prompts first."""
    import torch
    from torch.nn import functional

    logits, truth, counts = logits.flatten(1), truth.flatten(1), counts.flatten(1)
    shares = torch.sigmoid(logits)
    surprise = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    hard = ((shares - truth).abs().detach() + 0.1) ** 0.5 * counts
    crossed = (surprise * hard).sum(1) / truth.sum(1).clamp(min=40)
    dice = 1 - (2 * (shares * truth).sum(1) + 1) / (shares.sum(1) + truth.sum(1) + 1)
    return crossed + dice, ious(logits, truth > 0)


def ious(logits: Any, truth: Any) -> Any:
    """float (n,).  truth: bool, as the logits, the prompts first."""
    found, truth = logits.flatten(1) > 0, truth.flatten(1)
    both = (found & truth).sum(1).float()
    return both / (found.sum(1) + truth.sum(1) - both).clamp(min=1)


def batch_loss(model: Any, batch: dict[str, Any]) -> tuple[Any, dict[str, float]]:
    """Cross-entropy (hard pixels count more) + Dice + the error of the expected IoU, a mean over prompts."""
    import torch

    from inference.training.sam_model import windows

    embedding, middle, fine = model.image_encoder(batch["fields"])
    losses, ious, errors = [], [], []
    for size, group in batch["groups"].items():
        views = [
            windows(
                features,
                group["owners"],
                [(left // step, top // step) for left, top in group["corners"]],
                size // step,
            )
            for features, step in ((embedding, 4), (middle, 2), (fine, 1))
        ]
        told_by = [group[name] for name in ("points", "labels", "present", "has", "neighbours")]
        logits, expected = model.prompt(*views, *told_by)
        logits, expected, truth = logits.float(), expected.float()[:, 0], group["truth"]
        missed, iou = mask_loss(logits, truth, group["counts"])
        losses.append(missed + (expected - iou) ** 2)
        ious.append(iou.detach())
        errors.append((expected - iou).abs().detach())
    loss = torch.cat(losses)
    return loss.mean(), {"iou": float(torch.cat(ious).mean()), "expected": float(torch.cat(errors).mean())}


def train(
    *,
    scenes: Path,
    out: Path,
    cpu_hours: float,
    batch: int,
    rate: float,
    threads: int = 2,
    start: Path | None = None,
    device: str = "",
    loaders: int = 1,
    seed: int = 0,
) -> None:
    """Train from nothing or from `start` (a checkpoint, or a shipped .field.onnx), or go on from out/last.pt, until
    `cpu_hours` are spent."""
    import copy

    import torch

    from inference.training.sam_export import begin_with, write
    from inference.training.sam_model import CompactSam

    out.mkdir(parents=True, exist_ok=True)
    machine = hardware(device, threads)
    model: Any = CompactSam().to(machine.device).to(memory_format=torch.channels_last)
    whole: Any = Scenes(kept(scenes), seed)
    if start is not None and start.suffix == ".onnx":
        fields = collate([whole[number] for number in range(4)])["fields"].to(machine.device)
        begin_with(model, start, start.with_name(start.name.replace(".field.", ".prompt.")), fields)
    elif start is not None:
        model.load_state_dict(torch.load(start, weights_only=True)["model"], strict=False)
    ema = copy.deepcopy(model)
    optimiser = muon.optimiser(model, rate, decay=0.02, bfloat16=machine.bfloat16)
    last, parts = out / "last.pt", {"model": model, "ema": ema, "optimiser": optimiser}
    state = taken_up(last, parts)
    spent, step = state.get("spent", 0.0), state.get("step", 0)
    whole.first = step * batch
    loader: Any = torch.utils.data.DataLoader(
        whole, batch_size=batch, num_workers=loaders, collate_fn=collate, prefetch_factor=4
    )
    clock = time.process_time()
    notes: list[dict[str, float]] = []

    def keep() -> None:
        save_run(last, parts, spent=spent, step=step)

    model.train()
    if start is not None:
        for module in model.modules():  # four pictures would measure worse than what is known
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
    for samples in loader:
        share = min(1.0, spent / (cpu_hours * 3600))
        now = rate * min(1.0, (step + 1) / 150) * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
        for settings in optimiser.param_groups:
            settings["lr"] = now
        samples = machine.place(samples)
        with machine.numbers():
            loss, items = batch_loss(model, samples)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        decay = min(0.997, 1 - 1 / (step / 4 + 2))
        follow(ema, model, decay)
        spent, clock = spent + time.process_time() - clock, time.process_time()
        notes.append({"loss": float(loss.detach()), **items})
        if step % 25 == 0:
            line = {"step": step, "cpu_hours": round(spent / 3600, 4), "rate": now}
            line |= {key: round(float(np.mean([note[key] for note in notes])), 4) for key in notes[0]}
            with (out / "progress.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            notes = []
        if step % 100 == 0:
            keep()
        pause_point(keep)
        if spent >= cpu_hours * 3600:
            break
    keep()
    write(last, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=Path, default=Path("training-runs/scenes/scenes.npz"))
    parser.add_argument("--out", type=Path, default=Path("training-runs/sam"))
    parser.add_argument("--cpu-hours", type=float, default=1.5)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--start", type=Path, help="a checkpoint, or a shipped .field.onnx, to begin with")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="")
    parser.add_argument("--loaders", type=int, default=1, help="processes that lay scenes")
    train(**vars(parser.parse_args()))


if __name__ == "__main__":
    program(main)
