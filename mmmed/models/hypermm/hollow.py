"""Hollow networks: tensors taken out of a network, to be given to every call.

`torch.func.functional_call` runs a hollow network with the tensors of one modality; what it writes
in place (batch norm's running statistics) lands in the tensors it was given.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Statistics(nn.Module):
    """One modality's copy of a network's running statistics."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        own = running_statistics(network)
        self.names = tuple(own)
        for name, buffer in own.items():
            self.register_buffer(_key(name), buffer.clone())

    def of(self) -> dict[str, Tensor]:
        """Name in the network -> the tensor to run it with."""
        return {name: self.get_buffer(_key(name)) for name in self.names}


def running_statistics(network: nn.Module) -> dict[str, Tensor]:
    """Running means and variances; counters and index tables are whole numbers and stay shared."""
    return {name: one for name, one in network.named_buffers() if one.is_floating_point()}


def hollow(network: nn.Module, names: Sequence[str]) -> None:
    """Take these parameters and buffers out of a network."""
    for name in names:
        owner, _, tensor = name.rpartition(".")
        setattr(network.get_submodule(owner), tensor, None)


def _key(name: str) -> str:
    return name.replace(".", "_")
