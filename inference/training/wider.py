"""A detector made twice as wide that answers as it did, to learn on from there (Net2Net: T. Chen et al. 2015,
arXiv:1511.05641).

Every channel becomes two, and what reads a channel reads both, shared out by chance: so the two, alike at first, are
taught different things.  Nothing has to be learned again; a network of that size from random weights would need all of
its hours on two cores to get where the narrow one stands.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path
from typing import Any

_UNEVEN = 0.5  # how the halves in which a channel is read scatter
_PER_HEAD = ".attn.qkv", ".attn.pe"  # channels lie head by head there: whole heads become two


def widened(model: Any, seed: int = 0) -> Any:
    """An ultralytics detection model of twice the width, in float32, with the same answers."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    description = copy.deepcopy(model.yaml)
    scale = description["scale"]
    depth, width, most = description["scales"][scale]
    description["scales"] = {scale: [depth, 2 * width, most]}
    wide: Any = DetectionModel(description, ch=3, nc=description["nc"], verbose=False).float()
    narrow = model.float().state_dict()
    heads = {name: module.num_heads for name, module in model.named_modules() if hasattr(module, "num_heads")}
    rng = torch.Generator().manual_seed(seed)
    state = {}
    for name, wanted in wide.state_dict().items():
        given = narrow[name]
        of_head = next((count for start, count in heads.items() if name.startswith(f"{start}.")), 0)
        if given.ndim:
            rows = _sources(len(wanted), len(given), of_head if _per_head(name) else 0)
            given = given[rows]
        if given.ndim > 1 and wanted.shape[1] != given.shape[1]:
            columns = _sources(wanted.shape[1], given.shape[1], of_head if ".attn.proj" in name else 0)
            given = given[:, columns] * _shares(columns, given[:, columns].shape, rng)
        if given.shape != wanted.shape:
            raise ValueError(f"{name} cannot be made {tuple(wanted.shape)} of {tuple(given.shape)}.")
        state[name] = given
    wide.load_state_dict(state)
    wide.names, wide.args = model.names, model.args
    return wide


def _per_head(name: str) -> bool:
    return any(part in name for part in _PER_HEAD)


def _sources(wanted: int, given: int, heads: int) -> Any:
    """Which old channel each new one repeats, int64 (wanted,): neighbours, or whole heads beside each other."""
    import torch

    if wanted == given:
        return torch.arange(given)
    if not heads:
        return torch.arange(wanted) * given // wanted
    return torch.arange(given).view(heads, -1).repeat_interleave(2, 0).flatten()


def _shares(columns: Any, shape: Any, rng: Any) -> Any:
    """float32 of `shape` (rows, columns, …): in what parts a channel's copies are read; they add up to one."""
    import torch

    shares = torch.empty(shape)
    for source in columns.unique():
        first, second = (columns == source).nonzero()[:, 0]
        uneven = torch.randn(shares[:, first].shape, generator=rng) * _UNEVEN
        shares[:, first], shares[:, second] = 0.5 + uneven, 0.5 - uneven
    return shares


def main() -> None:
    from ultralytics import YOLO

    from inference.training.detector import export_checkpoint

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--side", type=int, default=800)
    given = parser.parse_args()
    narrow = YOLO(str(given.start)).model
    note = {"imgsz": given.side, "task": "detect", "data": None, "single_cls": False}
    export_checkpoint(widened(narrow), given.out, note)


if __name__ == "__main__":
    main()
