"""UME-MMA: unimodal nets first, then late fusion that has met substitutes for missing modalities.

Li, Du, Zhao, Huang, Zhao: What Makes for Robust Multi-Modal Models in the Face of Missing
Modalities?, 2023, arXiv 2310.06383.

Phase `unimodal`: each modality's net on its own items (uni-modal ensemble, UME). Phase `fusion`:
those weights in a late-fusion model, fine-tuned on cases of which some lose a modality and show
its substitute (missing modality adaptation, MMA). logits = sum over modalities of W_m a_m, plus b,
where a_m is the mean embedding of a case's items or the embedding of the substitute.

The substitute is made here, inside the forward, wherever a case shows no item of a modality, in
training and in test alike; a batch never carries one. It goes through its encoder in evaluation
mode: batch norm normalises it as it will in test, and its running statistics never see it. The
heads learn what to make of its embedding; no gradient flows back into the encoder. An item unlike
any scan is far out on the scale of batch norm's running figures: its gradients outweighed those of
the scans, and fine-tuning then destroyed what the unimodal phase had learned. For the same reason
the fusion of pre-trained nets starts where a substitute says nothing: what its head made of it at
that moment is subtracted from then on.

Differs from the paper:
- how often a modality is dropped, what the substitute is, and how features are fused are not
  known; these are options, and `augmentation: 0.667` is a third each for all, one lost, the other;
- with three modalities and more a case may lose several (`lose: some`); the paper has two;
- the fusion starts from the unimodal classifiers (`fusion: sum`), their biases added up;
- missing training scans show the substitute as well; the paper trains on complete pairs;
- the substitute's embedding is a constant to the encoder, and its first logits are subtracted;
- encoders learn in a turn of their own, at `encoder_rate`, behind that of the heads;
- backbones, AdamW and steps are ours.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from mmmed.batch import Batch
from mmmed.modality import Modality
from mmmed.models.backbones.backbone import Backbone
from mmmed.models.baselines.late import Late, LateOptions
from mmmed.models.baselines.unimodal import UnimodalNet, pooled
from mmmed.models.contract import Loss, Phase, Turn, parameters_of
from mmmed.models.dropout import Losing, lose_modalities
from mmmed.models.loss import cross_entropy, labels
from mmmed.models.standard import Standard, standard_of
from mmmed.models.ume_mma.substitute import Substitute, SubstituteKind, evaluating

FUSION_SHARE = 5
"""After pre-training, the fusion phase has a fifth of the unimodal phase's steps."""


class Options(LateOptions):
    """What a study may say about UME-MMA.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        dropout: on the embedding, before the classifier.
        smoothing: of the labels.
        pooling: how a case's items of one modality are pooled.
        pretrain: the unimodal phase; without it the fusion phase has all the steps, from scratch.
        augmentation: share of the cases that show two modalities or more and lose something in
            the fusion phase; 2/3 is a third for each pattern of two modalities, 0 is plain UME.
        lose: `one` modality, or `some`: any proper part, each as likely.
        substitute: what stands for an absent item.
        fusion: `sum` of one linear head per modality, which start as the unimodal classifiers;
            `concat` is one fresh linear layer on all embeddings side by side.
        encoder_rate: learning rate of pre-trained encoders in the fusion phase, relative to the
            study's; from scratch they learn at the study's.
    """

    kind: Literal["ume-mma"] = "ume-mma"
    pretrain: bool = True
    augmentation: Annotated[float, Field(ge=0, le=1)] = 2 / 3
    lose: Losing = "some"
    substitute: SubstituteKind = "zero"
    fusion: Literal["sum", "concat"] = "sum"
    encoder_rate: Annotated[float, Field(gt=0)] = 0.1


