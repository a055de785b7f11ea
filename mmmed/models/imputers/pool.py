"""The history pool: a discriminator also meets what a generator made some steps ago.

Shrivastava et al., CVPR 2017, arXiv 1612.07828, as CycleGAN uses it. The pool is part of the
state, so that an interrupted training goes on with the same one; it is emptied afterwards.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmmed.models.rows import Rows


class Pool(nn.Module):
    """Remembers made volumes.

    Args:
        shape: (C, *grid) of one.
        size: how many are kept once it is open; 0 remembers nothing.
    """

    def __init__(self, shape: tuple[int, ...], *, size: int) -> None:
        super().__init__()
        self.size = size
        self.kept = Rows(*shape)
        self.filled: Tensor
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    def open(self) -> None:
        """Make room, with nothing in it."""
        self.kept.make_room(0)
        self.kept.make_room(self.size)
        self.filled.zero_()

    def close(self) -> None:
        """Forget everything."""
        self.kept.make_room(0)
        self.filled.zero_()

    @torch.no_grad()
    def swap(self, made: Tensor) -> Tensor:
        """What the discriminator sees in place of these volumes (n, C, *grid), detached.

        While there is room each is kept and given back; then each is, with probability one half,
        exchanged for a kept one drawn evenly. Draws come from torch's global generator.
        """
        return torch.stack([self._swapped(one) for one in made.detach()])

    def _swapped(self, one: Tensor) -> Tensor:
        filled = int(self.filled)
        if filled < len(self.kept):
            self.kept.data[filled] = one
            self.filled += 1
            return one
        if filled == 0 or float(torch.rand(())) < 0.5:
            return one
        place = int(torch.randint(filled, ()))
        older = self.kept.data[place].clone()
        self.kept.data[place] = one
        return older
