"""The head of a multi-CNN: one embedding of every modality, side by side, to one prediction."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

HIDDEN = 32


class ConcatHead(nn.Module):
    """evidence + rho(embeddings side by side); the last layer of rho starts at zero.

    Args:
        width: of all embeddings together.
        classes: K.
        dropout: inside rho.
    """

    def __init__(self, width: int, classes: int, *, dropout: float) -> None:
        super().__init__()
        last = nn.Linear(HIDDEN, classes)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.rho = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Dropout(dropout), last)

    def forward(self, embeddings: Sequence[Tensor], evidence: Sequence[Tensor]) -> Tensor:
        """Embeddings (B, E) and unimodal logits (B, K) of every modality -> logits (B, K)."""
        correction: Tensor = self.rho(torch.cat(list(embeddings), dim=1))
        return torch.stack(list(evidence)).sum(dim=0) + correction
