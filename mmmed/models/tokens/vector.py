"""Vector tokens: several views of one vector, each through the same small net."""

from __future__ import annotations

from torch import Tensor, nn

from mmmed.models.backbones.mlp import HIDDEN, MlpTrunk
from mmmed.models.standard import Standard, Standardise
from mmmed.models.tokens.encoder import TokenEncoder

COUNT = 4
"""Tokens per vector."""


class VectorTokens(TokenEncoder):
    """Standardise, project to `count` hidden vectors, and the trunk of `Mlp` on each of them."""

    def __init__(self, standard: Standard, *, count: int = COUNT, width: int = HIDDEN) -> None:
        super().__init__()
        self.entry = nn.Sequential(
            Standardise(standard),
            nn.Linear(len(standard.mean), count * HIDDEN),
            nn.Unflatten(1, (count, HIDDEN)),
        )
        self.trunk = MlpTrunk(width=width)
        self.count = count
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """(n, F) -> (n, T, E)."""
        tokens: Tensor = self.trunk(self.entry(x))
        return tokens
