"""Early fusion: modalities stacked as channels of one net, zeros where one is absent.

The zeros are made inside this file's forward, from the batch's presence; no batch carries them.
Items are standardised (vectors inside the model, images by their preparation), so a zero is the
mean. Phase `warm-up`: every item as a case of its own, so that a modality learned late is not
starved by one learned early. Phase `fusion`: whole cases, of which modalities are hidden at random
as well, so that the net meets every pattern.

Source: the input-level fusion and zero filling that missing-modality papers compare with
(Neverova et al., ModDrop, IEEE TPAMI 38(8), 2016, doi 10.1109/TPAMI.2015.2461544, for the dropout).

Differs from the paper: there is no single paper; several items of one modality of a case are
averaged voxel by voxel; volumes, images and vectors meet as concatenated embeddings, stacked
within their kind only; one kind's items must share their spatial shape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from mmmed.batch import Batch, Items, segment_mean
from mmmed.errors import StudyError
from mmmed.modality import ItemKind, Modality
from mmmed.models.backbones.backbone import Backbone, BackboneOptions, Conv
from mmmed.models.backbones.building import image_backbone
from mmmed.models.backbones.mlp import Mlp
from mmmed.models.contract import Loss, Model, Phase, Turn, parameters_of
from mmmed.models.dropout import drop_modalities
from mmmed.models.loss import cross_entropy, labels
from mmmed.models.options import MethodOptions
from mmmed.models.standard import Standard, Standardise, standard_of

FUSION_SHARE = 5
"""The fusion phase has a fifth of the warm-up's steps."""


class Options(MethodOptions):
    """What a study may say about early fusion.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        dropout: on the embedding, before the classifier.
        modality_dropout: share of modalities hidden in the fusion phase, beside what is absent.
        smoothing: of the labels.
        warm_up: false leaves the warm-up out; the fusion phase then has all the steps, at the
            study's learning rate.
        fusion_rate: learning rate of the fusion phase after a warm-up, relative to the study's.
    """

    kind: Literal["early-fusion"] = "early-fusion"
    backbone: BackboneOptions = Conv()
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    modality_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.25
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    warm_up: bool = True
    fusion_rate: Annotated[float, Field(gt=0)] = 0.25


class EarlyFusion(Model):
    """One net per kind of item over all modalities of that kind, zeros for what is absent."""

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
        self.standardise = nn.ModuleDict(
            {one.name: Standardise(standard_of(one, standards)) for one in _vectors(modalities)}
        )
        self.stacks = {kind: _members(modalities, kind) for kind in _kinds(modalities)}
        self.backbones = nn.ModuleDict(
            {kind: _backbone(members, options) for kind, members in self.stacks.items()}
        )
        self.classifier = nn.Sequential(
            nn.Dropout(options.dropout), nn.Linear(self._width(), classes)
        )

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K)."""
        self.require_known(batch)
        logits: Tensor = self.classifier(self._embed(batch))
        return logits

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E): each item seen alone, all other channels zero."""
        self.require_known(batch)
        return {name: self._embed(_single_items(batch, [name])) for name in batch.items}

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """`warm-up` on single items, then `fusion` on whole cases; or `fusion` alone."""
        learners = (self.backbones, self.classifier)
        parameters = parameters_of(*learners)
        if not self.options.warm_up:
            return (Phase("fusion", (Turn(parameters, self.case_loss),), steps, learns=learners),)
        alone = Turn(parameters, self.item_loss)
        whole = Turn(parameters, self.case_loss, rate=self.options.fusion_rate)
        return (
            Phase("warm-up", (alone,), steps, learns=learners),
            Phase("fusion", (whole,), math.ceil(steps / FUSION_SHARE), learns=learners),
        )

    def item_loss(self, batch: Batch) -> dict[str, Loss]:
        """Cross entropy of every item on its own, a term per modality, in one forward pass.

        One pass, so that batch norm sees the mixture of modalities that its running figures are of.
        """
        single = _single_items(batch, list(batch.items))
        logits, label = self(single), labels(single)
        return {
            f"{name} class": cross_entropy(
                logits[items.owner], label[items.owner], smoothing=self.options.smoothing
            )
            for name, items in single.items.items()
        }

    def case_loss(self, batch: Batch) -> dict[str, Loss]:
        """Cross entropy under modality dropout."""
        shown = drop_modalities(batch, self.options.modality_dropout)
        logits = self(shown)
        return {"class": cross_entropy(logits, labels(shown), smoothing=self.options.smoothing)}

    def _embed(self, batch: Batch) -> Tensor:
        """(B, E), the embeddings of all kinds side by side."""
        parts = [
            self.backbones[kind](torch.cat([self._channels(batch, one) for one in members], dim=1))
            for kind, members in self.stacks.items()
        ]
        return torch.cat(parts, dim=1)

    def _channels(self, batch: Batch, modality: Modality) -> Tensor:
        """(B, C, *space) or (B, F): the mean of a case's items, zeros where it shows none."""
        items = batch.items.get(modality.name)
        if items is None:
            some = next(iter(batch.items.values())).data
            return some.new_zeros(len(batch), *modality.shape)
        data = items.data
        if modality.name in self.standardise:
            data = self.standardise[modality.name](data)
        return segment_mean(data, items.owner, len(batch))

    def _width(self) -> int:
        return sum(one.width for one in self.backbones.values() if isinstance(one, Backbone))


def _vectors(modalities: Sequence[Modality]) -> list[Modality]:
    return [one for one in modalities if one.kind == "vector"]


def _kinds(modalities: Sequence[Modality]) -> list[ItemKind]:
    return list(dict.fromkeys(one.kind for one in modalities))


def _members(modalities: Sequence[Modality], kind: ItemKind) -> list[Modality]:
    """The modalities of a kind, which must share their space to be stacked."""
    members = [one for one in modalities if one.kind == kind]
    for one in members:
        if one.space != members[0].space:
            raise StudyError(
                f"early-fusion stacks {members[0].name} {members[0].space} and {one.name} "
                f"{one.space}, which differ in shape; prepare both on one grid or leave it out"
            )
    return members


def _backbone(members: Sequence[Modality], options: Options) -> Backbone:
    width = sum(one.shape[0] for one in members)
    if members[0].kind == "vector":
        return Mlp(Standard(torch.zeros(width), torch.ones(width)))
    return image_backbone(options.backbone, channels=width, dimensions=len(members[0].space))


def _single_items(batch: Batch, modalities: Sequence[str]) -> Batch:
    """Every item of these modalities as a case of its own that shows nothing else."""
    first, rows = 0, []
    items = {}
    for name in modalities:
        own = batch.items[name]
        owner = torch.arange(first, first + len(own), device=own.owner.device)
        items[name] = Items(own.data, owner)  # type: ignore[arg-type]  # int64 by arange
        rows += own.owner.tolist()
        first += len(own)
    return Batch(
        modalities=batch.modalities,
        items=items,
        label=None if batch.label is None else batch.label[rows],  # type: ignore[arg-type]
        case=tuple(batch.case[row] for row in rows),
        subject=tuple(batch.subject[row] for row in rows),
    )
