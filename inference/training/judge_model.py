"""The judge's network (inference.training.judge), its batches and its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.labels import CHROMOSOMES
from inference.stages.together import PAIRS, ROWS, SIZE, Described

_WIDE, _HEARD, _NAMED = 48, 32, 8
_ROUNDS = 4


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


def odds_of(models: Sequence[Any], cell: Described) -> np.ndarray:
    """float64 (n,): the mean over the models."""
    import torch

    with torch.no_grad():
        told = batched([cell])
        said = [model(told)[-1][0].numpy() for model in models]
    return np.asarray(np.mean(said, axis=0), np.float64)


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


def read(path: Path) -> list[Any]:
    """The networks that `export` wrote, to train them on.  Raises ValueError where the file is another's."""
    from inference.training import shipped

    graph, numbers = shipped.read(path)
    found = {name: value for name, value in numbers.items() if name.startswith("models.")}
    for node in graph.node:
        # "/models.0/mind/mind.2/MatMul" multiplies by the weight of models.0.mind.2; later rounds point there too.
        parts = node.name.strip("/").split("/")
        if node.op_type == "MatMul" and len(parts) > 2 and node.input[1] in numbers:
            found.setdefault(f"{parts[0]}.{parts[-2]}.weight", numbers[node.input[1]].T)
    models: list[Any] = []
    first: dict[str, Any] = {}
    while any(name.startswith(own := f"models.{len(models)}.") for name in found):
        # What all networks have alike, as their means, is kept once, under the first one's name.
        part = first | {name.removeprefix(own): value for name, value in found.items() if name.startswith(own)}
        first = first or part
        try:
            model = build(part["mean"], part["spread"], part["usual"])
            model.load_state_dict(part)
        except (KeyError, RuntimeError) as error:
            raise ValueError(f"{path.name} is another network than this.") from error
        models.append(model.eval())
    if not models:
        raise ValueError(f"{path.name} is another network than this.")
    return models
