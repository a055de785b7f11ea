"""Our convolutional net against the same net written with torch's own layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmmed.models.backbones.conv import BatchNorm, ConvNet


def plain(net: ConvNet) -> nn.Module:
    """ReLU before the pooling, torch's batch norm, channels first."""
    layers: list[nn.Module] = []
    for stage, (conv, norm) in enumerate(zip(net.convs, net.norms, strict=True)):
        own = nn.BatchNorm3d(norm.num_features)
        own.load_state_dict(norm.state_dict())
        layers += [conv, own, nn.ReLU()]
        if stage < len(net.convs) - 1:
            layers.append(nn.MaxPool3d(2, ceil_mode=True))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten())


@pytest.mark.parametrize("training", [True, False])
def test_it_computes_what_torch_s_own_layers_compute(training):
    net = ConvNet((4, 8, 8), channels=2, dimensions=3)
    same = plain(net).train(training)
    net.train(training)
    x = torch.randn(3, 2, 14, 16, 15)
    torch.testing.assert_close(net(x), same(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("space", [(1, 1, 1), (3, 2, 5), (8, 8, 8), (40, 48, 48)])
def test_any_size_of_volume_passes(space):
    net = ConvNet((8, 16, 32, 64), channels=1, dimensions=3).train()
    embedded = net(torch.randn(1, 1, *space))
    assert embedded.shape == (1, 64)
    assert torch.isfinite(embedded).all()


def test_images_pass_as_well():
    net = ConvNet((4, 8), channels=3, dimensions=2)
    assert net(torch.randn(5, 3, 20, 9)).shape == (5, 8)


def test_a_lone_value_is_normalised_by_the_running_statistics_and_leaves_them():
    norm = BatchNorm(2).train()
    norm.running_mean.copy_(torch.tensor([1.0, 2.0]))
    norm.running_var.copy_(torch.tensor([4.0, 9.0]))
    out = norm(torch.tensor([[[[3.0]], [[5.0]]]]))
    torch.testing.assert_close(out.flatten(), torch.tensor([1.0, 1.0]), atol=1e-4, rtol=0)
    assert norm.running_mean.tolist() == [1.0, 2.0]
    norm(torch.randn(2, 2, 1, 1))
    assert norm.running_mean.tolist() != [1.0, 2.0]
