"""From one row per item to one row per case: over all its items, whatever their modality.

modalities       the mean over the rows of each modality, added up: the items of one modality tell
                 much the same, so their number is no evidence
sum, mean, max   of all rows; nothing is learned
attention        their sum, each weighed by its share: gated attention to the items' embeddings,
                 which starts as the mean. What an item's modality says of it is in its embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from mmmed.batch import Batch, segment_max, segment_mean, segment_sum
from mmmed.models.pooling import GatedAttention, pool

Aggregation = Literal["modalities", "sum", "mean", "max", "attention"]

_SEGMENTS: Mapping[Aggregation, Callable[[Tensor, Tensor, int], Tensor]] = {
    "sum": segment_sum,
    "mean": segment_mean,
    "max": segment_max,
    "attention": segment_mean,
}


def aggregate(batch: Batch, values: Mapping[str, Tensor], how: Aggregation) -> Tensor:
    """Values (n, ...) of all modalities -> (B, ...), one row per case; attention as it starts."""
    if how == "modalities":
        means = [segment_mean(v, batch.items[n].owner, len(batch)) for n, v in values.items()]
        return torch.stack(means).sum(dim=0)
    return _SEGMENTS[how](_rows(values), _owners(batch, values), len(batch))


class Aggregator(nn.Module):
    """An aggregation and what it learns, if it learns.

    Args:
        how: the aggregation.
        width: of the embeddings that attention reads.
    """

    def __init__(self, how: Aggregation, width: int) -> None:
        super().__init__()
        self.how: Aggregation = how
        self.attention = GatedAttention(width) if how == "attention" else None

    def shares(self, batch: Batch, phi: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """How much each item counts: embeddings (n, E) by modality -> (n,) by modality.

        The shares of a case sum to one over all its items. None where nothing is attended to.
        """
        if self.attention is None:
            return None
        shares = self.attention(_rows(phi), _owners(batch, phi), len(batch))
        return dict(zip(phi, shares.split([len(one) for one in phi.values()]), strict=True))

    def forward(
        self, batch: Batch, values: Mapping[str, Tensor], shares: Mapping[str, Tensor] | None
    ) -> Tensor:
        """Values (n, K) of all modalities -> (B, K), one row per case."""
        if shares is None:
            return aggregate(batch, values, self.how)
        weights = torch.cat([shares[name] for name in values])
        return pool(_rows(values), _owners(batch, values), len(batch), shares=weights)


def _rows(values: Mapping[str, Tensor]) -> Tensor:
    return torch.cat(list(values.values()))


def _owners(batch: Batch, values: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([batch.items[name].owner for name in values])
