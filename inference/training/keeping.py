"""What every training loop does beside learning: whole checkpoints or none, and an average of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def save(path: Path, content: Any) -> None:
    """torch.save beside the place, then renamed: a run that is killed meanwhile keeps its last checkpoint."""
    import torch

    temporary = path.with_suffix(".tmp")
    torch.save(content, temporary)
    temporary.replace(path)


def save_run(path: Path, parts: Mapping[str, Any], **counted: Any) -> None:
    """All that a run needs to go on: what its parts (model, average, optimiser) hold, and how far it has come."""
    save(path, {name: part.state_dict() for name, part in parts.items()} | counted)


def taken_up(path: Path, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the parts what `save_run` kept of them, and returns how far the run had come; nothing where none was."""
    import torch

    if not path.exists():
        return {}
    state: dict[str, Any] = torch.load(path, weights_only=False)
    for name, part in parts.items():
        part.load_state_dict(state.pop(name))
    return state


def follow(average: Any, model: Any, decay: float) -> None:
    """Moves every floating number of the average towards the model's by 1 − decay; counters are copied."""
    import torch

    with torch.no_grad():
        for ours, theirs in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            if ours.dtype.is_floating_point:
                ours.lerp_(theirs, 1 - decay)
            else:
                ours.copy_(theirs)
