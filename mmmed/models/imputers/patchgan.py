"""A 3D PatchGAN: one score for every patch of a volume instead of one for the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional

from mmmed.models.backbones.conv import MEMORY_FORMAT
from mmmed.models.imputers.start import start_gan

SLOPE = 0.2


class PatchGan(nn.Module):
    """(n, C, *space) -> scores (n, 1, *patches), before any sigmoid.

    Args:
        channels: C.
        widths: of the strided convolutions.
        norm: channels -> what normalises after every convolution but the first and the last.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], *, norm: Callable[[int], nn.Module]
    ) -> None:
        super().__init__()
        before = (channels, *widths[:-1])
        self.convs = nn.ModuleList(
            nn.Conv3d(enter, leave, 3, stride=2, padding=1)
            for enter, leave in zip(before, widths, strict=True)
        )
        self.norms = nn.ModuleList(norm(width) for width in widths[1:])
        self.last = nn.Conv3d(widths[-1], 1, 3, padding=1)
        start_gan(self)

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, 1, *patches)."""
        x = x.to(memory_format=MEMORY_FORMAT[3])
        for level, conv in enumerate(self.convs):
            x = conv(x)
            x = functional.leaky_relu(self.norms[level - 1](x) if level else x, SLOPE)
        scores: Tensor = self.last(x)
        return scores
