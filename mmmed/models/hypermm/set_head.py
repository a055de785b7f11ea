"""Set heads: from the embeddings of a case's items to one prediction, in any order.

residual   aggregated phase-1 logits plus a Deep Sets correction that starts at zero: training
           begins at the sum of the evidence instead of at chance
agreement  as residual, and the correction is told how far the items agree: a sum of evidence cannot
           see what two scans say only together, and a few hundred pairs do not teach a product
deep-sets  the paper's: aggregate the embeddings, then a fresh two-layer net
evidence   aggregated phase-1 logits, nothing learned
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from mmmed.batch import Batch, segment_sum
from mmmed.models.hypermm.aggregation import Aggregation, Aggregator

Classifier = Callable[[Tensor], Tensor]
HeadKind = Literal["residual", "agreement", "deep-sets", "evidence"]

HIDDEN = 32


def agreement(batch: Batch, logits: Mapping[str, Tensor]) -> Tensor:
    """How far the items of a case agree on each class, (B, K); zero for a case with one item.

    An item's stance on a class is its probability, shifted and scaled so that 0 is indifference
    and 1 certainty; a case's agreement is the mean product of stances over its pairs of items.

    Args:
        batch: whose cases own the items.
        logits: modality -> (n, K).
    """
    owner = torch.cat([batch.items[name].owner for name in logits])
    probability = torch.softmax(torch.cat(list(logits.values())), dim=1)
    classes = probability.shape[1]
    stance = (probability * classes - 1) / (classes - 1)
    total = segment_sum(stance, owner, len(batch))
    own = segment_sum(stance**2, owner, len(batch))
    items = torch.bincount(owner, minlength=len(batch)).to(total)[:, None]
    return (total**2 - own) / (items * (items - 1)).clamp(min=1)


class ResidualHead(nn.Module):
    """agg(classifier(phi)) + rho(agg(psi(phi))), the last layer of rho starting at zero.

    Args:
        told: numbers per case that rho is told besides.
    """

    def __init__(
        self, width: int, classes: int, *, agg: Aggregation, dropout: float, told: int = 0
    ) -> None:
        super().__init__()
        self.agg = Aggregator(agg, width)
        self.psi = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU())
        last = nn.Linear(HIDDEN, classes)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        first = nn.Linear(HIDDEN + told, HIDDEN)
        self.rho = nn.Sequential(first, nn.ReLU(), nn.Dropout(dropout), last)

    def forward(self, batch: Batch, phi: Mapping[str, Tensor], classifier: Classifier) -> Tensor:
        """Embeddings (n, E) by modality -> logits (B, K)."""
        logits = {name: classifier(one) for name, one in phi.items()}
        shares = self.agg.shares(batch, phi)
        pooled = self.agg(batch, {name: self.psi(one) for name, one in phi.items()}, shares)
        correction: Tensor = self.rho(self.told(batch, pooled, logits))
        evidence: Tensor = self.agg(batch, logits, shares)
        return evidence + correction

    def told(self, batch: Batch, pooled: Tensor, logits: Mapping[str, Tensor]) -> Tensor:  # noqa: ARG002 - for those who tell more
        """What rho reads, (B, HIDDEN + told): the pooled embeddings."""
        return pooled


class AgreementHead(ResidualHead):
    """A residual head whose rho is also told how far the items agree on each class."""

    def __init__(self, width: int, classes: int, *, agg: Aggregation, dropout: float) -> None:
        super().__init__(width, classes, agg=agg, dropout=dropout, told=classes)

    def told(self, batch: Batch, pooled: Tensor, logits: Mapping[str, Tensor]) -> Tensor:
        """What rho reads, (B, HIDDEN + K): the pooled embeddings and the agreement."""
        return torch.cat([pooled, agreement(batch, logits)], dim=1)


class DeepSetsHead(nn.Module):
    """rho(agg(phi)): the paper's set network."""

    def __init__(self, width: int, classes: int, *, agg: Aggregation, dropout: float) -> None:
        super().__init__()
        self.agg = Aggregator(agg, width)
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
        logits: Tensor = self.rho(self.agg(batch, phi, self.agg.shares(batch, phi)))
        return logits


class EvidenceHead(nn.Module):
    """agg(classifier(phi)): no set network, so that it can attend to nothing."""

    def __init__(self, width: int, agg: Aggregation) -> None:
        super().__init__()
        self.agg = Aggregator(agg, width)

    def forward(self, batch: Batch, phi: Mapping[str, Tensor], classifier: Classifier) -> Tensor:
        """Embeddings (n, E) by modality -> logits (B, K)."""
        logits: Tensor = self.agg(batch, {name: classifier(one) for name, one in phi.items()}, None)
        return logits


SetHead = ResidualHead | DeepSetsHead | EvidenceHead


def set_head(
    kind: HeadKind, width: int, classes: int, *, agg: Aggregation, dropout: float
) -> SetHead:
    """The head that the options name."""
    if kind == "evidence":
        return EvidenceHead(width, agg)
    return _LEARNED[kind](width, classes, agg=agg, dropout=dropout)


_LEARNED: Mapping[str, Callable[..., SetHead]] = {
    "residual": ResidualHead,
    "agreement": AgreementHead,
    "deep-sets": DeepSetsHead,
}
