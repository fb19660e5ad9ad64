"""Training of the second look at cuts (inference.stages.beside): each with what the others take.

Whole made scenes are cut by the shipped segmenter, from boxes with a detector's errors and with false ones among them;
what it saw of each chromosome, and the exact mask, are kept in a file.  A small network over that learns how the first
answer's logits are to be moved, and what IoU is to be expected then.  At first it sees whole windows; from WHOLE of the
run on, as in use, only the part around the box, with its means and variances held, for a batch of parts is one of
chromosomes alike in size.  What is exported is the mean of the weights at both ends, the later ones counting LATE.
The rate falls along a cosine over `cpu_hours` of processor time; resumable from `last.pt`.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from inference.protocols import Mask
from inference.stages.beside import PLANES, part_of, planes
from inference.stages.window import LARGE, SMALL
from inference.training import muon
from inference.training.beside_model import Beside, export
from inference.training.cutouts import kept, shrunk, tight_boxes
from inference.training.hardware import hardware
from inference.training.interrupts import pause_point, program
from inference.training.keeping import follow, save_run, taken_up
from inference.training.sam import ious, laid_scene, mask_loss
from inference.training.sam_prompts import OTHERS_COUNT, SHARED_COUNTS, as_detected, window_bits
from inference.training.scenes import Composed, boxes_of, exposed

FIELD = 416  # the side of a scene
LAID, LAID_INTO_DRAWN = (12, 24), (0, 8)
DRAWN = 0.45  # share of scenes that are made of drawn fields
ERRS = 0.0, 0.02, 0.05  # of a box's sides, what a scene's boxes are off by beside what people draw
LONE = 0.3  # share of the lone chromosomes that are learned from
# A detector draws wide boxes around what it never saw.  Who has learned from close ones alone cuts as wide as they are.
WIDE, WIDE_LONE = 0.6, 0.6  # of the scenes of drawn fields, and what is then learned of the lone ones
WIDER, UNEVEN = (2.0, 7.0), 1.2  # working pixels on each side, and how they scatter within a scene
WHOLE = 0.6  # share of a run in which whole windows are seen
LATE = 0.75  # of what is exported, the weights at the run's end
HELD = 20  # every so many-th scene is for judging
_SCALE = np.array([255, 15, 15, 80, 255], np.float32)[:, None, None]  # of planes, kept as bytes
_MIDDLE = np.array([0, 128, 128, 0, 0], np.float32)[:, None, None]


@dataclass
class Rows:
    """Of windows of one size.  seen: uint8 (n, PLANES, side, side), packed.  truth, others: bool (n, side, side), the
    chromosome and all others.  expected: float32 (n,), by the first look.  held: bool (n,), for judging."""

    seen: list[np.ndarray] = field(default_factory=list)
    truth: list[np.ndarray] = field(default_factory=list)
    others: list[np.ndarray] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)


def packed(seen: np.ndarray) -> np.ndarray:
    """Planes as bytes, uint8 of the same shape (…, PLANES, side, side)."""
    return np.asarray(np.clip(np.rint(seen * _SCALE + _MIDDLE), 0, 255).astype(np.uint8))


def unpacked(seen: Any) -> Any:
    """As a float tensor what `packed` made, a uint8 tensor."""
    import torch

    return (seen.float() - torch.from_numpy(_MIDDLE).to(seen.device)) / torch.from_numpy(_SCALE).to(seen.device)


def wide_boxes(composed: Composed, rng: random.Random) -> np.ndarray:
    """float32 (n, 4): as a detector draws them around what it never saw."""
    room = rng.uniform(*WIDER)
    tight = tight_boxes([one.mask for one in composed.placed])
    sides = np.array([[max(0.0, rng.gauss(room, UNEVEN)) for _ in range(4)] for _ in tight])
    return np.asarray(tight + sides * [-1, -1, 1, 1], np.float32)


def learn_from(
    composed: Composed, segmenter: Any, rng: random.Random, rows: dict[int, Rows], held: bool, wide: bool = False
) -> None:
    """Adds what the segmenter makes of a scene's chromosomes.  rows: by the windows' side.  wide: whether boxes are."""
    around = wide_boxes(composed, rng) if wide else boxes_of(composed, rng)
    boxes, sure = as_detected(around, composed.others, rng)
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    errs = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.choice(ERRS), boxes.shape)
    boxes = (boxes + errs * sides).astype(np.float32)
    pixels = 255 - exposed(composed.density, rng)
    embedding = segmenter.embed(pixels, boxes)
    scale = float(embedding["scale"])
    answers = segmenter.first_answers(embedding, boxes, sure)
    seen = planes(segmenter.density(pixels, embedding), answers, boxes * scale, sure)
    masks: list[Mask] = [one.mask if scale == 1 else shrunk(one.mask, scale) for one in composed.placed]
    for row, (mask, one) in enumerate(zip(masks, composed.placed, strict=True)):
        if row not in seen or (one.kind == "lone" and rng.random() > (WIDE_LONE if wide else LONE)):
            continue
        _, window, expected = answers[row]
        truth = window_bits(mask, *window)
        if not truth.any():
            continue
        others = np.zeros_like(truth)
        for other in masks[:row] + masks[row + 1 :]:
            others |= window_bits(other, *window)
        into = rows[window[2]]
        into.seen.append(packed(seen[row]))
        into.truth.append(truth)
        into.others.append(others)
        into.expected.append(expected)
        into.held.append(held)


def make(scenes: Path, out: Path, count: int, *, seed: int = 0, threads: int = 1, shown: bool = True) -> None:
    """Writes out/SIDE.npz for both sizes of window, from `count` made scenes."""
    from types import SimpleNamespace

    import cv2

    from inference import registry

    cv2.setNumThreads(threads)
    configuration: Any = SimpleNamespace(segmenter="shipped", device="cpu", worker_threads=threads)
    segmenter = registry.segmenter(configuration)
    known = kept(scenes)
    real = [scene for scene in known if not scene.drawn and len(scene.masks) > 3]
    drawn = [scene for scene in known if scene.drawn]
    rng = random.Random(seed)
    rows = {SMALL: Rows(), LARGE: Rows()}
    for number in tqdm(range(count), desc="cutting scenes", mininterval=2, disable=not shown):
        pause_point(lambda: None)
        of_drawn = bool(drawn) and rng.random() < DRAWN
        laid = LAID_INTO_DRAWN if of_drawn else LAID
        composed = laid_scene(drawn if of_drawn else real, FIELD, laid, rng)
        if composed.placed:
            wide = of_drawn and rng.random() < WIDE
            learn_from(composed, segmenter, rng, rows, held=number % HELD == 0, wide=wide)
    out.mkdir(parents=True, exist_ok=True)
    for side, one in rows.items():
        empty = np.zeros((0, PLANES, side, side), np.uint8)
        temporary = out / f"{side}.tmp.npz"
        np.savez(
            temporary,
            seen=np.stack(one.seen) if one.seen else empty,
            truth=np.stack(one.truth) if one.truth else empty[:, 0] > 0,
            others=np.stack(one.others) if one.others else empty[:, 0] > 0,
            expected=np.array(one.expected, np.float32),
            held=np.array(one.held, bool),
        )
        temporary.replace(out / f"{side}.npz")


def batch_loss(answer: Any, batch: dict[str, Any]) -> Any:
    """answer: logits (n, 1, side, side) and expected IoU (n,).  As the segmenter's own: what two share counts most,
    then what is another's; and the error of what is expected."""
    truth, others = batch["truth"].float(), batch["others"].float()
    counts = 1 + SHARED_COUNTS * others * truth + OTHERS_COUNT * others * (1 - truth)
    missed, iou = mask_loss(answer[0].float(), truth, counts)
    return (missed + (answer[1].float() - iou) ** 2).mean()


