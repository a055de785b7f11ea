"""Set heads: from the embeddings of a case's items to one prediction, in any order.

aggregate  sum, mean or maximum over all items of a case, whatever their modality
residual   aggregated phase-1 logits plus a Deep Sets correction that starts at zero: training
           begins at the sum of the evidence instead of at chance
deep-sets  the paper's: aggregate the embeddings, then a fresh two-layer net
evidence   aggregated phase-1 logits, nothing learned
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from mmmed.batch import Batch, segment_max, segment_mean, segment_sum

Aggregation = Literal["sum", "mean", "max"]
Classifier = Callable[[Tensor], Tensor]
HeadKind = Literal["residual", "deep-sets", "evidence"]

HIDDEN = 32
_SEGMENTS: Mapping[Aggregation, Callable[[Tensor, Tensor, int], Tensor]] = {
    "sum": segment_sum,
    "mean": segment_mean,
    "max": segment_max,
}


def aggregate(batch: Batch, values: Mapping[str, Tensor], how: Aggregation) -> Tensor:
    """Values (n, ...) of all modalities -> (B, ...), one row per case."""
    owner = torch.cat([batch.items[name].owner for name in values])
    return _SEGMENTS[how](torch.cat(list(values.values())), owner, len(batch))


class ResidualHead(nn.Module):
    """agg(classifier(phi)) + rho(agg(psi(phi))), the last layer of rho starting at zero."""

    def __init__(self, width: int, classes: int, *, agg: Aggregation, dropout: float) -> None:
        super().__init__()
        self.agg: Aggregation = agg
        self.psi = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU())
        last = nn.Linear(HIDDEN, classes)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.rho = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(dropout), last)

    def forward(self, batch: Batch, phi: Mapping[str, Tensor], classifier: Classifier) -> Tensor:
        """Embeddings (n, E) by modality -> logits (B, K)."""
        evidence = aggregate(batch, {m: classifier(one) for m, one in phi.items()}, self.agg)
        pooled = aggregate(batch, {m: self.psi(one) for m, one in phi.items()}, self.agg)
        correction: Tensor = self.rho(pooled)
        return evidence + correction


class DeepSetsHead(nn.Module):
    """rho(agg(phi)): the paper's set network."""

    def __init__(self, width: int, classes: int, *, agg: Aggregation, dropout: float) -> None:
        super().__init__()
        self.agg: Aggregation = agg
        self.rho = nn.Sequential(
            nn.Linear(width, HIDDEN), nn.ReLU(), nn.Dropout(dropout), nn.Linear(HIDDEN, classes)
        )

    def forward(
        self,
        batch: Batch,
        phi: Mapping[str, Tensor],
        classifier: Classifier,  # noqa: ARG002 siblings share a signature
    ) -> Tensor:
        """Embeddings (n, E) by modality -> logits (B, K)."""
        logits: Tensor = self.rho(aggregate(batch, phi, self.agg))
        return logits


class EvidenceHead(nn.Module):
    """agg(classifier(phi)): no set network."""

    def __init__(self, agg: Aggregation) -> None:
        super().__init__()
        self.agg: Aggregation = agg

    def forward(self, batch: Batch, phi: Mapping[str, Tensor], classifier: Classifier) -> Tensor:
        """Embeddings (n, E) by modality -> logits (B, K)."""
        return aggregate(batch, {name: classifier(one) for name, one in phi.items()}, self.agg)


def set_head(
    kind: HeadKind, width: int, classes: int, *, agg: Aggregation, dropout: float
) -> ResidualHead | DeepSetsHead | EvidenceHead:
    """The head that the options name."""
    if kind == "evidence":
        return EvidenceHead(agg)
    if kind == "residual":
        return ResidualHead(width, classes, agg=agg, dropout=dropout)
    return DeepSetsHead(width, classes, agg=agg, dropout=dropout)
