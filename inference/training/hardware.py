"""On what a loop trains, and in which numbers: bfloat16 where the processor multiplies it, else float32.

On a CPU without instructions for it, bfloat16 measured nine times slower than float32; with them, twice as fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from inference.backends.processor import multiplies_bfloat16


@dataclass(frozen=True)
class Hardware:
    """device: "cpu" or "cuda".  bfloat16: whether forward passes run in it."""

    device: str
    bfloat16: bool

    def numbers(self) -> AbstractContextManager[None]:
        """What forward passes run within."""
        import torch

        context: AbstractContextManager[None] = torch.autocast(self.device, torch.bfloat16, enabled=self.bfloat16)
        return context

    def place(self, value: Any) -> Any:
        """A tensor, or a mapping or list with tensors in it, on the device."""
        import torch

        if torch.is_tensor(value):
            return value.to(self.device, non_blocking=True)
        if isinstance(value, Mapping):
            return {key: self.place(one) for key, one in value.items()}
        return [self.place(one) for one in value] if isinstance(value, list | tuple) else value


def hardware(wanted: str = "", threads: int = 2) -> Hardware:
    """wanted: "cpu", "cuda", or "" for the best there is.  threads: of a CPU."""
    import torch

    device = wanted or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cpu":
        torch.set_num_threads(threads)
        return Hardware("cpu", multiplies_bfloat16())
    return Hardware("cuda", True)
