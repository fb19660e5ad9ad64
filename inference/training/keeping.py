"""What every training loop does beside learning: whole checkpoints or none, and an average of the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def save(path: Path, content: Any) -> None:
    """torch.save beside the place, then renamed: a run that is killed meanwhile keeps its last checkpoint."""
    import torch

    temporary = path.with_suffix(".tmp")
    torch.save(content, temporary)
    temporary.replace(path)


def follow(average: Any, model: Any, decay: float) -> None:
    """Moves every floating number of the average towards the model's by 1 − decay; counters are copied."""
    import torch

    with torch.no_grad():
        for ours, theirs in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            if ours.dtype.is_floating_point:
                ours.lerp_(theirs, 1 - decay)
            else:
                ours.copy_(theirs)
