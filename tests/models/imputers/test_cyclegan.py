"""CycleGAN's losses against hand calculation (G5, G6)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmmed.models.imputers.cyclegan import CycleGan

SHAPE = (1, 4, 4, 4)


class Plus(nn.Module):
    """x + a."""

    def __init__(self, by):
        super().__init__()
        self.by = nn.Parameter(torch.tensor(float(by)))

    def forward(self, x):
        return x + self.by


class Score(nn.Module):
    """Its score is the mean of the volume, times one."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return self.gain * x.mean(dim=(1, 2, 3, 4), keepdim=True)


@pytest.fixture
def model():
    made = CycleGan(
        {"mri": SHAPE, "pet": SHAPE},
        widths=(4,), blocks=0, critic=(4,), cycle=10.0, identity=5.0, pool=2,
    )  # fmt: skip
    made.generators = nn.ModuleDict({"mri": Plus(3.0), "pet": Plus(1.0)})
    made.critics = nn.ModuleDict({"mri": Score(), "pet": Score()})
    return made


@pytest.fixture
def pairs():
    return {"mri": torch.zeros(2, *SHAPE), "pet": torch.full((2, *SHAPE), 4.0)}


def means(losses):
    return {name: float(loss.sum.detach()) / loss.count for name, loss in losses.items()}


def test_g5_both_gans_both_cycles_times_ten_both_identities_times_five(model, pairs):
    # into pet: 0 -> 1 (score 1), back 4, off by 4; identity 4 -> 5
    # into mri: 4 -> 7 (score 7), back 8, off by 4; identity 0 -> 3
    assert means(model.generator_loss(pairs)) == pytest.approx(
        {
            "mri gan": 36.0,
            "pet gan": 0.0,
            "mri cycle": 40.0,
            "pet cycle": 40.0,
            "mri identity": 15.0,
            "pet identity": 5.0,
        }
    )


def test_g5_the_discriminators_lower_half_the_squared_distance(model, pairs):
    # real mri 0, made mri 7; real pet 4, made pet 1
    assert means(model.critic_loss(pairs)) == pytest.approx(
        {"mri real": 0.5, "mri fake": 24.5, "pet real": 4.5, "pet fake": 0.5}
    )


def test_g6_nothing_flows_from_the_discriminators_into_the_generators(model, pairs):
    sum(loss.sum for loss in model.critic_loss(pairs).values()).backward()
    assert all(one.grad is None for one in model.generators.parameters())
    assert all(one.grad is not None for one in model.critics.parameters())


def test_no_pair_is_ever_compared(model, pairs):
    turned = {"mri": pairs["mri"], "pet": pairs["pet"].flip(0)}
    torch.manual_seed(0)
    random = {name: torch.randn_like(one) for name, one in pairs.items()}
    turned = {"mri": random["mri"], "pet": random["pet"].flip(0)}
    assert means(model.generator_loss(random)) == pytest.approx(
        means(model.generator_loss(turned)), rel=1e-5
    )


def test_the_discriminators_are_fed_from_the_pool(model, pairs):
    model.open()
    model.critic_loss(pairs)
    assert [int(pool.filled) for pool in model.pools.values()] == [2, 2]
    assert torch.equal(model.pools["pet"].kept.data, torch.ones(2, *SHAPE))
    model.close()
    assert [len(pool.kept) for pool in model.pools.values()] == [0, 0]


def test_the_generators_take_the_first_turn_as_in_the_official_code(model):
    first, second = model.lessons()
    assert first.parameters == tuple(model.generators.parameters())
    assert second.parameters == tuple(model.critics.parameters())
