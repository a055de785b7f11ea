"""Late fusion with modality dropout: nets warmed up alone, then trained through their fusion.

Phase `warm-up`: each modality's net on its own items, so that one learned late (the demo's MRI)
is not starved by one learned early. Phase `joint`: all nets and the fusion layer on the set
prediction, with modalities hidden at random.

Sources: Neverova, Wolf, Taylor, Nebout: ModDrop, IEEE TPAMI 38(8), 2016,
doi 10.1109/TPAMI.2015.2461544 (modality dropout after a modality-wise start); the combination of
decisions is Kittler et al. 1998.

Differs from the paper: the fusion is a linear layer on the combined logits that starts as the
identity, not a shared hidden layer; the backbones are ours; a case never loses all it has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from mmmed.batch import Batch
from mmmed.modality import Modality
from mmmed.models.baselines.late import Late, LateOptions
from mmmed.models.contract import Loss, Phase, Turn, parameters_of
from mmmed.models.dropout import drop_modalities
from mmmed.models.loss import cross_entropy, labels
from mmmed.models.standard import Standard

JOINT_SHARE = 5
"""The joint phase has a fifth of the warm-up's steps."""


class Options(LateOptions):
    """What a study may say about late fusion.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        combine: how the logits of the modalities shown are put together.
        dropout: on the embedding, before the classifier.
        modality_dropout: share of modalities hidden in the joint phase.
        smoothing: of the labels.
        pooling: how a case's items of one modality are pooled.
        joint_rate: learning rate of the joint phase, relative to the study's.
    """

    kind: Literal["late-fusion"] = "late-fusion"
    combine: Literal["sum", "mean"] = "sum"
    modality_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.25
    joint_rate: Annotated[float, Field(gt=0)] = 0.25


class LateFusion(Late):
    """Combined unimodal logits through a linear layer that starts as the identity."""

    def __init__(
        self,
        options: Options,
        modalities: tuple[Modality, ...],
        *,
        classes: int,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__(options, modalities, classes=classes, standards=standards)
        self.options: Options = options
        self.fusion = nn.Linear(classes, classes)
        nn.init.eye_(self.fusion.weight)
        nn.init.zeros_(self.fusion.bias)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K)."""
        combined = self.evidence(batch)
        if self.options.combine == "mean":
            shown = batch.presence.sum(dim=1, keepdim=True).to(combined)
            combined = combined / shown
        return self.prior.plus(self.fusion(combined))

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """`warm-up`, net by net, then `joint`."""
        turns = self.nets.turns(smoothing=self.options.smoothing, prior=self.prior)
        everything = (self.nets, self.fusion)
        joint = Turn(parameters_of(*everything), self.joint_loss, rate=self.options.joint_rate)
        return (
            Phase("warm-up", turns, steps, learns=(self.nets,)),
            Phase("joint", (joint,), math.ceil(steps / JOINT_SHARE), learns=everything),
        )

    def joint_loss(self, batch: Batch) -> dict[str, Loss]:
        """Cross entropy of the fused prediction under modality dropout."""
        shown = drop_modalities(batch, self.options.modality_dropout)
        logits = self(shown)
        return {"class": cross_entropy(logits, labels(shown), smoothing=self.options.smoothing)}
