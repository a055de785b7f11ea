"""Grid tokens: the cells of a backbone's last feature map, averaged down where they are many."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmmed.models.backbones.backbone import MapBackbone
from mmmed.models.tokens.encoder import TokenEncoder


class GridTokens(TokenEncoder):
    """A token per cell of the last feature map, at most `most` cells per axis."""

    def __init__(self, backbone: MapBackbone, shape: Sequence[int], *, most: int) -> None:
        """Build it for items of one shape, (C, *space)."""
        super().__init__()
        self.backbone = backbone
        self.cells = tuple(min(most, size) for size in _map_space(backbone, shape))
        pool = {2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}[len(self.cells)]
        self.pool: nn.Module = pool(self.cells)
        self.count = math.prod(self.cells)
        self.width = backbone.width

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, *space) -> (n, T, E)."""
        cells: Tensor = self.pool(self.backbone.feature_map(x))  # (n, E, *cells)
        return cells.flatten(2).transpose(1, 2)


def _map_space(backbone: MapBackbone, shape: Sequence[int]) -> tuple[int, ...]:
    """The spatial shape of the map of one item, found on tensors without content."""
    bare = copy.deepcopy(backbone).to("meta").eval()
    one = torch.empty((1, *shape), device="meta")
    return tuple(bare.feature_map(one).shape[2:])
