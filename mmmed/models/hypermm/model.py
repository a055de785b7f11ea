"""HyperMM: a modality-conditioned extractor, then a permutation-invariant set network.

Chaptoukaev, Marciano, Galati, Zuluaga: HyperMM: Robust Multimodal Learning with Varying-sized
Inputs, 2024, arXiv 2407.20768 (MICCAI workshops).

Phase `extractor`: every image of every training case on its own, unpaired: classification plus
reconstruction. Phase `set`: the extractor is frozen and the set network learns on its embeddings:
f(S) = rho(agg_{s in S} phi(s)) (equation 1).

Differs from the paper:
- the backbone is trained from scratch on volumes, images or vectors instead of a frozen
  ImageNet VGG11 on slices, and its map is averaged over space instead of flattened;
- `generate: all` generates every tensor of the backbone, not the last 1x1 convolution alone;
  its reconstruction target is the image at low resolution, as no shared feature exists;
- vectors have a standardisation and a projection of their own before the shared part;
- batch norm keeps running statistics per modality;
- the set network starts as the sum of phase-1 logits (`head: residual`,
  `agg: modalities`); the paper's is `head: deep-sets`, `agg: mean`; in training it sees modality
  dropout;
- K classes with cross entropy instead of one logit; AdamW and steps instead of Adam and epochs;
- gradients are set to zero before each step, which the authors' code does once per patient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from mmmed.batch import Batch
from mmmed.modality import Modality
from mmmed.models.backbones.backbone import BackboneOptions, Conv
from mmmed.models.contract import Loss, Model, Phase, Turn, parameters_of
from mmmed.models.dropout import drop_modalities
from mmmed.models.hypermm.aggregation import Aggregation, aggregate
from mmmed.models.hypermm.set_head import HeadKind, set_head
from mmmed.models.hypermm.universal import Encoded, GeneratedAll, GeneratedLast, Shared, Universal
from mmmed.models.loss import cross_entropy, item_labels, labels, squared_error
from mmmed.models.options import MethodOptions
from mmmed.models.standard import Standard

EXTRACTORS: Mapping[str, Callable[..., Universal]] = {
    "all": GeneratedAll,
    "last": GeneratedLast,
    "none": Shared,
}


class Options(MethodOptions):
    """What a study may say about HyperMM.

    Attributes:
        generate: `all` generates every tensor of the backbone, `last` one 1x1 convolution, `none`
            nothing: one extractor shared by all modalities, as an ablation.
        backbone: for volumes and images; vectors go through an MLP.
        reconstruction: weight of the reconstruction in phase 1 (1 in the paper).
        agg: how a case's items are aggregated; `modalities` adds up what each modality's items say
            on average (`mean` over all items in the paper); `attention` learns how much
            each of them counts.
        head: `residual` starts as the aggregated phase-1 logits, `agreement` as well and is told
            how far the items agree, `deep-sets` starts fresh; `evidence` is those logits alone,
            without a set network.
        set_share: steps of the set network's phase, relative to those of phase 1.
        dropout: on the embedding before the phase-1 classifier, and inside the set head.
        modality_dropout: share of modalities hidden while the set network learns.
        smoothing: of the labels.
        rate: learning rate of phase 1, relative to the study's.
        pretrain: false leaves phase 1 out and trains extractor and set network together.
        joint: a third phase fine-tunes extractor and set network together.
        joint_rate: learning rate of the joint phase, relative to the study's.
    """

    kind: Literal["hypermm"] = "hypermm"
    generate: Literal["all", "last", "none"] = "all"
    backbone: BackboneOptions = Conv()
    reconstruction: Annotated[float, Field(ge=0)] = 0.1
    agg: Aggregation = "modalities"
    head: HeadKind = "residual"
    set_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.3
    modality_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.25
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rate: Annotated[float, Field(gt=0)] = 1.0
    pretrain: bool = True
    joint: bool = False
    joint_rate: Annotated[float, Field(gt=0)] = 0.1

    @model_validator(mode="after")
    def _generates_what_can_be_generated(self) -> Options:
        if self.generate == "all" and not isinstance(self.backbone, Conv):
            raise ValueError(
                f"generate: all is for backbone conv, not {self.backbone.kind}, which is too large "
                "to be generated; write generate: last"
            )
        return self

    @model_validator(mode="after")
    def _attends_where_a_set_network_learns(self) -> Options:
        if self.agg == "attention" and self.head == "evidence":
            raise ValueError("agg: attention learns with a set network; head: evidence has none")
        return self

    @model_validator(mode="after")
    def _fine_tunes_what_was_trained(self) -> Options:
        if self.joint and not self.pretrain:
            raise ValueError("joint: true fine-tunes what phase 1 trained; drop pretrain: false")
        if self.joint and self.head == "evidence":
            raise ValueError("joint: true fine-tunes a set network; head: evidence has none")
        return self


class HyperMM(Model):
    """One extractor for all modalities, one set network for all patterns."""

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
        extractor = EXTRACTORS[options.generate]
        self.extractor = extractor(modalities, options.backbone, standards)
        width = self.extractor.width
        self.classifier = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(width, classes))
        self.decoders = nn.ModuleDict()
        if options.reconstruction > 0:
            for family, size in self.extractor.targets.items():
                self.decoders[family] = nn.Linear(width, size)
        self.head = set_head(options.head, width, classes, agg=options.agg, dropout=options.dropout)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K) of the set prediction."""
        return self.prior.plus(self.head(batch, self.features(batch), self.classifier))

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> phi, (n, E)."""
        return {name: encoded.phi for name, encoded in self._encode(batch).items()}

    def attention(self, batch: Batch) -> dict[str, Tensor] | None:
        """Modality -> (n,) of `agg: attention`, over all items of a case."""
        if self.options.agg != "attention":
            return None
        return self.head.agg.shares(batch, self.features(batch))

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """`extractor`, then `set` on cached embeddings, then `joint` where it is asked for.

        Without pre-training there is `joint` alone, at the rate of the extractor.
        """
        if not self.options.pretrain:
            return (self._joint(steps, rate=self.options.rate),)
        learners = (self.extractor, self.classifier, self.decoders)
        turn = Turn(parameters_of(*learners), self.item_loss, rate=self.options.rate)
        first = Phase("extractor", (turn,), steps, learns=learners, predict=self._evidence)
        if self.options.head == "evidence":
            return (first,)
        fewer = math.ceil(round(steps * self.options.set_share, 6))
        turn = Turn(parameters_of(self.head), self.set_loss)
        second = Phase("set", (turn,), fewer, learns=(self.head,), cache=self.embed)
        if not self.options.joint:
            return (first, second)
        return (first, second, self._joint(fewer, rate=self.options.joint_rate))

    def item_loss(self, batch: Batch) -> dict[str, Loss]:
        """Phase 1: classification and reconstruction of every item on its own."""
        terms: dict[str, Loss] = {}
        for name, encoded in self._encode(batch).items():
            label = item_labels(batch, name)
            logits = self.prior.plus(self.classifier(encoded.phi))
            terms[f"{name} class"] = cross_entropy(logits, label, smoothing=self.options.smoothing)
            if self.options.reconstruction > 0:
                guess = self.decoders[self.extractor.family[name]](encoded.phi)
                terms[f"{name} reconstruction"] = squared_error(
                    guess, self.extractor.target(encoded), weight=self.options.reconstruction
                )
        return terms

    def embed(self, batch: Batch) -> Batch:
        """The batch with every item replaced by its phi: what the set phase learns from."""
        with torch.no_grad():
            phi = self.features(batch)
        return batch.map(lambda name, _: phi[name])

    def set_loss(self, batch: Batch) -> dict[str, Loss]:
        """Phase 2, on a batch of embeddings: the set network alone learns."""
        shown = drop_modalities(batch, self.options.modality_dropout)
        phi = {name: items.data for name, items in shown.items.items()}
        logits = self.prior.plus(self.head(shown, phi, lambda one: self.classifier(one).detach()))
        return {"class": cross_entropy(logits, labels(shown), smoothing=self.options.smoothing)}

    def joint_loss(self, batch: Batch) -> dict[str, Loss]:
        """Phase 3, or the only one: extractor and set network learn from the set prediction."""
        shown = drop_modalities(batch, self.options.modality_dropout)
        logits = self(shown)
        return {"class": cross_entropy(logits, labels(shown), smoothing=self.options.smoothing)}

    def _joint(self, steps: int, *, rate: float) -> Phase:
        used = () if self.options.head == "deep-sets" else (self.classifier,)
        learners = (self.extractor, self.head, *used)
        turn = Turn(parameters_of(*learners), self.joint_loss, rate=rate)
        return Phase("joint", (turn,), steps, learns=learners)

    def _encode(self, batch: Batch) -> dict[str, Encoded]:
        self.require_known(batch)
        data = {name: items.data for name, items in batch.items.items()}
        encoded: dict[str, Encoded] = self.extractor(data)
        return encoded

    def _evidence(self, batch: Batch) -> Tensor:
        """(B, K) the aggregated phase-1 logits: the set prediction before the set phase."""
        alone = {name: self.classifier(phi) for name, phi in self.features(batch).items()}
        return self.prior.plus(aggregate(batch, alone, self.options.agg))
