"""Patch tokens: an item is cut into equal patches, each mapped linearly to one token.

Source: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, arXiv 2010.11929, equation 1,
without its class token and position embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from mmmed.models.tokens.encoder import TokenEncoder


class PatchTokens(TokenEncoder):
    """A convolution whose stride is its kernel; incomplete patches are filled up with zeros."""

    def __init__(self, shape: Sequence[int], *, size: int, width: int) -> None:
        """Build it for items of one shape, (C, *space)."""
        super().__init__()
        channels, *space = shape
        conv = {2: nn.Conv2d, 3: nn.Conv3d}[len(space)]
        self.project = conv(channels, width, size, stride=size)
        self.lacking = tuple(-length % size for length in space)
        self.count = math.prod(math.ceil(length / size) for length in space)
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, T, E)."""
        edges = [edge for lack in reversed(self.lacking) for edge in (0, lack)]
        patches: Tensor = self.project(functional.pad(x, edges))  # (n, E, *patches)
        return patches.flatten(2).transpose(1, 2)
