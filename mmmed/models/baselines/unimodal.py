"""One net per modality, none of which sees another's items.

A net that averages learns from every item on its own; one that attends learns from cases, as no
item alone says how much it counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mmmed.batch import Batch, Items
from mmmed.modality import Modality, Pattern
from mmmed.models.backbones.backbone import BackboneOptions
from mmmed.models.backbones.building import backbone_of
from mmmed.models.contract import Loss, Turn, parameters_of
from mmmed.models.loss import cross_entropy, item_labels, labels
from mmmed.models.pooling import Pooling, attention_of, pool
from mmmed.models.prior import ClassPrior
from mmmed.models.standard import Standard


class UnimodalNet(nn.Module):
    """A backbone of its own, a linear classifier behind dropout, and how a case's items pool."""

    def __init__(
        self,
        modality: Modality,
        backbone: BackboneOptions,
        *,
        classes: int,
        dropout: float,
        standards: Mapping[str, Standard],
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__()
        self.backbone = backbone_of(modality, backbone, standards=standards)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.backbone.width, classes)
        )
        self.attention = attention_of(pooling, self.backbone.width)

    def forward(self, x: Tensor) -> Tensor:
        """Items -> logits (n, K)."""
        logits: Tensor = self.classifier(self.backbone(x))
        return logits

    def case_logits(self, items: Items, size: int) -> Tensor:
        """(B, K) of each case's items, pooled; zero for a case without any."""
        embedded = self.backbone(items.data)
        shares = self.shares(embedded, items.owner, size)
        return pool(self.classifier(embedded), items.owner, size, shares=shares)

    def shares(self, embedded: Tensor, owner: Tensor, size: int) -> Tensor | None:
        """How much each item counts in its case, embeddings (n, E) -> (n,); None for the mean."""
        if self.attention is None:
            return None
        shares: Tensor = self.attention(embedded, owner, size)
        return shares


class UnimodalNets(nn.ModuleDict):
    """Modality -> its net."""

    def __init__(
        self,
        modalities: Sequence[Modality],
        backbone: BackboneOptions,
        *,
        classes: int,
        dropout: float,
        standards: Mapping[str, Standard],
        pooling: Pooling = "mean",
    ) -> None:
        super().__init__(
            {
                modality.name: UnimodalNet(
                    modality,
                    backbone,
                    classes=classes,
                    dropout=dropout,
                    standards=standards,
                    pooling=pooling,
                )
                for modality in modalities
            }
        )

    def case_logits(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (B, K): a case's items pooled, zero for a case without any."""
        return {
            name: self.net(name).case_logits(items, len(batch))
            for name, items in batch.items.items()
        }

    def shares(self, batch: Batch, embedded: Mapping[str, Tensor]) -> dict[str, Tensor | None]:
        """Modality -> (n,) how much each item counts; those of a case and modality sum to one.

        None where all count alike.

        Args:
            batch: whose cases own the items.
            embedded: modality -> (n, E).
        """
        return {
            name: self.net(name).shares(one, batch.items[name].owner, len(batch))
            for name, one in embedded.items()
        }

    def attention(self, batch: Batch) -> dict[str, Tensor] | None:
        """Modality -> (n,) as `shares`; None where all count alike."""
        if not self.attends:
            return None
        found = self.shares(batch, self.features(batch))
        return {name: one for name, one in found.items() if one is not None}

    @property
    def attends(self) -> bool:
        """Whether items are weighed."""
        return any(self.net(name).attention is not None for name in self)

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E)."""
        return {name: self.net(name).backbone(items.data) for name, items in batch.items.items()}

    def net(self, name: str) -> UnimodalNet:
        """That of a modality."""
        net: UnimodalNet = self[name]  # type: ignore[assignment]  # a dict of modules by its type
        return net

    def turns(self, *, smoothing: float, prior: ClassPrior) -> tuple[Turn, ...]:
        """One turn per modality, so that no modality starves another."""
        nets = {name: self.net(name) for name in self}
        if not self.attends:
            return item_turns(nets, smoothing=smoothing, prior=prior)
        return tuple(
            Turn(parameters_of(net), _CaseLoss(name, net, smoothing, prior))
            for name, net in nets.items()
        )


def item_turns(
    nets: Mapping[str, nn.Module], *, smoothing: float, prior: ClassPrior
) -> tuple[Turn, ...]:
    """One turn per modality: every item on its own, so that no modality starves another.

    Args:
        nets: modality -> what makes evidence (n, K) of its items.
        smoothing: of the labels.
        prior: of the classes.
    """
    return tuple(
        Turn(parameters_of(net), _ItemLoss(name, net, smoothing, prior))
        for name, net in nets.items()
    )


class _ItemLoss:
    """The loss of one modality's items; empty where the batch has none."""

    def __init__(self, modality: str, net: nn.Module, smoothing: float, prior: ClassPrior) -> None:
        self.modality = modality
        self.net = net
        self.smoothing = smoothing
        self.prior = prior

    def __call__(self, batch: Batch) -> dict[str, Loss]:
        if self.modality not in batch.items:
            return {}
        evidence, label = self.told(batch)
        logits = self.prior.plus(evidence)
        return {f"{self.modality} class": cross_entropy(logits, label, smoothing=self.smoothing)}

    def told(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Evidence (n, K) and labels (n,) of the items."""
        return self.net(batch.items[self.modality].data), item_labels(batch, self.modality)


class _CaseLoss(_ItemLoss):
    """The loss of the cases that show one modality, their items pooled; empty without any."""

    net: UnimodalNet

    def told(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Evidence (B, K) and labels (B,) of the cases."""
        shown, _ = batch.only(Pattern.of([self.modality]))
        return self.net.case_logits(shown.items[self.modality], len(shown)), labels(shown)


def pooled(
    batch: Batch, values: Mapping[str, Tensor], shares: Mapping[str, Tensor | None]
) -> dict[str, Tensor]:
    """Modality -> (B, K) of values (n, K), each item by its share."""
    return {
        name: pool(one, batch.items[name].owner, len(batch), shares=shares[name])
        for name, one in values.items()
    }
