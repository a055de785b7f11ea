"""What the late methods share: one net per modality, whose logits are added up.

`Late` is their model, `LateOptions` what a study may say about each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mmmed.batch import Batch
from mmmed.modality import Modality
from mmmed.models.backbones.backbone import BackboneOptions, Conv
from mmmed.models.baselines.unimodal import UnimodalNets
from mmmed.models.contract import Model
from mmmed.models.options import MethodOptions
from mmmed.models.pooling import Pooling
from mmmed.models.standard import Standard


class LateOptions(MethodOptions):
    """What a study may say about any late method.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        dropout: on the embedding, before the classifier.
        smoothing: of the labels.
        pooling: how a case's items of one modality are pooled.
    """

    backbone: BackboneOptions = Conv()
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    pooling: Pooling = "mean"


class Late(Model):
    """The sum of unimodal logits over what a case shows; a modality's items are pooled."""

    def __init__(
        self,
        options: LateOptions,
        modalities: tuple[Modality, ...],
        *,
        classes: int,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__(modalities, classes)
        self.options = options
        self.nets = UnimodalNets(
            modalities,
            options.backbone,
            classes=classes,
            dropout=options.dropout,
            standards=standards,
            pooling=options.pooling,
        )

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K)."""
        return self.prior.plus(self.evidence(batch))

    def evidence(self, batch: Batch) -> Tensor:
        """(B, K) the sum of what the modalities shown say."""
        self.require_known(batch)
        return torch.stack(list(self.nets.case_logits(batch).values())).sum(dim=0)

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E) of its own net."""
        self.require_known(batch)
        return self.nets.features(batch)

    def attention(self, batch: Batch) -> dict[str, Tensor] | None:
        """Modality -> (n,); every modality that a case shows counts alike, its items by share."""
        self.require_known(batch)
        shares = self.nets.attention(batch)
        if shares is None:
            return None
        shown = batch.presence.sum(dim=1)
        return {name: one / shown.to(one)[batch.items[name].owner] for name, one in shares.items()}
