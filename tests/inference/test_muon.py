"""The optimiser of detector and segmenter: equal steps in all directions, and a run that can be resumed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from inference.training import muon  # noqa: E402


def network() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(8, 12, 3, padding=1, bias=False),
        torch.nn.BatchNorm2d(12),
        torch.nn.Conv2d(12, 12, 3, padding=1, groups=12),
        torch.nn.Conv2d(12, 5, 1),
    )


def loss_of(model: Any, pictures: Any) -> Any:
    return (model(pictures) - pictures[:, :5]).square().mean()


def steps(model: Any, optimiser: Any, count: int) -> list[float]:
    pictures = torch.randn(4, 8, 12, 12, generator=torch.Generator().manual_seed(1))
    losses = []
    for _ in range(count):
        loss = loss_of(model, pictures)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (9, 9)])
def test_a_step_is_about_as_long_in_every_direction(shape: tuple[int, int], bfloat16: bool) -> None:
    torch.manual_seed(2)
    uneven = torch.randn(shape) @ torch.diag(torch.logspace(0, -1, shape[1]))
    step = muon.orthogonal(uneven, bfloat16)
    assert step.dtype == (torch.bfloat16 if bfloat16 else torch.float32)
    lengths = torch.linalg.svdvals(step.float())
    assert lengths.min() > 0.5
    assert lengths.max() < 1.3


def test_filter_banks_turn_and_all_else_is_left_to_adam() -> None:
    model = network()
    optimiser = muon.optimiser(model, 1e-3)
    banks, others = optimiser.param_groups
    assert [id(one) for one in banks["params"]] == [id(model[0].weight), id(model[3].weight)]
    assert {id(one) for one in others["params"]} == {id(one) for one in model.parameters()} - {
        id(model[0].weight),
        id(model[3].weight),
    }
    before = copy.deepcopy(model)
    steps(model, optimiser, 1)
    moved = (model[0].weight - before[0].weight).detach()
    # As long as a step of AdamW usually is: 0.2 of the rate in root mean square.
    assert float(moved.square().mean().sqrt()) == pytest.approx(0.2e-3, rel=0.3)
    assert not torch.equal(model[2].weight, before[2].weight)


def test_a_transformer_s_matrices_turn_too_and_its_tokens_do_not() -> None:
    assert muon.is_bank(torch.zeros(128, 64)) and muon.is_bank(torch.zeros(16, 128))
    assert not muon.is_bank(torch.zeros(1, 128)) and not muon.is_bank(torch.zeros(128))


def test_it_learns() -> None:
    model = network()
    losses = steps(model, muon.optimiser(model, 1e-2), 60)
    assert losses[-1] < 0.5 * losses[0]


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been() -> None:
    whole = network()
    optimiser = muon.optimiser(whole, 1e-3)
    steps(whole, optimiser, 3)
    resumed = copy.deepcopy(whole)
    again = muon.optimiser(resumed, 1e-3)
    again.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    assert steps(resumed, again, 3) == steps(whole, optimiser, 3)
