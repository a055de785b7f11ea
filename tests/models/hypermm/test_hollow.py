"""Networks that are given their tensors by the call."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call

from mmmed.models.backbones.conv import ConvNet
from mmmed.models.hypermm.hollow import Statistics, hollow, running_statistics


@pytest.fixture
def net() -> ConvNet:
    return ConvNet((4, 8), channels=1, dimensions=3)


def test_a_hollow_network_holds_nothing_and_computes_what_it_is_given(net):
    tensors = {**dict(net.named_parameters()), **running_statistics(net)}
    x = torch.randn(2, 1, 8, 8, 8)
    before = net.eval()(x)
    hollow(net, list(tensors))
    assert list(net.parameters()) == []
    assert running_statistics(net) == {}
    assert torch.equal(functional_call(net, tensors, (x,)), before)
    assert list(net.parameters()) == []


def test_statistics_are_updated_where_they_were_given(net):
    mine, other = Statistics(net), Statistics(net)
    hollow(net, list(running_statistics(net)))
    functional_call(net.train(), mine.of(), (1 + torch.randn(4, 1, 8, 8, 8),))
    assert not torch.equal(mine.of()["norms.0.running_var"], torch.ones(4))
    assert torch.equal(other.of()["norms.0.running_var"], torch.ones(4))


def test_counters_are_no_statistics():
    assert set(running_statistics(nn.BatchNorm1d(2))) == {"running_mean", "running_var"}
