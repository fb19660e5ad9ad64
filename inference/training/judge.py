"""The judge: which of all candidates of a cell are its chromosomes (inference.stages.together).

A small network that goes round four times.  Each time every candidate hears its neighbours, each by the chance that it
is a chromosome; how much of it they explain, were it so; and what the cell would lack and have too many of.  Then
it changes its mind.  Where several candidates fit one chromosome, the network's own favourite among them is the right
one (as in DETR, N. Carion et al. 2020, arXiv:2005.12872): which one it takes does not matter, that it takes one does.

Fit it on cells that the crop classifier was not trained on, for of those it is surer than of any to come.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.labels import CHROMOSOMES
from inference.stages.together import PAIRS, ROWS, SIZE, Described
from inference.training.judged import Judged, load, sizes

MODEL_NAME = "kary-cell"
_WIDE, _HEARD, _NAMED = 48, 32, 8
_ROUNDS = 4
_ROUND_COUNTS = (0.1, 0.2, 0.3, 0.6, 1.0)  # of the first guess and each round: early ones shall be sensible, no more
_FITS = 0.5  # IoU from which a candidate may stand for a chromosome
_BETTER_BOX = 3.0  # what an IoU of 1 is worth beside the log-odds where several could


def build(mean: np.ndarray, spread: np.ndarray, usual: np.ndarray) -> Any:
    """A torch module: `Described` with a leading batch, and `there` float32 (b, n), 0 where a row is padding → list of
    log-odds (b, n), the first guess and one of each round.  mean, spread: float (ROWS,), what rows are brought to 0
    and 1 by.  usual: float (24,), the usual SIZE of each class."""
    import torch
    from torch import nn

    class Judge(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
            self.register_buffer("spread", torch.as_tensor(spread, dtype=torch.float32))
            self.usual = nn.Parameter(torch.as_tensor(usual, dtype=torch.float32))
            self.first = nn.Linear(len(ROWS), 1)
            self.named = nn.Linear(len(CHROMOSOMES), _NAMED)
            self.entrance = nn.Sequential(nn.Linear(len(ROWS) + _NAMED + 2, _WIDE), nn.SiLU(), nn.Linear(_WIDE, _WIDE))
            self.pair, self.one, self.other = (nn.Linear(wide, _HEARD) for wide in (len(PAIRS), _WIDE, _WIDE))
            self.heard = nn.Linear(_HEARD, _HEARD)
            self.mind = nn.Sequential(
                nn.Linear(2 * _WIDE + _HEARD + 8, 2 * _WIDE), nn.SiLU(), nn.Linear(2 * _WIDE, _WIDE)
            )
            self.norm = nn.LayerNorm(_WIDE)
            self.last = nn.Linear(_WIDE, 1)

        def forward(self, cell: dict[str, Any]) -> list[Any]:
            rows = ((cell["rows"] - self.mean) / self.spread).clamp(-5, 5)
            unusual = 2 * (cell["rows"][..., SIZE : SIZE + 1] - (cell["names"] @ self.usual)[..., None])
            begun = self.entrance(torch.cat([rows, self.named(cell["names"]), unusual, unusual.abs()], -1))
            odds, thought = self.first(rows)[..., 0], begun
            pair, near = self.pair(cell["pairs"]), cell["near"][..., None]
            said = [odds]
            for _ in range(_ROUNDS):
                chance = torch.sigmoid(odds).clamp(1e-3, 0.995) * cell["there"]
                heard = torch.nn.functional.silu(
                    pair + self.one(thought)[..., :, None, :] + self.other(thought)[..., None, :, :]
                )
                heard = self.heard((heard * near * chance[..., None, :, None]).sum(-2))
                around = _around(cell, odds, chance)
                thought = self.norm(thought + self.mind(torch.cat([thought, begun, heard, around], -1)))
                odds = self.last(thought)[..., 0]
                said.append(odds)
            return said

    return Judge()


def _around(cell: dict[str, Any], odds: Any, chance: Any) -> Any:
    """float (b, n, 8): what the others' chances mean for each."""
    import torch

    covers, sizes, dark, areas = cell["covers"], cell["sizes"][..., None], cell["dark"][..., None], cell["areas"]
    missing = torch.log1p(-chance)
    alone = torch.exp((covers @ missing[..., None]) - missing[..., None, :])  # no other has this region
    explained = (covers * (1 - alone) * sizes).sum(-2) / areas
    others = covers @ chance[..., None] - chance[..., None, :]
    often = (covers * others.clamp(0, 3) * sizes).sum(-2) / areas
    dark_explained = (covers * (1 - alone) * sizes * (dark - 1)).sum(-2) / areas
    dark_left = (covers * alone * sizes * dark).sum(-2) / areas
    left = (1 - explained) * cell["rows"][..., SIZE]
    told = [
        odds.clamp(-8, 8) / 4, explained, explained**2, left, often, dark_explained, dark_left,
        chance,
    ]  # fmt: skip
    return torch.stack(told, -1)


