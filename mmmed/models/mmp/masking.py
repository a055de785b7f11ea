"""Masking: which of the modalities it owns a case shows in a step of training.

Every non-empty subset of what a case owns is as likely as any other, the whole included.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

MaskedPer = Literal["case", "batch"]


def draw_shown(owned: Tensor, *, frequency: float = 1.0, per: MaskedPer = "case") -> Tensor:
    """(B, M) boolean, what each case shows; never nothing, never what it does not own.

    Draws come from torch's global generator, as many for every batch of a size.

    Args:
        owned: (B, M) boolean on the CPU, no row empty.
        frequency: share of the cases (or batches) for which a subset is drawn; the others show
            all they own.
        per: `case` draws for every case from what it owns; `batch` draws one subset of all M
            modalities, and a case that owns none of it shows all it owns.
    """
    if per == "batch":
        chosen = draw_shown(torch.ones_like(owned[:1]), frequency=frequency) & owned
        return torch.where(chosen.any(dim=1, keepdim=True), chosen, owned)
    cases = len(owned)
    subsets = 2 ** owned.sum(dim=1) - 1  # (B,) how many are not empty
    number = (torch.rand(cases, dtype=torch.float64) * subsets).long() + 1
    place = owned.cumsum(dim=1) - 1  # of a modality among those owned
    digits = number[:, None].bitwise_right_shift(place.clamp(min=0)).bitwise_and(1).bool()
    masked = torch.rand(cases, 1) < frequency
    return owned & (digits | ~masked)
