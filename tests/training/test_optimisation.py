from __future__ import annotations

import pytest
import torch
from torch import nn

from mmmed.models.contract import Phase, Turn
from mmmed.training.optimisation import optimiser, schedule
from mmmed.training.settings import TrainingSpec

SETTINGS = TrainingSpec(learning_rate=1e-2, weight_decay=0.5, warmup=0.2)


def turn(rate: float = 1.0) -> Turn:
    return Turn(tuple(nn.Linear(3, 3).parameters()), lambda _: {}, rate=rate)


def rates(steps: int, *, rate: float = 1.0) -> list[float]:
    one = turn(rate)
    moving = optimiser(one, SETTINGS)
    cycle = schedule(moving, Phase("p", (one,), steps, learns=()), one, SETTINGS)
    found = []
    for _ in range(steps):
        found.append(moving.param_groups[0]["lr"])
        moving.step()
        cycle.step()
    return found


def test_one_dimensional_parameters_do_not_decay() -> None:
    one = turn()
    for parameter in one.parameters:
        parameter.grad = torch.zeros_like(parameter)
    before = [parameter.detach().clone() for parameter in one.parameters]
    optimiser(one, SETTINGS).step()
    weight, bias = one.parameters
    torch.testing.assert_close(weight, before[0] * (1 - 1e-2 * 0.5))
    assert torch.equal(bias, before[1])


def test_the_rate_peaks_at_the_end_of_warm_up_and_ends_near_zero() -> None:
    found = rates(100)
    assert max(found) == pytest.approx(1e-2)
    assert found.index(max(found)) == 19
    assert found[-1] < 1e-6


def test_a_turn_scales_the_rate() -> None:
    assert max(rates(100, rate=0.1)) == pytest.approx(1e-3)


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 6])
def test_the_shortest_phases_have_a_schedule(steps: int) -> None:
    assert all(0 < rate <= 1e-2 for rate in rates(steps))


def test_betas_of_a_turn_are_kept_through_the_cycle() -> None:
    one = Turn(turn().parameters, lambda _: {}, betas=(0.5, 0.99))
    moving = optimiser(one, SETTINGS)
    cycle = schedule(moving, Phase("p", (one,), 10, learns=()), one, SETTINGS)
    found = set()
    for _ in range(10):
        found.add(moving.param_groups[0]["betas"])
        moving.step()
        cycle.step()
    assert found == {(0.5, 0.99)}


def test_momentum_cycles_where_a_turn_has_no_betas() -> None:
    one = turn()
    moving = optimiser(one, SETTINGS)
    schedule(moving, Phase("p", (one,), 10, learns=()), one, SETTINGS)
    assert moving.param_groups[0]["betas"] == (0.95, 0.999)
