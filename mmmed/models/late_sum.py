"""Late sum: one net per modality, trained alone; their logits are added, nothing else learns.

On independent evidence log-odds add, so this is the plain reference that a fusion method must
beat. Under a pattern of one modality it is exactly that modality's own model.

Source: the sum rule of Kittler, Hatef, Duin, Matas: On combining classifiers, IEEE TPAMI 20(3),
1998, doi 10.1109/34.667881, in its log-odds form.

Differs from the paper: logits are added instead of probabilities, and the prior of the classes is
counted once per modality (no difference where classes are balanced).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from mmmed.batch import Batch
from mmmed.config import Spec
from mmmed.modality import Modality
from mmmed.models.backbone import BackboneOptions, Conv
from mmmed.models.contract import Model, Phase
from mmmed.models.standard import Standard
from mmmed.models.unimodal import UnimodalNets


class Options(Spec):
    """What a study may say about the late sum.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        dropout: on the embedding, before the classifier.
        smoothing: of the labels.
    """

    kind: Literal["late-sum"] = "late-sum"
    backbone: BackboneOptions = Conv()
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0


class LateSum(Model):
    """The sum of unimodal logits over what a case shows; a modality's items are averaged."""

    def __init__(
        self,
        options: Options,
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
        )

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K)."""
        self.require_known(batch)
        return torch.stack(list(self.nets.case_logits(batch).values())).sum(dim=0)

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E) of its own net."""
        self.require_known(batch)
        return self.nets.features(batch)

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """One phase; the nets take turns, each with its own optimiser and its own items."""
        turns = self.nets.turns(smoothing=self.options.smoothing)
        return (Phase("unimodal", turns, steps, learns=(self.nets,)),)
