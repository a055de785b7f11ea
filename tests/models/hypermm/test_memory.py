"""Answers of a frozen network are remembered, and forgotten where they may have changed."""

from __future__ import annotations

import torch
from torch import nn

from mmmed.models.hypermm.memory import Memory


class Counting:
    """Answers through a layer and counts how often it was asked."""

    def __init__(self, layer: nn.Module) -> None:
        self.layer = layer
        self.asked = 0

    def __call__(self, item: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return self.layer(item)


def test_an_item_is_answered_once_whatever_tensor_holds_it():
    answer = Counting(nn.Linear(4, 2))
    memory = Memory(answer.layer)
    item = torch.randn(4)
    first = memory.recall(item, answer)
    assert torch.equal(memory.recall(item.clone(), answer), first)
    assert torch.equal(memory.recall(torch.stack([item, item], dim=1)[:, 1], answer), first)
    assert answer.asked == 1
    assert not first.requires_grad


def test_another_item_or_shape_is_another_question():
    memory = Memory(nn.Identity())
    answer = Counting(nn.Identity())
    for item in (
        torch.zeros(4),
        torch.ones(4),
        torch.zeros(2, 2),
        torch.zeros(2, dtype=torch.double),
    ):
        assert torch.equal(memory.recall(item, answer), item)
    assert answer.asked == 4


def test_changed_tensors_are_asked_again_and_equal_ones_are_not():
    answer = Counting(nn.Linear(4, 2))
    memory = Memory(answer.layer)
    item = torch.randn(4)
    memory.recall(item, answer)
    answer.layer.load_state_dict(
        {name: one.clone() for name, one in answer.layer.state_dict().items()}
    )
    memory.recall(item, answer)
    assert answer.asked == 1
    with torch.no_grad():
        answer.layer.bias.add_(1)
    assert torch.equal(memory.recall(item, answer), answer.layer(item))
    assert answer.asked == 2


def test_the_oldest_answers_go_first():
    memory = Memory(nn.Identity(), limit=2 * 4 * 4)
    answer = Counting(nn.Identity())
    for value in (0.0, 1.0, 2.0, 2.0, 1.0):
        memory.recall(torch.full((4,), value), answer)
    assert (len(memory), answer.asked) == (2, 3)
    memory.recall(torch.zeros(4), answer)
    assert (len(memory), answer.asked) == (2, 4)
