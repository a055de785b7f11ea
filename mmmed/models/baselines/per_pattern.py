"""A model of its own for every pattern: the upper reference for one model that serves them all.

2^M - 1 specialists share nothing. Each has a net per modality of its pattern and a head over them,
and learns from the training cases that own its pattern, shown exactly that: their other items are
left out. A case is predicted by the specialist of just what it shows.

A specialist's loss is that of its fused prediction plus that of each of its nets on its own items,
so that no modality starves another.

Source: the separate models per missing-modality setting that methods with one model are held
against, as by Wang, Chen, Ma, Avery, Hull, Carneiro: Multi-modal Learning with Missing Modality via
Shared-Specific Feature Modelling, CVPR 2023, arXiv 2307.14126.

Differs from the paper: there is no single paper; the head starts as the sum of the unimodal logits,
as that of the other methods here does, and all specialists learn in one turn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import torch
from torch import LongTensor, Tensor, nn

from mmmed.batch import Batch
from mmmed.errors import StudyError
from mmmed.modality import Modality, Pattern, every_pattern
from mmmed.models.baselines.concat_head import ConcatHead
from mmmed.models.baselines.late import LateOptions
from mmmed.models.baselines.unimodal import UnimodalNets, pooled
from mmmed.models.contract import Loss, Model, Phase, Turn, parameters_of
from mmmed.models.loss import cross_entropy, item_labels, labels
from mmmed.models.prior import ClassPrior
from mmmed.models.standard import Standard


class Options(LateOptions):
    """What a study may say about separate models per pattern.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        dropout: on the embedding, before the classifier, and inside the head.
        smoothing: of the labels.
        pooling: how a case's items of one modality are pooled.
    """

    kind: Literal["per-pattern"] = "per-pattern"

    def lessons(self, modalities: Collection[str]) -> tuple[Pattern, ...]:
        """Every pattern: each has a specialist."""
        return every_pattern(modalities)


class PerPattern(Model):
    """The specialists, and which of them a case is for."""

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
        self.patterns = every_pattern(one.name for one in modalities)
        self.specialists = nn.ModuleDict()
        for pattern in self.patterns:
            mine = tuple(one for one in modalities if one.name in pattern)
            self.specialists[str(pattern)] = Specialist(
                options, mine, classes=classes, standards=standards
            )

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K)."""
        self.require_known(batch)
        rows = _rows_by_pattern(batch)
        evidence = [self._of(pattern)(batch.select(mine)) for pattern, mine in rows.items()]
        order = torch.cat(list(rows.values())).argsort()
        return self.prior.plus(torch.cat(evidence)[order.to(evidence[0].device)])

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n, E) of the specialist of that modality alone."""
        self.require_known(batch)
        return {name: self._of(name).embed(name, items.data) for name, items in batch.items.items()}

    def attention(self, batch: Batch) -> dict[str, Tensor] | None:
        """Modality -> (n,); every modality of a pattern counts alike, its items by share."""
        self.require_known(batch)
        if self.options.pooling == "mean":
            return None
        found = {name: items.data.new_zeros(len(items)) for name, items in batch.items.items()}
        for pattern, rows in _rows_by_pattern(batch).items():
            for name, shares in self._attended(pattern, batch.select(rows)).items():
                owner = batch.items[name].owner
                found[name][torch.isin(owner, rows.to(owner.device))] = shares
        return found

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """One phase, one turn: parameters that meet in no loss learn as if apart."""
        turn = Turn(parameters_of(self.specialists), self.pattern_loss)
        return (Phase("patterns", (turn,), steps, learns=(self.specialists,)),)

    def require_teachable(self, shown: Collection[Pattern]) -> None:
        """Raise a StudyError where some pattern is owned by no training case."""
        kinds = set(shown)
        for pattern in self.patterns:
            if not any(pattern <= owned for owned in kinds):
                raise StudyError(
                    f"per-pattern: no training case owns {pattern}, so it can have no model; "
                    "hide less in training, or leave the method out"
                )

    def pattern_loss(self, batch: Batch) -> dict[str, Loss]:
        """The losses of every specialist on the cases that own its pattern."""
        presence = batch.presence
        terms: dict[str, Loss] = {}
        for pattern in self.patterns:
            columns = [batch.modalities.index(name) for name in pattern]
            if bool(presence[:, columns].all(dim=1).any()):
                shown, _ = batch.only(pattern)
                for name, loss in self._of(str(pattern)).losses(shown, self.prior).items():
                    terms[f"{pattern} {name}"] = loss
        return terms

    def _attended(self, pattern: str, batch: Batch) -> dict[str, Tensor]:
        """Modality -> (n,) of cases that show just the pattern."""
        shares = self._of(pattern).nets.attention(batch) or {}
        return {name: one / len(shares) for name, one in shares.items()}

    def _of(self, pattern: str) -> Specialist:
        specialist: Specialist = self.specialists[pattern]  # type: ignore[assignment]
        return specialist


class Specialist(nn.Module):
    """The model of one pattern.

    Args:
        options: of the method.
        modalities: of the pattern.
        classes: K.
        standards: of the vector modalities.
    """

    def __init__(
        self,
        options: Options,
        modalities: tuple[Modality, ...],
        *,
        classes: int,
        standards: Mapping[str, Standard],
    ) -> None:
        super().__init__()
        self.smoothing = options.smoothing
        self.nets = UnimodalNets(
            modalities,
            options.backbone,
            classes=classes,
            dropout=options.dropout,
            standards=standards,
            pooling=options.pooling,
        )
        self.head: ConcatHead | None = None
        if len(modalities) > 1:
            width = sum(self.nets.net(name).backbone.width for name in self.nets)
            self.head = ConcatHead(width, classes, dropout=options.dropout)

    def forward(self, batch: Batch) -> Tensor:
        """Evidence (B, K) of cases that show just the pattern."""
        return self._fused(*self._read(batch))

    def embed(self, name: str, data: Tensor) -> Tensor:
        """Items of one modality -> (n, E)."""
        embedding: Tensor = self.nets.net(name).backbone(data)
        return embedding

    def losses(self, batch: Batch, prior: ClassPrior) -> dict[str, Loss]:
        """`fused`, where there is more than one modality, and each modality's own.

        A net that attends learns from cases, one that averages from every item on its own.
        """
        embedded = self.nets.features(batch)
        alone = self._evidence(embedded)
        shares = self.nets.shares(batch, embedded)
        evidence = pooled(batch, alone, shares)
        terms = {
            name: self._loss(prior.plus(one), item_labels(batch, name))
            if shares[name] is None
            else self._loss(prior.plus(evidence[name]), labels(batch))
            for name, one in alone.items()
        }
        if self.head is not None:
            fused = self._fused(pooled(batch, embedded, shares), evidence)
            terms["fused"] = self._loss(prior.plus(fused), labels(batch))
        return terms

    def _loss(self, logits: Tensor, label: Tensor) -> Loss:
        return cross_entropy(logits, label, smoothing=self.smoothing)

    def _read(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Modality -> embeddings (B, E), and modality -> logits (B, K), items pooled."""
        embedded = self.nets.features(batch)
        shares = self.nets.shares(batch, embedded)
        return pooled(batch, embedded, shares), pooled(batch, self._evidence(embedded), shares)

    def _evidence(self, embedded: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Modality -> (n, K) of its own classifier."""
        return {name: self.nets.net(name).classifier(one) for name, one in embedded.items()}

    def _fused(self, embedded: Mapping[str, Tensor], evidence: Mapping[str, Tensor]) -> Tensor:
        """(B, K) from what each modality says of a case."""
        if self.head is None:
            (logits,) = evidence.values()
            return logits
        fused: Tensor = self.head(list(embedded.values()), list(evidence.values()))
        return fused


def _rows_by_pattern(batch: Batch) -> dict[str, LongTensor]:
    """Pattern -> the rows (ascending) that show just it."""
    found: dict[str, list[int]] = {}
    for row in range(len(batch)):
        found.setdefault(str(batch.pattern(row)), []).append(row)
    return {
        pattern: torch.tensor(rows)  # type: ignore[misc]  # int64 by torch.tensor
        for pattern, rows in found.items()
    }