class UmeMma(Late):
    """Late fusion of embeddings, a substitute's where a case shows nothing of a modality."""

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
        self.substitutes = nn.ModuleDict()
        for one in modalities:
            standard = standard_of(one, standards) if one.kind == "vector" else None
            self.substitutes[one.name] = Substitute(one, options.substitute, standard=standard)
        self.unlearned: Tensor
        self.register_buffer("unlearned", torch.zeros(len(modalities), classes))
        self.joint: nn.Module | None = None
        if options.fusion == "concat":
            width = sum(encoder.width for encoder in self.encoders.values())
            self.joint = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(width, classes))

    @property
    def encoders(self) -> dict[str, Backbone]:
        """Modality -> what embeds its items."""
        return {name: net.backbone for name, net in self._nets().items()}

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K)."""
        self.require_known(batch)
        embedded = {one.name: self._embed(batch, one.name) for one in self.modalities}
        if self.joint is not None:
            return self.prior.plus(self.joint(torch.cat(list(embedded.values()), dim=1)))
        lacks = (~batch.presence).to(self.unlearned)
        alone = [self._nets()[name].classifier(one) for name, one in embedded.items()]
        return self.prior.plus(torch.stack(alone).sum(0) - lacks @ self.unlearned)

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """`unimodal`, net by net, then `fusion`; without pre-training `fusion` alone."""
        if not self.options.pretrain:
            everything = (*self.encoders.values(), *self._heads())
            return (self._fusion((Turn(parameters_of(*everything), self.fusion_loss),), steps),)
        alone = self.nets.turns(smoothing=self.options.smoothing, prior=self.prior)
        fused = (
            Turn(parameters_of(*self._heads()), self.fusion_loss),
            Turn(
                parameters_of(*self.encoders.values()),
                self.fusion_loss,
                rate=self.options.encoder_rate,
            ),
        )
        return (
            Phase("unimodal", alone, steps, learns=(self.nets,), predict=super().forward),
            self._fusion(fused, math.ceil(steps / FUSION_SHARE)),
        )

    def fusion_loss(self, batch: Batch) -> dict[str, Loss]:
        """Cross entropy of the fused prediction after augmentation."""
        shown = lose_modalities(batch, self.options.augmentation, losing=self.options.lose)
        logits = self(shown)
        return {"class": cross_entropy(logits, labels(shown), smoothing=self.options.smoothing)}

    def _fusion(self, turns: tuple[Turn, ...], steps: int) -> Phase:
        learners = (*self.encoders.values(), *self._heads())
        return Phase("fusion", turns, steps, learns=learners, fit=self._fit_substitutes)

    def _fit_substitutes(self, batches: Iterable[Batch], subjects: Collection[str]) -> None:
        """Count in every training item once; then keep what pre-trained heads make of them."""
        del subjects
        if self.options.substitute == "mean":
            for batch in batches:
                for name, items in batch.items.items():
                    self._substitute(name).count_in(items.data)
        if self.options.pretrain and self.joint is None:
            nets = self._nets().items()
            self.unlearned.copy_(
                torch.cat([net.classifier(self._substituted(name)) for name, net in nets])
            )

    def _heads(self) -> list[nn.Module]:
        """What turns embeddings into logits: attention to them where they are pooled by it."""
        nets = self._nets().values()
        attention = [net.attention for net in nets if net.attention is not None]
        if self.joint is not None:
            return [*attention, self.joint]
        return [*attention, *(net.classifier for net in nets)]

    def _embed(self, batch: Batch, name: str) -> Tensor:
        """(B, E) the embedding of a case's items, pooled, or that of the substitute."""
        items = batch.items.get(name)
        if items is None:
            return self._substituted(name).expand(len(batch), -1)
        embedded = {name: self.encoders[name](items.data)}
        own = pooled(batch, embedded, self.nets.shares(batch, embedded))[name]
        has = batch.presence[:, batch.modalities.index(name)].to(own.device)
        return own if bool(has.all()) else torch.where(has[:, None], own, self._substituted(name))

    def _substituted(self, name: str) -> Tensor:
        """(1, E) of the substitute, as the encoder sees it in test; a constant to the encoder."""
        encoder = self.encoders[name]
        with evaluating(encoder), torch.no_grad():
            embedding: Tensor = encoder(self._substitute(name)())
        return embedding

    def _nets(self) -> dict[str, UnimodalNet]:
        return {name: one for name, one in self.nets.items() if isinstance(one, UnimodalNet)}

    def _substitute(self, name: str) -> Substitute:
        substitute: Substitute = self.substitutes[name]  # type: ignore[assignment]
        return substitute
