"""pix2pix's losses against hand calculation (G5, G6)."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mmmed.models.imputers.pix2pix import Pix2Pix


class Constant(nn.Module):
    """The same value everywhere, with a parameter that could learn."""

    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(float(value)))
        self.seen = []

    def forward(self, x):
        self.seen.append(x)
        return torch.zeros_like(x[:, :1]) + self.value


@pytest.fixture
def model():
    torch.manual_seed(0)
    made = Pix2Pix({"mri": 1, "pet": 1}, widths=(4, 8), critic=(4,), l1=100.0)
    made.generators = nn.ModuleDict({"mri": Constant(3.0), "pet": Constant(0.5)})
    made.critics = nn.ModuleDict({"mri": Constant(0.0), "pet": Constant(math.log(3.0))})
    return made


@pytest.fixture
def pairs():
    return {"mri": torch.zeros(3, 1, 4, 4, 4), "pet": torch.full((3, 1, 4, 4, 4), 2.0)}


def means(losses):
    return {name: float(loss.sum.detach()) / loss.count for name, loss in losses.items()}


def test_g5_the_generator_lowers_gan_plus_a_hundred_times_l1(model, pairs):
    # pet: |0.5 - 2| = 1.5; mri: |3 - 0| = 3; sigmoid(log 3) = 3/4, sigmoid(0) = 1/2
    assert means(model.generator_loss(pairs)) == pytest.approx(
        {
            "mri gan": math.log(2.0),
            "mri l1": 300.0,
            "pet gan": math.log(4 / 3),
            "pet l1": 150.0,
        }
    )


def test_g5_the_discriminator_s_loss_is_halved(model, pairs):
    assert means(model.critic_loss(pairs)) == pytest.approx(
        {
            "mri real": 0.5 * math.log(2.0),
            "mri fake": 0.5 * math.log(2.0),
            "pet real": 0.5 * math.log(4 / 3),
            "pet fake": 0.5 * math.log(4.0),
        }
    )


def test_g6_nothing_flows_from_the_discriminator_into_the_generator(model, pairs):
    sum(loss.sum for loss in model.critic_loss(pairs).values()).backward()
    assert all(one.grad is None for one in model.generators.parameters())
    assert all(one.grad is not None for one in model.critics.parameters())


def test_g6_the_discriminator_sees_source_and_target_side_by_side(model, pairs):
    model.critic_loss(pairs)
    real, fake = model.critics["pet"].seen
    assert torch.equal(real, torch.cat([pairs["mri"], pairs["pet"]], dim=1))
    assert torch.equal(fake[:, :1], pairs["mri"])
    assert torch.equal(fake[:, 1:], torch.full_like(pairs["pet"], 0.5))


def test_the_generator_learns_through_the_discriminator(pairs):
    torch.manual_seed(0)
    model = Pix2Pix({"mri": 1, "pet": 1}, widths=(4, 8), critic=(4,), l1=0.0)
    sum(loss.sum for loss in model.generator_loss(pairs).values()).backward()
    assert any(one.grad.abs().sum() > 0 for one in model.generators.parameters())


def test_the_discriminators_take_the_first_turn_as_in_the_official_code(model):
    first, second = model.lessons()
    assert first.parameters == tuple(model.critics.parameters())
    assert second.parameters == tuple(model.generators.parameters())
