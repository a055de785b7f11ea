"""Pooling: from what is known of each item to what is known of its case.

mean       every item of a case counts alike
attention  a small network says how much each item counts; the shares of a case sum to one

Ilse, Tomczak, Welling: Attention-based Deep Multiple Instance Learning, ICML 2018,
arXiv 1802.04712: a = softmax(w^T (tanh(V h) * sigm(U h))) over the items of a case (equation 9).

Differs from the paper: w starts at zero, so that training begins at the mean; V and U have biases.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from mmmed.batch import segment_mean, segment_softmax, segment_sum

Pooling = Literal["mean", "attention"]

HIDDEN = 32


class GatedAttention(nn.Module):
    """How much each item of a case counts, by its embedding alone.

    Args:
        width: of the embeddings.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Linear(width, HIDDEN)
        self.gate = nn.Linear(width, HIDDEN)
        self.score = nn.Linear(HIDDEN, 1, bias=False)
        nn.init.zeros_(self.score.weight)

    def forward(self, embedded: Tensor, owner: Tensor, size: int) -> Tensor:
        """Embeddings (n, E) -> shares (n,), which sum to one over the items of a case.

        Args:
            embedded: one row per item.
            owner: (n,) the case of each item.
            size: B.
        """
        gated = torch.tanh(self.value(embedded)) * torch.sigmoid(self.gate(embedded))
        return segment_softmax(self.score(gated)[:, 0], owner, size)


def attention_of(pooling: Pooling, width: int) -> GatedAttention | None:
    """The network that the pooling needs; None for the mean."""
    return GatedAttention(width) if pooling == "attention" else None


def pool(values: Tensor, owner: Tensor, size: int, *, shares: Tensor | None) -> Tensor:
    """One row per case, (n, K) -> (B, K); zero for a case without items.

    Args:
        values: one row per item.
        owner: (n,) the case of each item.
        size: B.
        shares: (n,) how much each item counts; None where all count alike.
    """
    if shares is None:
        return segment_mean(values, owner, size)
    return segment_sum(shares[:, None] * values, owner, size)
