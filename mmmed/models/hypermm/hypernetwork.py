"""A conditional hypernetwork: from the identifier of a modality to the tensors of a network.

code       the unit vector of a modality: its own axis, moved by what a two-layer net makes of its
           embedding, and normalised
heads      the linear maps from the code to the entries of all tensors, side by side: one for the
           kernels, one for scales and biases
generated  what the heads yield for one modality; gradients flow back through them

A code has one entry per modality and the two-layer net starts at zero, so that training starts
with modalities that share nothing and finds out what they may share. Kernels start as He's
initialisation asks: with |code| = 1, head weights drawn from N(0, 2/fan_in) give every generated
kernel the variance 2/fan_in (hyperfan-in: Chang, Flokas, Lipson, ICLR 2020). They have no part
common to all modalities; scales and biases have one, which holds their start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

EMBEDDING = 8
HIDDEN = 32


class Hypernetwork(nn.Module):
    """Modality -> {tensor name: tensor}.

    Args:
        modalities: the names that may be asked for; nothing else has a code.
        like: name -> a tensor whose shape is generated. Tensors of two and more axes are
            kernels (out, in, *window); those of one axis are scales where they hold ones and
            biases where they hold zeros.
    """

    axes: Tensor

    def __init__(self, modalities: Sequence[str], like: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.rows = {name: row for row, name in enumerate(modalities)}
        kernels = {name: tensor.detach() for name, tensor in like.items() if tensor.ndim > 1}
        others = {name: tensor.detach() for name, tensor in like.items() if tensor.ndim == 1}
        self.shapes = {name: tensor.shape for name, tensor in {**kernels, **others}.items()}
        count = len(modalities)
        self.embedding = nn.Embedding(count, EMBEDDING)
        self.trunk = nn.Sequential(
            nn.Linear(EMBEDDING, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, count)
        )
        for parameter in self.trunk[-1].parameters():
            nn.init.zeros_(parameter)
        self.register_buffer("axes", torch.eye(count), persistent=False)
        self.kernels = _kernel_head(list(kernels.values()), count)
        self.others = _other_head(list(others.values()), count)

    def forward(self, modalities: Sequence[str]) -> dict[str, dict[str, Tensor]]:
        """Modality -> its generated tensors; the heads run once for all of them."""
        codes = self.codes(modalities)
        entries = torch.cat([self.kernels(codes), self.others(codes)], dim=1)  # (m, entries)
        return {
            name: self._cut(own) for name, own in zip(modalities, entries.unbind(), strict=True)
        }

    def codes(self, modalities: Sequence[str]) -> Tensor:
        """(m, M) one unit vector per modality asked for; M is the number of all modalities."""
        rows = torch.tensor([self.rows[name] for name in modalities], device=self.axes.device)
        moved = self.axes[rows] + self.trunk(self.embedding(rows))
        return functional.normalize(moved, dim=1)

    def _cut(self, entries: Tensor) -> dict[str, Tensor]:
        parts = torch.split(entries, [math.prod(shape) for shape in self.shapes.values()])
        return {
            name: part.view(shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def _kernel_head(like: Sequence[Tensor], count: int) -> nn.Linear:
    """No bias, He's variance in every column."""
    head = nn.Linear(count, sum(kernel.numel() for kernel in like), bias=False)
    drawn = [
        torch.randn(kernel.numel(), count) * math.sqrt(2 / kernel[0].numel()) for kernel in like
    ]
    with torch.no_grad():
        head.weight.copy_(torch.cat(drawn))
    return head


def _other_head(like: Sequence[Tensor], count: int) -> nn.Linear:
    """The tensors' own values as bias, and nothing yet that tells modalities apart."""
    head = nn.Linear(count, sum(tensor.numel() for tensor in like))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.cat(list(like)))
    return head
