"""The random steps, each a pure function of the item and a seed.

No generator outlives a call and no global one is touched, so that threads do not meet and a
resumed training draws what the uninterrupted one drew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import torch
from torch import Generator, Tensor

from mmmed.transforms.augmentation import (
    AugmentStep,
    Flip,
    Gain,
    Noise,
    Offset,
    QuarterTurns,
    Roll,
    Stain,
)
from mmmed.transforms.colours import Colours
from mmmed.transforms.stain import stained

AXES = {3: {"left-right": 2, "up-down": 1}, 4: {"left-right": 1, "up-down": 3}}
"""Axes of an item by how many it has: an image (C, H, W), a volume (C, i, j, k)."""


def augment(
    item: Tensor,
    steps: Sequence[AugmentStep],
    *,
    seed: int,
    colours: Colours = Colours(),  # noqa: B008 - frozen
) -> Tensor:
    """The item after every step; the item itself is left as it is.

    Args:
        item: (C, *space) or (F,).
        steps: in order.
        seed: everything random comes from it.
        colours: of an image whose stains change.
    """
    if not steps:
        return item
    random = Generator().manual_seed(seed)
    for step in steps:
        item = _step(item, step, random, colours)
    return item


def mirrored(item: Tensor) -> Tensor:
    """A volume (C, i, j, k) or an image (C, H, W) with left and right exchanged."""
    return item.flip(AXES[item.ndim]["left-right"])


def _step(item: Tensor, step: AugmentStep, random: Generator, colours: Colours) -> Tensor:
    match step:
        case Flip():
            turned = float(torch.rand((), generator=random)) < step.probability
            return item.flip(AXES[item.ndim][step.axis]) if turned else item
        case QuarterTurns():
            return item.rot90(int(torch.randint(4, (), generator=random)), (1, 2))
        case Roll():
            axes = tuple(range(1, item.ndim))
            shifts = torch.randint(-step.voxels, step.voxels + 1, (len(axes),), generator=random)
            return torch.roll(item, tuple(shifts.tolist()), axes)
        case Gain():
            return item * (1 + step.sd * float(torch.randn((), generator=random)))
        case Offset():
            return item + step.sd * float(torch.randn((), generator=random))
        case Noise():
            return item + step.sd * torch.randn(item.shape, generator=random, dtype=item.dtype)
        case Stain():
            return stained(item, step, colours=colours, random=random)
        case _:
            assert_never(step)
