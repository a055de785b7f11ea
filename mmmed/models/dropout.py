"""Modality dropout: hide at random, in training, some of what a case shows."""

from __future__ import annotations

import torch

from mmmed.batch import Batch


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
