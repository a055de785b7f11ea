"""What stands for an absent item, inside the forward of a method that wants something there.

zero    zeros after normalisation: the mean of the training part for a vector, which is
        standardised inside the model; zeros for an image, which its preparation normalises
mean    as `zero` for a vector; for an image the voxel-wise mean of the training items counted in
noise   one fixed draw of unit noise after normalisation

A substitute depends on no item of the case it stands in, and is the same in training and in test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from mmmed.modality import Modality
from mmmed.models.standard import Standard

SubstituteKind = Literal["zero", "mean", "noise"]


class Substitute(nn.Module):
    """One modality's substitute; its figures are buffers and travel with the weights.

    Args:
        modality: what it stands for.
        kind: of the substitute.
        standard: of a vector modality; None for volumes and images.
    """

    def __init__(
        self, modality: Modality, kind: SubstituteKind, *, standard: Standard | None
    ) -> None:
        super().__init__()
        centre = torch.zeros(modality.shape) if standard is None else standard.mean.float()
        scale = torch.ones(modality.shape) if standard is None else standard.scale.float()
        item = centre + scale * torch.randn(modality.shape) if kind == "noise" else centre.clone()
        self.item: Tensor
        self.seen: Tensor
        self._learns = kind == "mean" and standard is None
        is_known = kind == "zero" and standard is None  # not worth an image in the weights
        self.register_buffer("item", item, persistent=not is_known)
        self.register_buffer("seen", torch.zeros((), dtype=torch.long), persistent=self._learns)

    def forward(self) -> Tensor:
        """(1, C, *space) or (1, F), as one item before any normalisation by the model."""
        return self.item[None]

    @torch.no_grad()
    def count_in(self, data: Tensor) -> None:
        """Move the mean by training items (n, C, *space); other substitutes stay as they are."""
        if self._learns:
            self.seen += len(data)
            self.item += (data - self.item).sum(dim=0) / self.seen


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """The module in evaluation mode for a while: batch norm reads its figures and leaves them."""
    learning = [one for one in module.modules() if one.training]
    module.eval()
    try:
        yield
    finally:
        for one in learning:
            one.training = True
