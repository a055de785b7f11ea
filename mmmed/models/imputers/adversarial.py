"""The two adversarial losses, of a discriminator's patch scores, as (sum, count) over volumes.

vanilla         binary cross entropy on logits (pix2pix; Goodfellow et al. 2014)
least squares   squared distance from one or zero (CycleGAN; Mao et al. 2017)
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mmmed.models.contract import Loss

BETAS = (0.5, 0.999)
"""Of Adam, in the official code of pix2pix and CycleGAN."""

DISCRIMINATOR = 0.5
"""Both halves of a discriminator's loss are halved, so that it learns slower than its rival."""


def vanilla(scores: Tensor, *, real: bool, weight: float = 1.0) -> Loss:
    """`weight` times the cross entropy of (n, 1, *patches), averaged over the patches."""
    target = torch.full_like(scores, float(real))
    loss = functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
    return _summed(loss, weight)


def least_squares(scores: Tensor, *, real: bool, weight: float = 1.0) -> Loss:
    """`weight` times (score - target)^2 of (n, 1, *patches), averaged over the patches."""
    return _summed((scores - float(real)).square(), weight)


def absolute_error(guess: Tensor, target: Tensor, *, weight: float = 1.0) -> Loss:
    """`weight` times |guess - target|, averaged over the voxels and summed over the volumes."""
    return _summed((guess - target).abs(), weight)


def _summed(loss: Tensor, weight: float) -> Loss:
    return Loss(weight * loss.flatten(1).mean(dim=1).sum(), len(loss))