def figures(model: Any, rows: dict[str, Any], batch: int = 32) -> dict[str, float]:
    """Mean IoU before and after, and how far off what is expected is then, of the rows for judging."""
    import torch

    model.eval()
    before, after, errors = [], [], []
    with torch.no_grad():
        for members in alike(rows["seen"]):
            for chosen in members.split(batch):
                part = near_boxes(_of_rows(rows, chosen))
                seen = unpacked(part["seen"])
                logits, expected = model(seen, part["expected"])
                found = ious(logits, part["truth"])
                before.append(ious(seen[:, 1], part["truth"]))
                after.append(found)
                errors.append((expected.float() - found).abs())
    return {
        name: round(float(torch.cat(values).mean()), 4)
        for name, values in (("before", before), ("after", after), ("error", errors))
        if values
    }


def _of_rows(rows: dict[str, Any], chosen: Any) -> dict[str, Any]:
    return {name: values[chosen] for name, values in rows.items()}


def _part(seen: Any) -> tuple[slice, slice]:
    """`part_of` for planes as they are kept, (PLANES, side, side)."""
    inside = seen[-1] > 0
    (rows,), (columns,) = (inside.any(axis).nonzero(as_tuple=True) for axis in (1, 0))
    if not len(rows):
        return slice(None), slice(None)
    edges = [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]
    return part_of(np.array(edges, np.float64), seen.shape[-1])


def alike(seen: Any) -> list[Any]:
    """Numbers of rows whose parts are of one size.  seen: uint8 (n, PLANES, side, side)."""
    import torch

    found: dict[tuple[int, int], list[int]] = {}
    for row, planes_of_one in enumerate(seen):
        down, across = _part(planes_of_one)
        found.setdefault((down.stop - down.start, across.stop - across.start), []).append(row)
    return [torch.tensor(rows) for rows in found.values()]


def near_boxes(batch: dict[str, Any]) -> dict[str, Any]:
    """Of rows that are `alike`, only the part around each box."""
    import torch

    parts = [_part(seen) for seen in batch["seen"]]
    return {
        name: values
        if name == "expected"
        else torch.stack([one[..., down, across] for one, (down, across) in zip(values, parts, strict=True)])
        for name, values in batch.items()
    }


