"""Imputation: an imputer fills what is absent, then a classifier that wants everything.

The classifier is a multi-CNN: one net per modality and a head on their embeddings side by side.
An imputer of images (pix2pix, CycleGAN, diffusion) stands before the nets, one of features (zero,
mean, knn, regression) between the nets and the head. Only the imputer adds items, and only to this
model's own copy of a batch.

Phase `imputer` (images only): the translators, on complete cases. Phase `warm-up`: each net on the
items that are there, one by one, so that a modality learned late is not starved by one learned
early. Phase `joint`: nets and head on complete cases. Phase `head`: the nets are frozen, a feature
imputer is fitted on the complete cases, and the head learns on completed cases. The classifier has
the same shape and the same phases whichever imputer stands before it.

Sources: the baselines of HyperMM (arXiv 2407.20768): translation fitted on complete training
cases, then Multi-CNN; Pedregosa et al., Scikit-learn, JMLR 12, 2011, for mean and knn.

Differs from the paper:
- the Multi-CNN is not specified beyond its citation; here its head starts as the sum of the
  unimodal logits, and a two-layer net on the embeddings corrects that sum;
- nets learn from real items alone, the head from completed cases; the paper trains all on the
  completed set, without a warm-up by modality;
- an imputed modality is one item, also where cases own several;
- what each imputer changes stands in its own file.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from mmmed.batch import Batch
from mmmed.errors import StudyError
from mmmed.modality import Modality, Pattern
from mmmed.models.baselines.concat_head import ConcatHead
from mmmed.models.baselines.late import Late, LateOptions
from mmmed.models.baselines.unimodal import UnimodalNet, pooled
from mmmed.models.contract import Guess, Loss, Phase, Turn, all_but, parameters_of
from mmmed.models.imputers.building import imputer_of
from mmmed.models.imputers.contract import complete_cases
from mmmed.models.imputers.image import ImageImputer
from mmmed.models.imputers.options import ImputerOptions, Regression, Zero
from mmmed.models.imputers.report import guesses
from mmmed.models.loss import cross_entropy, labels
from mmmed.models.standard import Standard

CONSTANT = ("zero", "mean")
"""Imputers that answer the same for every case: they foresee nothing of one in particular."""

HEAD_SHARE = 5
"""The joint phase and the head's have a fifth of the study's steps each."""


class Options(LateOptions):
    """What a study may say about imputation.

    Attributes:
        imputer: what fills the holes.
        backbone: for volumes and images; vectors go through an MLP.
        dropout: before each unimodal classifier and inside the head.
        smoothing: of the labels.
        pooling: how a case's items of one modality are pooled.
        joint_rate: learning rate of the joint phase, relative to the study's.
    """

    kind: Literal["imputation"] = "imputation"
    imputer: ImputerOptions = Regression(kind="regression")
    joint_rate: Annotated[float, Field(gt=0)] = 0.25

    @property
    def imputes(self) -> str:
        """What fills the holes."""
        return self.imputer.kind

    def lessons(self, modalities: Collection[str]) -> tuple[Pattern, ...]:
        """All modalities together, unless zeros are all that it fills in."""
        return () if isinstance(self.imputer, Zero) else (Pattern.of(modalities),)


class Imputation(Late):
    """An imputer and a multi-CNN."""

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
        widths = {name: net.backbone.width for name, net in self._nets().items()}
        self.head = ConcatHead(sum(widths.values()), classes, dropout=options.dropout)
        self.imputer = imputer_of(options.imputer, modalities, widths=widths)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K) of the completed cases."""
        self.require_known(batch)
        return self._classified(self._completed(batch))

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """`imputer` where it trains, then `warm-up`, `joint` and `head`."""
        fewer = math.ceil(steps / HEAD_SHARE)
        evidence = super().forward
        joint = Turn(
            parameters_of(self.nets, self.head), self.joint_loss, rate=self.options.joint_rate
        )
        turn = Turn(parameters_of(self.head), self.head_loss)
        return (
            *(replace(phase, predict=evidence) for phase in self.imputer.phases(steps)),
            Phase(
                "warm-up",
                self.nets.turns(smoothing=self.options.smoothing, prior=self.prior),
                steps,
                learns=(self.nets,),
                predict=evidence,
                fit=self._close,
            ),
            Phase("joint", (joint,), fewer, learns=(self.nets, self.head), predict=evidence),
            Phase("head", (turn,), fewer, learns=(self.head,), cache=self.embed, fit=self._fit),
        )

    @torch.no_grad()
    def embed(self, batch: Batch) -> Batch:
        """The batch with its holes filled and an embedding (n, E) in place of every item."""
        return self._completed(batch)

    def joint_loss(self, batch: Batch) -> dict[str, Loss]:
        """Cross entropy of the complete cases; nothing where the batch has none."""
        chosen = complete_cases(batch)
        return {} if chosen is None else self._loss(self._embedded(chosen))

    def head_loss(self, batch: Batch) -> dict[str, Loss]:
        """Cross entropy of completed cases, a batch of embeddings: the head alone learns."""
        return self._loss(batch)

    def surprise(self, batch: Batch, modality: str) -> Tensor | None:
        """(B, E) by how much a modality's embedding differs from the imputed one's.

        None where the imputer answers the same for every case.
        """
        if self.options.imputer.kind in CONSTANT:
            return None
        true = self._embedding(self._embedded(batch), modality)
        return true - self._embedding(
            self._completed(batch.show(all_but(batch, modality))), modality
        )

    def plausible(self, batch: Batch, modality: str, surprises: Tensor) -> Tensor:
        """Logits (S, B, K), were a modality's embedding the imputed one's and a surprise."""
        whole = self._completed(batch)
        each = {name: self._embedding(whole, name)[None] for name in whole.items}
        each[modality] = each[modality] + surprises[:, None]
        size = (len(surprises) * len(batch), -1)
        flat = {
            name: one.expand(len(surprises), -1, -1).reshape(size) for name, one in each.items()
        }
        return self._said(flat).reshape(len(surprises), len(batch), self.classes)

    def require_teachable(self, shown: Collection[Pattern]) -> None:
        """Raise where a modality is never shown, or no case shows all of them."""
        if not self.imputer.needs_complete:
            return
        kind = self.options.imputer.kind
        for one in self.modalities:
            if not any(one.name in pattern for pattern in shown):
                raise StudyError(
                    f"imputer {kind}: {one.name} was never observed in training, so nothing can "
                    "be learned of it; leave it out of the study"
                )
        everything = Pattern.of(one.name for one in self.modalities)
        if not any(everything <= pattern for pattern in shown):
            raise StudyError(
                f"imputer {kind} learns from complete cases, and none of {len(shown)} training "
                f"cases shows {everything}; hide less in training, or use another method"
            )

    def report(self) -> dict[str, Any]:
        """The imputer's parameters."""
        trained = {
            id(one): one.numel()
            for phase in self.imputer.phases(1)
            for turn in phase.turns
            for one in turn.parameters
        }
        return {"imputer": self.options.imputer.kind, "parameters": sum(trained.values())}

    @torch.no_grad()
    def guesses(self, batches: Iterable[Batch]) -> Iterator[Guess]:
        """Of volumes where they are imputed, of embeddings where those are."""
        if isinstance(self.imputer, ImageImputer):
            yield from guesses(self.imputer, batches, space="image")
        else:
            yield from guesses(self.imputer, map(self._embedded, batches), space="feature")

    def _close(self, batches: Iterable[Batch], subjects: Collection[str]) -> None:  # noqa: ARG002
        self.imputer.close()

    def _fit(self, batches: Iterable[Batch], subjects: Collection[str]) -> None:
        """Fit an imputer of features; one of images is fitted already."""
        if not isinstance(self.imputer, ImageImputer):
            self.imputer.fit(map(self._embedded, batches), subjects)

    def _completed(self, batch: Batch) -> Batch:
        if isinstance(self.imputer, ImageImputer):
            return self._embedded(self.imputer.complete(batch).batch)
        return self.imputer.complete(self._embedded(batch)).batch

    def _embedded(self, batch: Batch) -> Batch:
        found = self.nets.features(batch)
        return batch.map(lambda name, _: found[name])

    def _classified(self, batch: Batch) -> Tensor:
        """Logits (B, K) of completed cases, given as embeddings; several items are pooled."""
        embedded = {name: items.data for name, items in batch.items.items()}
        return self._said(pooled(batch, embedded, self.nets.shares(batch, embedded)))

    def _said(self, found: Mapping[str, Tensor]) -> Tensor:
        """Logits (B, K) of every modality's embeddings (B, E)."""
        nets = self._nets()
        evidence = [nets[name].classifier(one) for name, one in found.items()]
        return self.prior.plus(self.head(list(found.values()), evidence))

    def _embedding(self, batch: Batch, modality: str) -> Tensor:
        """(B, E) of one modality of completed cases; several items are pooled."""
        embedded = {name: items.data for name, items in batch.items.items()}
        return pooled(batch, embedded, self.nets.shares(batch, embedded))[modality]

    def _loss(self, batch: Batch) -> dict[str, Loss]:
        logits = self._classified(batch)
        return {"class": cross_entropy(logits, labels(batch), smoothing=self.options.smoothing)}

    def _nets(self) -> dict[str, UnimodalNet]:
        return {name: one for name, one in self.nets.items() if isinstance(one, UnimodalNet)}
