"""Training of the second look at cuts (inference.stages.beside): each with what the others take.

Whole made scenes are cut by the shipped segmenter, from boxes with a detector's errors and with false ones among them;
what it saw of each chromosome, and the exact mask, are kept in a file (inference.training.beside_rows).  A small
network over that learns how the answer's logits are to be moved, and what IoU is to be expected then.  Begun with
nothing, it sees whole windows at first; from WHOLE of the run on, as in use, only the part around the box, with its
means and variances held, for a batch of parts is one of chromosomes alike in size; what is exported is the mean of the
weights at both ends, the later ones counting LATE.  Begun with a shipped one (inference.training.beside_start) it sees
parts alone, and the mean is that of the shipped weights and the later ones, which cuts better than either.  The rate
falls along a cosine over `cpu_hours` of processor time; resumable from `last.pt`.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.stages.beside import BOX, part_of
from inference.stages.window import LARGE, SMALL
from inference.training import muon
from inference.training.beside_model import Beside, export
from inference.training.beside_rows import make, unpacked
from inference.training.beside_start import begin_with
from inference.training.hardware import hardware
from inference.training.interrupts import pause_point, program
from inference.training.keeping import follow, save_run, taken_up
from inference.training.sam import ious, mask_loss
from inference.training.sam_prompts import OTHERS_COUNT, SHARED_COUNTS

WHOLE = 0.6  # share of a run in which whole windows are seen
LATE = 0.75  # of what is exported, the weights at the run's end
CROSSING = 0.5  # what the crossing itself counts beside the whole
_ENOUGH = 20.0  # pixels of a crossing
_SETTLING = 128  # windows by which normalisations are set


def batch_loss(answer: Any, batch: dict[str, Any]) -> Any:
    """answer: logits (n, 1, side, side) and expected IoU (n,).  As the segmenter's own: what two share counts most,
    then what is another's; Dice of what is shared, by itself; and the error of what is expected."""
    truth, others = batch["truth"].float(), batch["others"].float()
    counts = 1 + SHARED_COUNTS * others * truth + OTHERS_COUNT * others * (1 - truth)
    logits = answer[0].float()
    missed, iou = mask_loss(logits, truth, counts)
    return (missed + CROSSING * crossing_loss(logits, truth, others) + (answer[1].float() - iou) ** 2).mean()


def crossing_loss(logits: Any, truth: Any, others: Any) -> Any:
    """float (n,): 1 − Dice of what is taken and what is to be of the others' pixels; nothing where no _ENOUGH are
    shared."""
    import torch

    taken = torch.sigmoid(logits.flatten(1)) * others.flatten(1)
    shared = truth.flatten(1) * others.flatten(1)
    dice = (2 * (taken * shared).sum(1) + 1) / (taken.sum(1) + shared.sum(1) + 1)
    return (1 - dice) * (shared.sum(1) >= _ENOUGH)


def figures(model: Any, rows: dict[str, Any], batch: int = 32) -> dict[str, float]:
    """Mean IoU before and after, and how far off what is expected is then, of the rows for judging."""
    import torch

    model.eval()
    before, after, errors, crossing = [], [], [], []
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
                shared = (part["truth"] & part["others"]).flatten(1)
                there = shared.sum(1) >= _ENOUGH
                taken = logits.flatten(1).masked_fill(~part["others"].flatten(1), -1.0)
                crossing.append(ious(taken[there], shared[there]))
    return {
        name: round(float(torch.cat(values).mean()), 4)
        for name, values in (("before", before), ("after", after), ("error", errors), ("crossing", crossing))
        if values
    }


def _of_rows(rows: dict[str, Any], chosen: Any) -> dict[str, Any]:
    return {name: values[chosen] for name, values in rows.items()}


def _part(seen: Any) -> tuple[slice, slice]:
    """`part_of` for planes as they are kept, (PLANES, side, side)."""
    inside = seen[BOX] > 0
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


def load(paths: Sequence[Path]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tensors of the rows to learn from, and of those for judging, of all files together."""
    import torch

    parts: list[list[dict[str, Any]]] = [[], []]
    for path in paths:
        with np.load(path) as kept_rows:
            held = kept_rows["held"]
            whole = {name: kept_rows[name] for name in ("seen", "truth", "others", "expected")}
        for into, rows in zip(parts, (~held, held), strict=True):
            into.append({name: torch.from_numpy(values[rows]) for name, values in whole.items()})
    learned, judged = ({name: torch.cat([one[name] for one in of]) for name in of[0]} for of in parts)
    return learned, judged


def train(
    *, rows: Sequence[Path], out: Path, cpu_hours: float, batch: int, rate: float, threads: int = 2, device: str = "",
    seed: int = 0, start: Path | None = None,
) -> None:  # fmt: skip
    """Train from nothing, from `start` (a shipped .beside.onnx), or on from out/last.pt, until `cpu_hours` are spent;
    writes out/beside.onnx.  rows: folders of what `make` wrote."""
    import torch

    out.mkdir(parents=True, exist_ok=True)
    machine = hardware(device, threads)
    small, judged = load([folder / f"{SMALL}.npz" for folder in rows])
    large, _ = load([folder / f"{LARGE}.npz" for folder in rows])
    whole_for = WHOLE if start is None else 0.0
    model: Any = (
        Beside()
        if start is None
        else begin_with(start, unpacked(small["seen"][:_SETTLING]), small["expected"][:_SETTLING])
    )
    model = model.to(machine.device).to(memory_format=torch.channels_last)
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
        if spent < whole_for * cpu_hours * 3600:
            whole.load_state_dict(ema.state_dict())
        save_run(last, parts, spent=spent, step=step)

    while spent < cpu_hours * 3600:
        share = min(1.0, spent / (cpu_hours * 3600))
        side = LARGE if rng.random() < share_large * 2 else SMALL
        given = machine.place(_turned(drawn[side].batch(rng, share >= whole_for), rng))
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 50) * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
        model.train()
        if share >= whole_for:
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
            line |= figures(ema, judged) if step % 2000 == 0 else {}
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
    parser.add_argument("--rows", type=Path, nargs="+", default=[Path("training-runs/beside/rows")])
    parser.add_argument("--start", type=Path, help="a shipped .beside.onnx to begin with")
    parser.add_argument("--count", type=int, default=600, help="scenes to cut, where the first of --rows has none")
    parser.add_argument("--out", type=Path, default=Path("training-runs/beside"))
    parser.add_argument("--cpu-hours", type=float, default=0.4)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="")
    given = vars(parser.parse_args())
    scenes, count = given.pop("scenes"), given.pop("count")
    if not (given["rows"][0] / f"{LARGE}.npz").exists():
        make(scenes, given["rows"][0], count, threads=given["threads"])
    train(**given)


if __name__ == "__main__":
    program(main)
