"""A branch: what one modality's tokens go through, and what they say of the class.

encoder      items -> tokens
reader       tokens -> one embedding: blocks of attention, or none, then the mean over the tokens
classifier   embedding -> logits, linear behind dropout

Tokens may be put into the reader that no item was encoded to.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmmed.errors import StudyError
from mmmed.models.tokens.encoder import TokenEncoder
from mmmed.models.transformer.block import EPSILON, SPREAD, Block


class Branch(nn.Module):
    """One modality's encoder, reader and classifier."""

    def __init__(
        self, encoder: TokenEncoder, reader: nn.Module, *, classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.reader = reader
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(encoder.width, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Items -> logits (n, K)."""
        logits: Tensor = self.classifier(self.reader(self.encoder(x)))
        return logits


class MeanReader(nn.Module):
    """The mean over the tokens."""

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, T, E) -> (n, E)."""
        return tokens.mean(dim=1)


class BlockReader(nn.Module):
    """Positions, blocks of attention, and the mean over the tokens."""

    def __init__(self, count: int, width: int, *, depth: int, heads: int) -> None:
        """Build it for sequences of `count` tokens.

        Raises:
            StudyError: the heads do not divide the width.
        """
        super().__init__()
        if width % heads:
            raise StudyError(
                f"{heads} heads do not divide tokens of width {width}; choose another number"
            )
        self.position = nn.Parameter(SPREAD * torch.randn(count, width))
        self.blocks = nn.ModuleList(Block(width, heads=heads, ratio=2.0) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, T, E) -> (n, E)."""
        x = tokens + self.position
        for block in self.blocks:
            x, _ = block(x)
        read: Tensor = self.norm(x)
        return read.mean(dim=1)
