"""Modality dropout: hide at random, in training, some of what a case shows."""

from __future__ import annotations

from typing import Literal

import torch

from mmmed.batch import Batch

Losing = Literal["one", "some"]
"""What a case loses: one modality, or any part of them, each part as likely; never all."""


def drop_modalities(batch: Batch, rate: float) -> Batch:
    """The batch with each modality of each case hidden with probability `rate`.

    A case that would be left with nothing keeps one modality, drawn evenly from what it shows.
    Draws come from torch's global generator.
    """
    if rate == 0:
        return batch
    presence = batch.presence
    kept = presence & (torch.rand(presence.shape) >= rate)
    lots = torch.rand(presence.shape).masked_fill(~presence, -1.0)
    empty = ~kept.any(dim=1)
    kept[empty, lots[empty].argmax(dim=1)] = True
    return batch.show(kept)


def lose_modalities(batch: Batch, rate: float, *, losing: Losing) -> Batch:
    """The batch in which a share `rate` of the cases that can spare something lose modalities.

    A case that shows two modalities or more loses one of them, drawn evenly, or some: a part that
    is neither empty nor the whole, drawn evenly. Draws come from torch's global generator.
    """
    if rate == 0:
        return batch
    presence = batch.presence
    count = presence.sum(dim=1)
    loses = (count > 1) & (torch.rand(len(batch)) < rate)
    lot = torch.rand(len(batch), dtype=torch.float64)
    if losing == "one":
        kept = (lot * count).long()[:, None] != _places(presence)
    else:
        code = 1 + (lot * (2**count - 2)).long()  # its bits are what is kept, 1 to 2^m - 2
        kept = (code[:, None] >> _places(presence).clamp(min=0)) % 2 == 1
    return batch.show(presence & (kept | ~loses[:, None]))


def _places(presence: torch.Tensor) -> torch.Tensor:
    """(B, M) the place of each modality among those its case shows."""
    return presence.cumsum(dim=1) - 1
