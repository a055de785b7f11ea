"""The net for vectors: standardise, project, two layers with layer norm.

Layer norm needs no batch, so a single vector trains as well as a hundred.
"""

from __future__ import annotations

from torch import Tensor, nn

from mmmed.models.backbones.backbone import Backbone
from mmmed.models.standard import Standard, Standardise

HIDDEN = 64


class Mlp(Backbone):
    """An entry of its own for the vector's width, then the trunk."""

    def __init__(self, standard: Standard, *, width: int = HIDDEN) -> None:
        super().__init__()
        self.entry = entry(standard)
        self.trunk = MlpTrunk(width=width)
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """(n, F) -> (n, E)."""
        embedded: Tensor = self.trunk(self.entry(x))
        return embedded


class MlpTrunk(Backbone):
    """The part that does not depend on the width of the vectors."""

    def __init__(self, *, width: int = HIDDEN) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, width),
            nn.LayerNorm(width),
            nn.ReLU(),
        )
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """(n, HIDDEN) -> (n, E)."""
        embedded: Tensor = self.layers(x)
        return embedded


def entry(standard: Standard) -> nn.Module:
    """Standardisation and a projection, (n, F) -> (n, HIDDEN)."""
    return nn.Sequential(Standardise(standard), nn.Linear(len(standard.mean), HIDDEN))
