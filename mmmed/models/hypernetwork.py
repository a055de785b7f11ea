"""A conditional hypernetwork: from the identifier of a modality to the tensors of a network.

code       the unit vector of a modality: embedding -> two-layer net -> normalised
head       the linear map from the code to the entries of all tensors, side by side
generated  what the head yields for one modality; gradients flow back through it

Kernels start as He's initialisation asks: with |code| = 1, head weights drawn from N(0, 2/fan_in)
give every generated kernel the variance 2/fan_in (hyperfan-in: Chang, Flokas, Lipson, ICLR 2020),
and modalities with different codes start with different kernels. Scales start at one and biases at
zero for every modality.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

EMBEDDING = 8
HIDDEN = 32
CODE = 16
"""Entries of a code: as many modalities can have fully independent tensors."""


class Hypernetwork(nn.Module):
    """Modality -> {tensor name: tensor}.

    Args:
        modalities: the names that may be asked for; nothing else has a code.
        like: name -> a tensor whose shape is generated. Tensors of two and more axes are
            kernels (out, in, *window); those of one axis are scales where they hold ones and
            biases where they hold zeros.
    """

    def __init__(self, modalities: Sequence[str], like: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.rows = {name: row for row, name in enumerate(modalities)}
        self.shapes = {name: tensor.shape for name, tensor in like.items()}
        self.embedding = nn.Embedding(len(modalities), EMBEDDING)
        self.trunk = nn.Sequential(nn.Linear(EMBEDDING, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CODE))
        self.head = _head([tensor.detach() for tensor in like.values()])

    def forward(self, modalities: Sequence[str]) -> dict[str, dict[str, Tensor]]:
        """Modality -> its generated tensors; the head runs once for all of them."""
        entries = self.head(self.codes(modalities))  # (m, entries)
        return {
            name: self._cut(own) for name, own in zip(modalities, entries.unbind(), strict=True)
        }

    def codes(self, modalities: Sequence[str]) -> Tensor:
        """(m, CODE) one unit vector per modality."""
        device = self.embedding.weight.device
        rows = torch.tensor([self.rows[name] for name in modalities], device=device)
        return functional.normalize(self.trunk(self.embedding(rows)), dim=1)

    def _cut(self, entries: Tensor) -> dict[str, Tensor]:
        parts = torch.split(entries, [math.prod(shape) for shape in self.shapes.values()])
        return {
            name: part.view(shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def _head(like: Sequence[Tensor]) -> nn.Linear:
    head = nn.Linear(CODE, sum(tensor.numel() for tensor in like))
    with torch.no_grad():
        head.weight.copy_(torch.cat([_slopes(tensor) for tensor in like]))
        head.bias.copy_(torch.cat([_start(tensor) for tensor in like]))
    return head


def _slopes(like: Tensor) -> Tensor:
    """(entries, CODE): He variance for a kernel, zero for a scale or a bias."""
    if like.ndim == 1:
        return torch.zeros(len(like), CODE)
    return torch.randn(like.numel(), CODE) * math.sqrt(2 / like[0].numel())


def _start(like: Tensor) -> Tensor:
    """(entries,): zero for a kernel, its own values for a scale or a bias."""
    return like if like.ndim == 1 else torch.zeros(like.numel())
