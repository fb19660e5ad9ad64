"""AdamW for vectors, Muon for filter banks and matrices: more learned of each picture, and two cores see few.

Muon (K. Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) makes each filter bank's step orthogonal, so
that rarely used directions learn as fast as common ones.  Steps are scaled so that one rate serves both kinds (J. Liu
et al. 2025, arXiv:2502.16982, equation 4).  torch.optim.Muon takes matrices only and, like ultralytics', always works
in bfloat16, which a processor without instructions for it multiplies nine times slower than float32, and one with them
nine times faster: so the caller says which.
"""

from __future__ import annotations

from typing import Any

_COEFFICIENTS = 3.4445, -4.7750, 2.0315  # of the quintic Newton-Schulz step
_STEPS = 5
_LIKE_ADAM = 0.2  # root mean square of AdamW's usual step, in units of the rate


def orthogonal(matrix: Any, bfloat16: bool = False) -> Any:
    """float32 (rows, columns) → one of about equal singular values, 0.7 to 1.2, and the same singular vectors; as
    bfloat16 where that is what it is reckoned in."""
    first, second, third = _COEFFICIENTS
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    if bfloat16:
        wide = wide.bfloat16()
    for _ in range(_STEPS):
        square = wide @ wide.T
        wide = first * wide + (second * square + third * square @ square) @ wide
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T


def is_bank(parameter: Any) -> bool:
    """Whether a parameter is a bank of filters over several channels, or a transformer's matrix: no depthwise bank, no
    vector, no few tokens."""
    if parameter.ndim == 2:
        return bool(min(parameter.shape) >= 16)
    return bool(parameter.ndim == 4 and parameter.shape[1] > 3)


def optimiser(model: Any, rate: float, *, decay: float = 0.01, bfloat16: bool = False) -> Any:
    """A torch optimiser over the model's parameters.  bfloat16: whether the machine multiplies it
    (inference.training.hardware)."""
    import torch

    class MuonAndAdamW(torch.optim.AdamW):
        @torch.no_grad()
        def step(self, closure: Any = None) -> Any:
            for group in self.param_groups:
                if not group["bank"]:
                    continue
                for parameter in group["params"]:
                    gradient = parameter.grad
                    if gradient is None:
                        continue
                    kept = self.state[parameter]
                    if not kept:  # "step" is AdamW's own: it expects one wherever something is kept
                        kept.update(momentum=torch.zeros_like(parameter), step=torch.tensor(0.0))
                    momentum = kept["momentum"]
                    momentum.lerp_(gradient, 1 - group["momentum"])
                    wanted = gradient.lerp(momentum, group["momentum"])
                    step = orthogonal(wanted.flatten(1), bfloat16).float()
                    size = _LIKE_ADAM * max(step.shape) ** 0.5
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(step.reshape(parameter.shape), alpha=-group["lr"] * size)
                    parameter.grad = None  # AdamW passes over it
            return super().step(closure)

    banks = [parameter for parameter in model.parameters() if is_bank(parameter)]
    others = [parameter for parameter in model.parameters() if not is_bank(parameter)]
    return MuonAndAdamW(
        [
            {"params": banks, "bank": True, "momentum": 0.95},
            {"params": others, "bank": False, "momentum": 0.0},
        ],
        lr=rate,
        weight_decay=decay,
        betas=(0.9, 0.99),
    )
