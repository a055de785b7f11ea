"""Tables whose number of rows the training set decides: they travel with the weights.

A state dict may hold another number of rows than the model it is loaded into; the table takes on
that number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Rows(nn.Module):
    """A table (N, *shape), empty until something is put into it.

    Args:
        shape: of one row.
    """

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.data: Tensor
        self.register_buffer("data", torch.zeros(0, *shape))

    def __len__(self) -> int:
        return len(self.data)

    def put(self, rows: Tensor) -> None:
        """Hold these rows, (N, *shape), and no others."""
        self.data = rows.detach().to(self.data).clone()

    def make_room(self, count: int) -> None:
        """Hold `count` rows of zeros where it holds another number."""
        if count != len(self.data):
            self.data = self.data.new_zeros(count, *self.data.shape[1:])

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        stored = state_dict.get(f"{prefix}data")
        if stored is not None and stored.shape[1:] == self.data.shape[1:]:
            self.make_room(len(stored))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def make_room(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give every table of a model as many rows as a state has for it."""
    for name, module in model.named_modules():
        stored = state.get(f"{name}.data")
        if isinstance(module, Rows) and stored is not None and stored.ndim == module.data.ndim:
            module.make_room(len(stored))
