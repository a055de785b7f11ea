"""A moving average of a model's weights, which wanders less than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

FIRST_STEPS = 10
"""The average forgets its start: at step t the decay is at most (1 + t) / (FIRST_STEPS + t)."""


class Average:
    """The exponential moving average of every floating entry of a model's state.

    Args:
        model: where it starts.
        decay: per step, once the first steps are over.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self.state = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards the model after step `step`; whole numbers are taken as they are."""
        decay = min(self._decay, (1 + step) / (FIRST_STEPS + step))
        for name, value in model.state_dict().items():
            mine = self.state[name]
            if mine.is_floating_point():
                mine.lerp_(value, 1 - decay)
            else:
                mine.copy_(value)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Lend the averaged weights to the model for a while."""
        own = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.state)
        try:
            yield
        finally:
            model.load_state_dict(own)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a saved `state`."""
        for name, value in state.items():
            self.state[name].copy_(value)
