"""A small 3D residual generator: what CycleGAN translates with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmmed.models.backbones.conv import MEMORY_FORMAT
from mmmed.models.imputers.start import start_gan

SMALL = 1e-5
"""Added to a variance before its root."""


class InstanceNorm(nn.Module):
    """Each channel of each volume to mean 0 and variance 1; a single voxel becomes 0."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> the same shape."""
        variance, mean = torch.var_mean(x, dim=(2, 3, 4), correction=0, keepdim=True)
        return (x - mean) * torch.rsqrt(variance + SMALL)


class ResidualGenerator(nn.Module):
    """Strided convolutions, residual blocks, interpolation back; (n, C, *space) -> the same shape.

    Args:
        channels: C.
        widths: of the strided convolutions; the blocks have the last.
        blocks: how many.
    """

    def __init__(self, channels: int, widths: Sequence[int], *, blocks: int) -> None:
        super().__init__()
        before = (channels, *widths[:-1])
        self.down = nn.ModuleList(
            nn.Conv3d(enter, leave, 3, stride=2, padding=1)
            for enter, leave in zip(before, widths, strict=True)
        )
        self.blocks = nn.ModuleList(_Block(widths[-1]) for _ in range(blocks))
        inner = widths[::-1]
        self.up = nn.ModuleList(
            nn.Conv3d(enter, leave, 3, padding=1) for enter, leave in pairwise(inner)
        )
        self.norm = InstanceNorm()
        self.last = nn.Conv3d(widths[0], channels, 3, padding=1)
        start_gan(self)

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, C, *space)."""
        x = x.to(memory_format=MEMORY_FORMAT[3])
        sizes = []
        for conv in self.down:
            sizes.append(x.shape[2:])
            x = functional.relu(self.norm(conv(x)))
        for block in self.blocks:
            x = block(x)
        for conv in self.up:
            x = functional.relu(self.norm(conv(_resized(x, sizes.pop()))))
        translated: Tensor = self.last(_resized(x, sizes.pop()))
        return translated


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(width, width, 3, padding=1)
        self.second = nn.Conv3d(width, width, 3, padding=1)
        self.norm = InstanceNorm()

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.norm(self.second(functional.relu(self.norm(self.first(x)))))
        return x + inner


def _resized(x: Tensor, size: torch.Size) -> Tensor:
    return functional.interpolate(x, size=size, mode="nearest")