class _Drawn:
    """Rows to learn from, drawn by chance: whole windows, or parts around boxes that are alike in size."""

    def __init__(self, rows: dict[str, Any], count: int) -> None:
        self._rows, self._count, self._alike = rows, count, alike(rows["seen"])
        self._kinds = {int(row): kind for kind, of_kind in enumerate(self._alike) for row in of_kind}

    def batch(self, rng: random.Random, parts_only: bool) -> dict[str, Any]:
        chosen = [rng.randrange(len(self._kinds)) for _ in range(self._count)]
        if not parts_only:
            return _of_rows(self._rows, chosen)
        same = self._alike[self._kinds[chosen[0]]].tolist()
        return near_boxes(_of_rows(self._rows, rng.sample(same, min(self._count, len(same)))))


def _turned(batch: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    turns, mirrored = rng.randrange(4), rng.random() < 0.5

    def turn(value: Any) -> Any:
        value = value.rot90(turns, (-2, -1))
        return value.flip(-1) if mirrored else value

    return {name: value if name == "expected" else turn(value) for name, value in batch.items()}


def load(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors of the rows to learn from, and of those for judging."""
    import torch

    with np.load(path) as kept_rows:
        held = kept_rows["held"]
        whole = {name: kept_rows[name] for name in ("seen", "truth", "others", "expected")}
    parts = ({name: torch.from_numpy(values[rows]) for name, values in whole.items()} for rows in (~held, held))
    learned, judged = parts
    return learned, judged


def train(
    *, rows: Path, out: Path, cpu_hours: float, batch: int, rate: float, threads: int = 2, device: str = "",
    seed: int = 0,
) -> None:  # fmt: skip
    """Train from nothing, or go on from out/last.pt, until `cpu_hours` are spent; writes out/beside.onnx.  rows: what
    `make` wrote."""
    import torch

    out.mkdir(parents=True, exist_ok=True)
    machine = hardware(device, threads)
    small, judged = load(rows / f"{SMALL}.npz")
    large, _ = load(rows / f"{LARGE}.npz")
    model: Any = Beside().to(machine.device).to(memory_format=torch.channels_last)
    ema = copy.deepcopy(model).eval()
    optimiser = muon.optimiser(model, rate, decay=0.02, bfloat16=machine.bfloat16)
    whole = copy.deepcopy(ema)  # as it is when the last whole windows have been seen
    last, parts = out / "last.pt", {"model": model, "ema": ema, "whole": whole, "optimiser": optimiser}
    state = taken_up(last, parts)
    spent, step = state.get("spent", 0.0), state.get("step", 0)
    rng, clock, recent = random.Random(f"{seed} {step}"), time.process_time(), []
    share_large = len(large["truth"]) / max(1, len(large["truth"]) + len(small["truth"]))
    drawn = {SMALL: _Drawn(small, batch), LARGE: _Drawn(large, max(1, batch // 4))}

    def keep() -> None:
        if spent < WHOLE * cpu_hours * 3600:
            whole.load_state_dict(ema.state_dict())
        save_run(last, parts, spent=spent, step=step)

    while spent < cpu_hours * 3600:
        share = min(1.0, spent / (cpu_hours * 3600))
        side = LARGE if rng.random() < share_large * 2 else SMALL
        given = machine.place(_turned(drawn[side].batch(rng, share >= WHOLE), rng))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50) * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
        model.train()
        if share >= WHOLE:
            for layer in model.modules():
                layer.train(not isinstance(layer, torch.nn.BatchNorm2d))
        with machine.numbers():
            answer = model(unpacked(given["seen"]).contiguous(memory_format=torch.channels_last), given["expected"])
        loss = batch_loss(answer, given)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        follow(ema, model, min(0.997, 1 - 1 / (step / 4 + 2)))
        recent.append(float(loss.detach()))
        spent, clock = spent + time.process_time() - clock, time.process_time()
        pause_point(keep)
        if step % 100 == 0:
            line = {"step": step, "cpu_hours": round(spent / 3600, 4), "loss": round(float(np.mean(recent)), 4)}
            line |= figures(ema, judged) if step % 500 == 0 else {}
            with (out / "progress.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            recent = []
            keep()
    keep()
    follow(whole, ema, 1 - LATE)
    export(whole, out / "beside.onnx")
    (out / "result.json").write_text(json.dumps(figures(whole, judged) | {"cpu_hours": spent / 3600}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=Path, default=Path("training-runs/scenes/scenes.npz"))
    parser.add_argument("--rows", type=Path, default=Path("training-runs/beside/rows"))
    parser.add_argument("--count", type=int, default=600, help="scenes to cut, where --rows has none")
    parser.add_argument("--out", type=Path, default=Path("training-runs/beside"))
    parser.add_argument("--cpu-hours", type=float, default=0.4)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="")
    given = vars(parser.parse_args())
    scenes, count = given.pop("scenes"), given.pop("count")
    if not (given["rows"] / f"{LARGE}.npz").exists():
        make(scenes, given["rows"], count, threads=given["threads"])
    train(**given)


if __name__ == "__main__":
    program(main)
