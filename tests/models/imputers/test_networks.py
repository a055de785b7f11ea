"""The networks of the translators: any size, and a start as the official code's."""

from __future__ import annotations

import pytest
import torch

from mmmed.models.backbones.conv import BatchNorm
from mmmed.models.imputers.patchgan import PatchGan
from mmmed.models.imputers.residual import InstanceNorm, ResidualGenerator
from mmmed.models.imputers.unet import UNet


@pytest.mark.parametrize("space", [(20, 24, 24), (5, 4, 5), (1, 1, 1), (7, 2, 3)])
def test_volumes_of_any_size_keep_it(space):
    x = torch.randn(2, 1, *space)
    for network in (
        UNet(1, 1, (4, 8, 16)),
        UNet(1, 1, (4,)),
        ResidualGenerator(1, (4, 8), blocks=1),
    ):
        assert network(x).shape == x.shape
        assert torch.isfinite(network.eval()(x)).all()


def test_a_patchgan_scores_patches():
    scores = PatchGan(2, (4, 8), norm=BatchNorm)(torch.randn(3, 2, 20, 24, 24))
    assert scores.shape == (3, 1, 5, 6, 6)


def test_kernels_start_small_and_biases_at_zero():
    torch.manual_seed(0)
    network = UNet(1, 1, (8, 16, 32))
    kernels = torch.cat([one.weight.flatten() for one in network.down])
    assert float(kernels.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert all(not one.bias.any() for one in network.down)


def test_instance_norm_is_that_of_torch():
    x = torch.randn(2, 3, 4, 5, 6) * 3 + 1
    expected = torch.nn.functional.instance_norm(x)
    torch.testing.assert_close(InstanceNorm()(x), expected)
    assert not InstanceNorm()(torch.ones(1, 2, 1, 1, 1)).any()


def test_dropout_is_for_training_alone():
    x = torch.randn(2, 1, 8, 8, 8)
    network = UNet(1, 1, (4, 8, 16))
    for _ in range(3):
        network(x)
    network.eval()
    assert torch.equal(network(x), network(x))
    network.train()
    assert not torch.equal(network(x), network(x))
