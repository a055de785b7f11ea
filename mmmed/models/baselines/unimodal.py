"""One net per modality, none of which sees another's items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mmmed.batch import Batch, segment_mean
from mmmed.modality import Modality
from mmmed.models.backbones.backbone import BackboneOptions
from mmmed.models.backbones.building import backbone_of
from mmmed.models.contract import Loss, Turn, parameters_of
from mmmed.models.loss import cross_entropy, item_labels
from mmmed.models.standard import Standard


class UnimodalNet(nn.Module):
    """A backbone of its own and a linear classifier behind dropout."""

    def __init__(
        self,
        modality: Modality,
        backbone: BackboneOptions,
        *,
        classes: int,
        dropout: float,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__()
        self.backbone = backbone_of(modality, backbone, standards=standards)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.backbone.width, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Items -> logits (n, K)."""
        logits: Tensor = self.classifier(self.backbone(x))
        return logits


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
    ) -> None:
        super().__init__(
            {
                modality.name: UnimodalNet(
                    modality, backbone, classes=classes, dropout=dropout, standards=standards
                )
                for modality in modalities
            }
        )

    def case_logits(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (B, K): the mean over a case's items, zero for a case without any."""
        return {
            name: segment_mean(self[name](items.data), items.owner, len(batch))
            for name, items in batch.items.items()
        }

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E)."""
        return {
            name: self[name].get_submodule("backbone")(items.data)
            for name, items in batch.items.items()
        }

    def turns(self, *, smoothing: float) -> tuple[Turn, ...]:
        """One turn per modality."""
        return item_turns(dict(self.items()), smoothing=smoothing)


def item_turns(nets: Mapping[str, nn.Module], *, smoothing: float) -> tuple[Turn, ...]:
    """One turn per modality: every item on its own, so that no modality starves another.

    Args:
        nets: modality -> what makes logits (n, K) of its items.
        smoothing: of the labels.
    """
    return tuple(
        Turn(parameters_of(net), _ItemLoss(name, net, smoothing)) for name, net in nets.items()
    )


class _ItemLoss:
    """The loss of one modality's items; empty where the batch has none."""

    def __init__(self, modality: str, net: nn.Module, smoothing: float) -> None:
        self.modality = modality
        self.net = net
        self.smoothing = smoothing

    def __call__(self, batch: Batch) -> dict[str, Loss]:
        if self.modality not in batch.items:
            return {}
        logits = self.net(batch.items[self.modality].data)
        label = item_labels(batch, self.modality)
        return {f"{self.modality} class": cross_entropy(logits, label, smoothing=self.smoothing)}
