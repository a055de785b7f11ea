"""Diffusion: its loss and its steps against formulas written out here (G5), one answer per case."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from pydantic import ValidationError

from mmmed.models.imputers.diffusion import Diffusion
from mmmed.models.imputers.options import Diffusion as Options

GRID = (1, 5, 4, 6)
KEPT = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), dim=0)
"""Share of the variance that is signal at each level: the linear schedule of Ho et al."""


def made(*, draws=10):
    torch.manual_seed(0)
    return Diffusion({"mri": 1, "pet": 1}, widths=(4, 8), draws=draws).eval()


def volumes(count, *, seed=1):
    return torch.randn((count, *GRID), generator=torch.Generator().manual_seed(seed))


def test_g5_a_denoiser_that_says_nothing_has_the_squared_velocity_as_its_loss():
    translator = made()  # its last layer starts at zero
    pairs = {"mri": volumes(3), "pet": volumes(3, seed=2)}
    torch.manual_seed(7)
    found = translator.velocity_loss(pairs)
    torch.manual_seed(7)
    for name, target in pairs.items():
        kept = KEPT[torch.randint(1000, (3,))].view(3, 1, 1, 1, 1)
        noise = torch.randn(target.shape)
        velocity = kept.sqrt() * noise - (1 - kept).sqrt() * target
        loss = found[f"{name} velocity"]
        torch.testing.assert_close(loss.sum / loss.count, velocity.square().mean())


@pytest.mark.parametrize("draws", get_args(Options.model_fields["draws"].annotation))
def test_g5_a_denoiser_that_is_right_leads_from_noise_to_the_volume(monkeypatch, draws):
    """At every level it finds the same noise in it: the steps lead where the next one begins."""
    translator, truth = made(draws=draws), volumes(2)
    met = []

    def exact(noisy, source, level, *, into):
        kept = KEPT[level].view(-1, 1, 1, 1, 1)
        noise = (noisy - kept.sqrt() * truth) / (1 - kept).sqrt()
        met.append(noise)
        return kept.sqrt() * noise - (1 - kept).sqrt() * truth

    monkeypatch.setattr(translator, "_velocity", exact)
    found = translator.translate(volumes(2, seed=3), into="pet")
    torch.testing.assert_close(found, truth, atol=1e-3, rtol=0)
    assert len(met) == draws
    for noise in met:
        torch.testing.assert_close(noise, met[0], atol=1e-2, rtol=0)


def test_the_source_is_seen(moved):
    one, other = (moved.translate(volumes(1, seed=seed), into="pet") for seed in (4, 5))
    assert not torch.equal(one, other)


def test_a_volume_has_one_answer_whatever_ran_before_and_beside_it(moved):
    source = volumes(3)
    first = moved.translate(source, into="pet")
    torch.manual_seed(99)
    assert torch.equal(moved.translate(source, into="pet"), first)
    alone = moved.translate(source[2:], into="pet")
    torch.testing.assert_close(alone, first[2:], atol=1e-5, rtol=0)


def test_prediction_leaves_the_global_generator_alone(moved):
    before = torch.get_rng_state()
    moved.translate(volumes(1), into="pet")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_width_that_group_norm_cannot_split_is_refused():
    with pytest.raises(ValidationError, match="multiple of 4"):
        Options(kind="diffusion", widths=(6,))


@pytest.fixture
def moved():
    """A translator whose last layers no longer say zero."""
    translator = made(draws=4)
    with torch.no_grad():
        for parameter in translator.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return translator
