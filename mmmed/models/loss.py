"""Losses as (sum, count), so that they can be divided after every rank has added its own."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from mmmed.batch import UNLABELLED, Batch
from mmmed.errors import DataError
from mmmed.models.contract import Loss


def labels(batch: Batch) -> Tensor:
    """(B,) class indices of a training batch.

    Raises:
        DataError: the batch carries no labels.
    """
    if batch.label is None:
        raise DataError("a training batch carries labels, this one has none")
    return batch.label


def item_labels(batch: Batch, modality: str) -> Tensor:
    """(n,) the label of the case that owns each item of a modality."""
    return labels(batch)[batch.items[modality].owner]


def cross_entropy(logits: Tensor, label: Tensor, *, smoothing: float = 0.0) -> Loss:
    """Cross entropy summed over the labelled rows of logits (n, K)."""
    known = label != UNLABELLED
    total = functional.cross_entropy(
        logits[known], label[known], reduction="sum", label_smoothing=smoothing
    )
    return Loss(total, int(known.sum()))


def squared_error(guess: Tensor, target: Tensor, *, weight: float = 1.0) -> Loss:
    """`weight` times the squared error, averaged over the entries and summed over the rows."""
    per_row = (guess - target).square().flatten(1).mean(dim=1)
    return Loss(weight * per_row.sum(), len(target))


def smooth_l1(guess: Tensor, target: Tensor, *, weight: float = 1.0) -> Loss:
    """`weight` times smooth L1, averaged over the entries and summed over the rows.

    An entry that is off by d costs d^2 / 2 where |d| < 1, else |d| - 1/2.
    """
    per_row = functional.smooth_l1_loss(guess, target, reduction="none").flatten(1).mean(dim=1)
    return Loss(weight * per_row.sum(), len(target))
