"""One net that learns the modalities one after the other; its logits are averaged over items.

Trained on the first modality of the study's natural order, then on with the second, and so on: of
BreakHis on 40x, then 100x, 200x and 400x. A case is the mean over all its items, whatever their
magnification.

Source: Mayouf, Dupin de Saint-Cyr: Curriculum Incremental Deep Learning on BreakHis DataSet, 2022,
doi 10.1145/3543712.3543747, as HyperMM compares with it (arXiv 2407.20768, table 2).

Differs from the paper:
- it is taken from HyperMM's description; the net is the study's backbone, each phase has the
  study's steps and a learning rate that rises and falls anew;
- logits are averaged over items instead of scores;
- modalities whose items differ in kind or shape cannot share a net: each shape has one, and every
  vector modality its own. In BreakHis all images are of one shape.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from mmmed.batch import Batch, segment_mean
from mmmed.modality import Modality
from mmmed.models.backbones.backbone import BackboneOptions, Conv
from mmmed.models.baselines.unimodal import UnimodalNet, item_turns
from mmmed.models.contract import Model, Phase
from mmmed.models.options import MethodOptions
from mmmed.models.standard import Standard


class Options(MethodOptions):
    """What a study may say about the incremental net.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        dropout: on the embedding, before the classifier.
        smoothing: of the labels.
    """

    kind: Literal["incremental"] = "incremental"
    backbone: BackboneOptions = Conv()
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Incremental(Model):
    """One net for all modalities of one shape."""

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
        self.home = {modality.name: _home(modality) for modality in modalities}
        first = {_home(modality): modality for modality in reversed(modalities)}
        self.nets = nn.ModuleDict(
            {
                home: UnimodalNet(
                    first[home],
                    options.backbone,
                    classes=classes,
                    dropout=options.dropout,
                    standards=standards,
                )
                for home in dict.fromkeys(self.home.values())
            }
        )

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K), the mean over all items of a case."""
        self.require_known(batch)
        return self._mean(batch, self.home)

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E) of the one net."""
        self.require_known(batch)
        return {
            name: self._net(name).get_submodule("backbone")(items.data)
            for name, items in batch.items.items()
        }

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """One phase per modality; validation scores what has been learned by then."""
        names = [modality.name for modality in self.modalities]
        return tuple(
            Phase(
                name,
                item_turns(
                    {name: self._net(name)}, smoothing=self.options.smoothing, prior=self.prior
                ),
                steps,
                learns=(self._net(name),),
                predict=self._after(names[: place + 1]),
            )
            for place, name in enumerate(names)
        )

    def _after(self, learned: Collection[str]) -> Callable[[Batch], Tensor]:
        """What the items of these modalities say; the prior for a case that shows none."""
        return lambda batch: self._mean(batch, learned)

    def _mean(self, batch: Batch, names: Collection[str]) -> Tensor:
        shown = [name for name in batch.items if name in names]
        if not shown:
            return self.prior.plus(next(self.parameters()).new_zeros(len(batch), self.classes))
        logits = torch.cat([self._net(name)(batch.items[name].data) for name in shown])
        owner = torch.cat([batch.items[name].owner for name in shown])
        return self.prior.plus(segment_mean(logits, owner, len(batch)))

    def _net(self, name: str) -> nn.Module:
        return self.nets[self.home[name]]


def _home(modality: Modality) -> str:
    """Which net a modality's items go through."""
    if modality.kind == "vector":
        return modality.name
    return "x".join(map(str, modality.shape))
