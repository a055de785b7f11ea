from __future__ import annotations

import torch
from torch import nn

from mmmed.training.average import Average


def test_the_average_is_the_recursion_of_its_definition() -> None:
    model = nn.Linear(1, 1, bias=False)
    values = [0.0, 1.0, 4.0, 2.0]
    with torch.no_grad():
        model.weight.fill_(values[0])
        average = Average(model, decay=0.15)
        expected = values[0]
        for step, value in enumerate(values[1:]):
            model.weight.fill_(value)
            average.update(model, step)
            decay = min(0.15, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * value
    assert float(average.state["weight"]) == torch.tensor(expected)


def test_counters_are_taken_as_they_are() -> None:
    model = nn.BatchNorm1d(2)
    average = Average(model, decay=0.9)
    model(torch.randn(4, 2))
    average.update(model, 100)
    assert int(average.state["num_batches_tracked"]) == 1


def test_lent_weights_are_given_back() -> None:
    model = nn.Linear(2, 2)
    own = model.weight.detach().clone()
    average = Average(model, decay=0.9)
    average.state["weight"].zero_()
    with average.applied(model):
        assert not model.weight.any()
    assert torch.equal(model.weight, own)


def test_an_average_goes_on_from_its_state() -> None:
    model = nn.Linear(2, 2)
    one, other = Average(model, decay=0.9), Average(nn.Linear(2, 2), decay=0.9)
    other.load(one.state)
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)
