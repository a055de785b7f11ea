"""The best single modality that a case shows: what every fusion must beat.

One net per modality, trained alone, as in the late sum. A case is predicted by one of them: of the
modalities it shows, the one whose net has the lowest training loss at the end of training.

Source: the unimodal rows of the comparisons that multimodal papers print.

Differs from the paper: there is no single paper; the order of the modalities is that of the cross
entropy, in training mode (dropout and augmentation on) and averaged over the last tens of steps,
not of a validation score, which methods do not see; it favours a net that learns by heart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from mmmed.batch import Batch
from mmmed.modality import Modality, Pattern
from mmmed.models.baselines.late import Late, LateOptions
from mmmed.models.contract import Loss, Phase
from mmmed.models.standard import Standard

MEMORY = 0.02
"""Share of a step in the running loss: it remembers the last 50 steps, 800 cases of the default."""


class Options(LateOptions):
    """What a study may say about the best single modality.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        dropout: on the embedding, before the classifier.
        smoothing: of the labels.
        pooling: how a case's items of one modality are pooled.
    """

    kind: Literal["best-unimodal"] = "best-unimodal"

    def lessons(self, modalities: Collection[str]) -> tuple[Pattern, ...]:
        """Each modality: a net that never met a class is not to speak of it."""
        return tuple(Pattern.of([name]) for name in modalities)


class BestUnimodal(Late):
    """Nets that never meet; one of them speaks for a case."""

    def __init__(
        self,
        options: Options,
        modalities: tuple[Modality, ...],
        *,
        classes: int,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__(options, modalities, classes=classes, standards=standards)
        self.running: Tensor
        self.register_buffer("running", torch.full((len(modalities),), math.log(classes)))

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K) of each case's best modality."""
        self.require_known(batch)
        alone = self.nets.case_logits(batch)
        logits = torch.stack(list(alone.values()), dim=1)  # (B, m, K)
        best = logits[torch.arange(len(batch), device=logits.device), self._speaking(batch)]
        return self.prior.plus(best)

    def attention(self, batch: Batch) -> dict[str, Tensor] | None:
        """Modality -> (n,); nothing counts but the modality that speaks for its case."""
        self.require_known(batch)
        shares = self.nets.attention(batch)
        if shares is None:
            return None
        speaking = self._speaking(batch)
        return {
            name: one * (speaking[batch.items[name].owner] == place)
            for place, (name, one) in enumerate(shares.items())
        }

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """One phase; the nets take turns, each with its own optimiser and its own items."""
        turns = [
            replace(turn, loss=self._remembering(column, turn.loss))
            for column, turn in enumerate(
                self.nets.turns(smoothing=self.options.smoothing, prior=self.prior)
            )
        ]
        return (Phase("unimodal", tuple(turns), steps, learns=(self.nets,)),)

    def _speaking(self, batch: Batch) -> Tensor:
        """(B,) the place, among the batch's modalities, of the one that speaks for each case."""
        columns = [batch.modalities.index(name) for name in batch.items]
        shown = batch.presence[:, columns].to(self.running.device)  # (B, m)
        figures = self.running[columns].expand_as(shown).masked_fill(~shown, torch.inf)
        return figures.argmin(dim=1)

    def _remembering(
        self, column: int, loss: Callable[[Batch], Mapping[str, Loss]]
    ) -> Callable[[Batch], Mapping[str, Loss]]:
        """The loss of one modality's net, noted as it is computed."""

        def noted(batch: Batch) -> Mapping[str, Loss]:
            terms = loss(batch)
            for term in terms.values():
                if term.count:
                    mean = term.sum.detach() / term.count
                    self.running[column] += MEMORY * (mean - self.running[column])
            return terms

        return noted
