"""Late fusion that learns from complete cases alone: what throwing incomplete ones away costs.

The model is that of late fusion and predicts under any pattern; in both phases, `warm-up` and
`joint`, a training case that lacks a modality is left out. A batch without a complete case moves
nothing.

Source: complete-case analysis, as statisticians call it: Little, Rubin: Statistical Analysis with
Missing Data, 3rd edition, 2019.

Differs from the paper: it is a net that is fitted, not a likelihood; by default nothing is hidden
in training, so that this row shows what complete cases alone teach.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from mmmed.batch import Batch
from mmmed.errors import StudyError
from mmmed.modality import Pattern
from mmmed.models.baselines import late_fusion
from mmmed.models.baselines.late_fusion import LateFusion
from mmmed.models.contract import Loss, Phase, Turn


class Options(late_fusion.Options):
    """What a study may say about training on complete cases.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        combine: how the logits of the modalities shown are put together.
        dropout: on the embedding, before the classifier.
        modality_dropout: share of modalities hidden in the joint phase, of complete cases.
        smoothing: of the labels.
        pooling: how a case's items of one modality are pooled.
        joint_rate: learning rate of the joint phase, relative to the study's.
    """

    kind: Literal["complete-case"] = "complete-case"  # type: ignore[assignment]  # a kind each
    modality_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def lessons(self, modalities: Collection[str]) -> tuple[Pattern, ...]:
        """All modalities together."""
        return (Pattern.of(modalities),)


class CompleteCase(LateFusion):
    """Late fusion whose losses see complete cases only."""

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """Those of late fusion."""
        return tuple(
            replace(phase, turns=tuple(_complete(turn) for turn in phase.turns))
            for phase in super().phases(steps)
        )

    def require_teachable(self, shown: Collection[Pattern]) -> None:
        """Raise a StudyError where no training case shows every modality."""
        whole = Pattern.of(one.name for one in self.modalities)
        if whole not in shown:
            raise StudyError(
                f"complete-case: no training case owns all of {whole}; hide less in training, or "
                "leave the method out"
            )


def _complete(turn: Turn) -> Turn:
    return replace(turn, loss=_of_complete(turn.loss))


def _of_complete(
    loss: Callable[[Batch], Mapping[str, Loss]],
) -> Callable[[Batch], Mapping[str, Loss]]:
    def of_complete(batch: Batch) -> Mapping[str, Loss]:
        whole = batch.presence.all(dim=1)
        return loss(batch.select(whole.nonzero().flatten())) if bool(whole.any()) else {}  # type: ignore[arg-type]  # int64 by nonzero

    return of_complete
