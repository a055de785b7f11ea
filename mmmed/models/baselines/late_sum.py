"""Late sum: one net per modality, trained alone; their logits are added, nothing else learns.

On independent evidence log-odds add, so this is the plain reference that a fusion method must
beat. Under a pattern of one modality it is exactly that modality's own model.

Source: the sum rule of Kittler, Hatef, Duin, Matas: On combining classifiers, IEEE TPAMI 20(3),
1998, doi 10.1109/34.667881, in its log-odds form.

Differs from the paper: logits are added instead of probabilities; the prior of the classes is
counted once per case.
"""

from __future__ import annotations

from typing import Literal

from mmmed.models.baselines.late import Late, LateOptions
from mmmed.models.contract import Phase


class Options(LateOptions):
    """What a study may say about the late sum.

    Attributes:
        backbone: for volumes and images; vectors go through an MLP.
        dropout: on the embedding, before the classifier.
        smoothing: of the labels.
        pooling: how a case's items of one modality are pooled.
    """

    kind: Literal["late-sum"] = "late-sum"


class LateSum(Late):
    """The sum alone: its nets are trained, nothing above them."""

    def phases(self, steps: int) -> tuple[Phase, ...]:
        """One phase; the nets take turns, each with its own optimiser and its own items."""
        turns = self.nets.turns(smoothing=self.options.smoothing, prior=self.prior)
        return (Phase("unimodal", turns, steps, learns=(self.nets,)),)
