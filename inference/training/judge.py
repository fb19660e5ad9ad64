"""The judge: which of all candidates of a cell are its chromosomes (inference.stages.together).

A small network that goes round four times.  Each time every candidate hears its neighbours, each by the chance that it
is a chromosome, and how much of it they explain, were it so.  Then it changes its mind.  Where several candidates fit
one chromosome, the network's own favourite among them is the right one (as in DETR, N. Carion et al. 2020,
arXiv:2005.12872): which one it takes does not matter, that it takes one does.

Fit it on cells that the crop classifier was not trained on, for of those it is surer than of any to come.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.training.interrupts import pause_point, program
from inference.training.judge_model import batched, build, export, odds_of, read
from inference.training.judged import Judged, load, sizes
from inference.training.keeping import save

MODEL_NAME = "kary-cell"
_ROUND_COUNTS = (0.1, 0.2, 0.3, 0.6, 1.0)  # of the first guess and each round: early ones shall be sensible, no more
_FITS = 0.5  # IoU from which a candidate may stand for a chromosome
_BETTER_BOX = 3.0  # what an IoU of 1 is worth beside the log-odds where several could


def targets(odds: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """float32 (n,): 1 for the candidates that stand for a chromosome, so that all together are likeliest.  odds: float
    (n,), the network's.  fits: float (n, m), IoU with the annotated boxes."""
    from scipy.optimize import linear_sum_assignment

    wanted = np.zeros(len(odds), np.float32)
    worth = np.clip(odds, -9, 9)[:, None] + _BETTER_BOX * fits + 20
    rows, columns = linear_sum_assignment(-np.where(fits >= _FITS, worth, -50))
    wanted[rows[fits[rows, columns] >= _FITS]] = 1
    return wanted


def varied(cell: Judged, rng: np.random.Generator, faint: float, real: float) -> Judged:
    """Without some of its candidates, as other weights would find others: of those that stand for nothing `faint`, of
    the others `real`, each a share."""
    stands = cell.fits.max(axis=1, initial=0) >= _FITS
    kept = np.flatnonzero(rng.random(len(stands)) >= np.where(stands, real, faint))
    return cell.only(kept) if len(kept) else cell


def train(
    cells: Sequence[Judged], *, epochs: int, batch: int = 8, rate: float = 3e-3, decay: float = 0.05,
    noise: float = 0.05, faint: float = 0.15, real: float = 0.02, seed: int = 0, threads: int = 1,
    begun: Any = None, say: Callable[[int, float], None] | None = None, state: dict[str, Any] | None = None,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> Any:  # fmt: skip
    """The averaged network.  begun: a network to go on from, instead of from nothing.  say: called after each epoch
    with its number and its loss a candidate.  keep: called before that, and where the run is stopped, with the `state`
    from which another call goes on."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    if begun is None:
        table = np.concatenate([cell.described.rows for cell in cells])
        begun = build(table.mean(axis=0), np.maximum(table.std(axis=0), 1e-3), sizes(cells))
    model = copy.deepcopy(begun).train()
    average = copy.deepcopy(model)
    an_epoch = math.ceil(len(cells) / batch)
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=epochs * an_epoch, pct_start=0.15)
    parts = {"model": model, "average": average, "optimiser": optimiser}
    done, losses = 0, []
    if state is not None:
        done, losses = state["done"], state["losses"]
        for name, part in parts.items():
            part.load_state_dict(state[name])
        schedule.last_epoch = done  # not its whole state: there may be another number of epochs now

    def now() -> dict[str, Any]:
        return {name: part.state_dict() for name, part in parts.items()} | {"done": done, "losses": losses}

    while done < epochs * an_epoch:
        epoch, start = done // an_epoch, done % an_epoch * batch
        order = np.random.default_rng([seed, epoch]).permutation(len(cells))
        rng = np.random.default_rng([seed, epoch, start])
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
        follow = min(0.995, done / (done + 20))
        with torch.no_grad():
            for kept, present in zip(average.parameters(), model.parameters(), strict=True):
                kept.lerp_(present, 1 - follow)
        losses.append(float(each[-1].detach()))
        if done % an_epoch == 0:
            loss, losses = float(np.mean(losses)), []
            if keep is not None:
                keep(now())
            if say is not None:
                say(epoch, loss)
        pause_point(None if keep is None else lambda: keep(now()))
    return average.eval()


def fit(
    cells: Path, out: Path, *, held: Path | None = None, epochs: int = 12, seeds: int = 1, seed: int = 0,
    threads: int = 1, start: Path | None = None, **numbers: Any,
) -> None:  # fmt: skip
    """Train `seeds` networks whose answers are averaged, or go on from out/last.pt; out/judge.onnx and result.json.
    start: a judge.onnx to begin with (each of its networks in turn), instead of with nothing.
    cells, held: what judged.py wrote; of `held`, cells that nothing is fitted on but the temperature."""
    import torch

    learned = load(cells)
    begun = read(start) if start is not None else [None]
    out.mkdir(parents=True, exist_ok=True)
    last = out / "last.pt"
    state: dict[str, Any] = {"finished": [], "now": None, "made": 0, "step": 0, "spent": 0.0}  # made: by finished ones
    if last.exists():
        state = torch.load(last, weights_only=False)
    clock = time.process_time()

    def keep(now: dict[str, Any] | None) -> None:
        nonlocal clock
        state["spent"] += time.process_time() - clock
        clock = time.process_time()
        state["now"] = now
        if now is None:
            state["made"] = state["step"]
        else:
            state["step"] = state["made"] + now["done"]
        save(last, state)

    def say(epoch: int, loss: float) -> None:
        line = {"step": state["step"], "cpu_hours": round(state["spent"] / 3600, 4), "loss": round(loss, 4)}
        line["epochs"] = len(state["finished"]) * epochs + epoch + 1
        with (out / "progress.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")

    while len(state["finished"]) < seeds:
        own = seed + len(state["finished"])
        network = train(
            learned, epochs=epochs, seed=own, threads=threads, begun=begun[len(state["finished"]) % len(begun)],
            say=say, state=state["now"], keep=keep, **numbers,
        )  # fmt: skip
        state["finished"].append(network.state_dict())
        keep(None)
    models = []
    for kept in state["finished"]:
        models.append(build(*(kept[name].numpy() for name in ("mean", "spread", "usual"))))
        models[-1].load_state_dict(kept)
        models[-1].eval()
    export(models, out / "judge.onnx")
    if held is not None:
        (out / "result.json").write_text(json.dumps(figures(models, load(held))))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=Path, default=Path("training-runs/judged"), help="what judged.py wrote")
    parser.add_argument("--held", type=Path, help="cells that the temperature is fitted on")
    parser.add_argument("--out", type=Path, default=Path("training-runs/judge"))
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=1, help="networks whose answers are averaged")
    parser.add_argument("--seed", type=int, default=0, help="of the first; each other's is the next number")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--start", type=Path, help="a judge.onnx to go on from")
    fit(**vars(parser.parse_args()))


if __name__ == "__main__":
    program(main)