def targets(odds: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """float32 (n,): 1 for the candidates that stand for a chromosome, so that all together are likeliest.  odds: float
    (n,), the network's.  fits: float (n, m), IoU with the annotated boxes."""
    from scipy.optimize import linear_sum_assignment

    wanted = np.zeros(len(odds), np.float32)
    worth = np.clip(odds, -9, 9)[:, None] + _BETTER_BOX * fits + 20
    rows, columns = linear_sum_assignment(-np.where(fits >= _FITS, worth, -50))
    wanted[rows[fits[rows, columns] >= _FITS]] = 1
    return wanted


def batched(cells: Sequence[Described]) -> dict[str, Any]:
    """Tensors with a leading batch, padded with nothing; `there` says where a candidate is."""
    import torch

    most = [max(len(cell.rows) for cell in cells), max(len(cell.sizes) for cell in cells)]
    axes = {
        "rows": "n.",
        "pairs": "nn.",
        "near": "nn",
        "names": "n.",
        "covers": "rn",
        "sizes": "r",
        "dark": "r",
        "areas": "n",
    }
    batch: dict[str, Any] = {}
    for name, kinds in axes.items():
        arrays = [getattr(cell, name) for cell in cells]
        shape = [{"n": most[0], "r": most[1]}.get(kind, arrays[0].shape[-1]) for kind in kinds]
        padded = np.zeros((len(cells), *shape), np.float32)
        for place, array in zip(padded, arrays, strict=True):
            place[tuple(slice(0, length) for length in array.shape)] = array
        batch[name] = torch.from_numpy(padded)
    batch["areas"] = batch["areas"].clamp(min=1)
    counts = torch.tensor([len(cell.rows) for cell in cells])
    batch["there"] = (torch.arange(most[0])[None] < counts[:, None]).float()
    return batch


def varied(cell: Judged, rng: np.random.Generator, faint: float, real: float) -> Judged:
    """Without some of its candidates, as other weights would find others: of those that stand for nothing `faint`, of
    the others `real`, each a share."""
    stands = cell.fits.max(axis=1, initial=0) >= _FITS
    kept = np.flatnonzero(rng.random(len(stands)) >= np.where(stands, real, faint))
    return cell.only(kept) if len(kept) else cell


def train(
    cells: Sequence[Judged], *, epochs: int, batch: int = 8, rate: float = 3e-3, decay: float = 0.05,
    noise: float = 0.05, faint: float = 0.15, real: float = 0.02, seed: int = 0, threads: int = 1, say: Any = None,
) -> Any:  # fmt: skip
    """The averaged network.  say: called after each epoch with its number and its loss a candidate."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    table = np.concatenate([cell.described.rows for cell in cells])
    model = build(table.mean(axis=0), np.maximum(table.std(axis=0), 1e-3), sizes(cells))
    average = copy.deepcopy(model)
    steps = epochs * math.ceil(len(cells) / batch)
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.15)
    done = 0
    for epoch in range(epochs):
        order, losses = rng.permutation(len(cells)), []
        for start in range(0, len(order), batch):
            shown = [varied(cells[place], rng, faint, real) for place in order[start : start + batch]]
            told = batched([cell.described for cell in shown])
            told["rows"] = told["rows"] + noise * model.spread * torch.randn_like(told["rows"])
            said = model(told)
            last = said[-1].detach().numpy()
            wanted = np.zeros(last.shape, np.float32)
            for place, cell in enumerate(shown):
                count = len(cell.fits)
                wanted[place, :count] = targets(last[place, :count], cell.fits)
            truth, there = torch.from_numpy(wanted), told["there"]
            each = [
                (functional.binary_cross_entropy_with_logits(odds, truth, reduction="none") * there).sum() / there.sum()
                for odds in said
            ]
            optimiser.zero_grad()
            sum(counts * loss for counts, loss in zip(_ROUND_COUNTS, each, strict=True)).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            with torch.no_grad():
                share = min(0.995, done / (done + 20))
                for kept, now in zip(average.parameters(), model.parameters(), strict=True):
                    kept.lerp_(now, 1 - share)
            losses.append(float(each[-1].detach()))
        if say is not None:
            say(epoch, float(np.mean(losses)))
    return average.eval()


def odds_of(models: Sequence[Any], cell: Described) -> np.ndarray:
    """float64 (n,): the mean over the models."""
    import torch

    with torch.no_grad():
        told = batched([cell])
        said = [model(told)[-1][0].numpy() for model in models]
    return np.asarray(np.mean(said, axis=0), np.float64)


def figures(models: Sequence[Any], held: Sequence[Judged]) -> dict[str, float]:
    """On cells that nothing was fitted on: the temperature that makes the log-odds come true best, the loss a candidate
    with it and without, and how many candidates and cells that was."""
    from scipy.optimize import minimize_scalar

    said = [odds_of(models, cell.described) for cell in held]
    truth = np.concatenate([targets(odds, cell.fits) for odds, cell in zip(said, held, strict=True)])
    odds = np.concatenate(said)

    def loss(temperature: float) -> float:
        return float((np.logaddexp(0, odds / temperature) - truth * odds / temperature).mean())

    best = float(minimize_scalar(loss, bounds=(0.3, 5), method="bounded").x)
    found = {"temperature": best, "loss": loss(best), "loss_without": loss(1.0)}
    return {name: round(value, 4) for name, value in found.items()} | {"candidates": len(odds), "cells": len(held)}


def export(models: Sequence[Any], path: Path) -> None:
    """ONNX: what `Described` holds, under its names, of any number of candidates and regions → log-odds float32 (n,),
    the mean over the models."""
    import torch

    names = list(Described.__dataclass_fields__)

    class Shipped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.models = torch.nn.ModuleList(models)

        def forward(self, *arrays: Any) -> Any:
            cell = {name: array[None] for name, array in zip(names, arrays, strict=True)}
            cell["there"] = torch.ones_like(cell["areas"])
            return torch.stack([model(cell)[-1][0] for model in self.models]).mean(0)

    n, r = 5, 7
    shapes = {
        "rows": (n, len(ROWS)), "pairs": (n, n, len(PAIRS)), "near": (n, n), "names": (n, len(CHROMOSOMES)),
        "covers": (r, n), "sizes": (r,), "dark": (r,), "areas": (n,),
    }  # fmt: skip
    free = {"rows": {0: "n"}, "pairs": {0: "n", 1: "n"}, "near": {0: "n", 1: "n"}, "names": {0: "n"},
            "covers": {0: "r", 1: "n"}, "sizes": {0: "r"}, "dark": {0: "r"}, "areas": {0: "n"}}  # fmt: skip
    torch.onnx.export(
        Shipped().eval(), tuple(torch.ones(shapes[name]) for name in names), str(path), input_names=names,
        output_names=["odds"], opset_version=17, dynamic_axes={**free, "odds": {0: "n"}}, dynamo=False,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, default=Path("training-runs/judged"), help="what judged.py wrote")
    parser.add_argument("--held", type=Path, help="cells that the temperature is fitted on")
    parser.add_argument("--out", type=Path, default=Path("training-runs/judge"))
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=1, help="networks whose answers are averaged")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    cells = load(arguments.cells)
    arguments.out.mkdir(parents=True, exist_ok=True)

    def say(epoch: int, loss: float) -> None:
        line = json.dumps({"epoch": epoch, "loss": round(loss, 4), "cells": len(cells)})
        with (arguments.out / "progress.jsonl").open("a") as log:
            log.write(line + "\n")

    models = [
        train(cells, epochs=arguments.epochs, seed=seed, threads=arguments.threads, say=say)
        for seed in range(arguments.seeds)
    ]
    export(models, arguments.out / "judge.onnx")
    if arguments.held is not None:
        (arguments.out / "result.json").write_text(json.dumps(figures(models, load(arguments.held))))


if __name__ == "__main__":
    main()
