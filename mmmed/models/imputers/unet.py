"""A small 3D U-Net: what pix2pix translates with.

Strided convolutions down, interpolation and convolutions up, skip connections between; the output
is linear, as volumes are standardised and not confined to a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmmed.models.backbones.conv import MEMORY_FORMAT, BatchNorm
from mmmed.models.imputers.start import start_gan

SLOPE = 0.2
"""Of the leaky ReLU on the way down."""

DROPOUT = 0.5
"""In the innermost block, in training."""


class UNet(nn.Module):
    """(n, C, *space) -> (n, C', *space), any size.

    Args:
        channels: C.
        out: C'.
        widths: channels of each level, outermost first.
    """

    def __init__(self, channels: int, out: int, widths: Sequence[int]) -> None:
        super().__init__()
        before = (channels, *widths[:-1])
        self.down = nn.ModuleList(
            nn.Conv3d(enter, leave, 3, stride=2, padding=1)
            for enter, leave in zip(before, widths, strict=True)
        )
        self.down_norms = nn.ModuleList(BatchNorm(width) for width in widths[1:])
        inner = list(widths[::-1])
        self.up = nn.ModuleList(
            nn.Conv3d(enter if not level else 2 * enter, leave, 3, padding=1)
            for level, (enter, leave) in enumerate(pairwise(inner))
        )
        self.up_norms = nn.ModuleList(BatchNorm(width) for width in inner[1:])
        self.dropout = nn.Dropout(DROPOUT)
        last = widths[0] if len(widths) == 1 else 2 * widths[0]
        self.last = nn.Conv3d(last, out, 3, padding=1)
        start_gan(self)

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, C', *space)."""
        x = x.to(memory_format=MEMORY_FORMAT[3])
        size, maps = x.shape[2:], []
        for level, conv in enumerate(self.down):
            x = conv(x if not level else functional.leaky_relu(x, SLOPE))
            x = x if not level else self.down_norms[level - 1](x)
            maps.append(x)
        for level, (conv, norm) in enumerate(zip(self.up, self.up_norms, strict=True)):
            skip = maps[-2 - level]
            x = norm(conv(_resized(functional.relu(x), skip.shape[2:])))
            x = self.dropout(x) if not level else x
            x = torch.cat([x, skip], dim=1)
        translated: Tensor = self.last(_resized(functional.relu(x), size))
        return translated


def _resized(x: Tensor, size: torch.Size) -> Tensor:
    return functional.interpolate(x, size=size, mode="nearest")
