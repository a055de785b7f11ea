"""Standardisation of vectors, inside the model, by figures of the training part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmmed.errors import StudyError
from mmmed.modality import Modality


@dataclass(frozen=True)
class Standard:
    """Mean and scale of each variable of a vector modality in the training part.

    Attributes:
        mean: (F,).
        scale: (F,) standard deviations; 1 for a variable that does not vary.
    """

    mean: Tensor
    scale: Tensor

    def __post_init__(self) -> None:
        if self.mean.shape != self.scale.shape or self.mean.ndim != 1:
            raise StudyError(
                f"a standard is two vectors of one width, not {tuple(self.mean.shape)} "
                f"and {tuple(self.scale.shape)}"
            )
        if not bool((self.scale > 0).all()):
            raise StudyError("every scale is positive; use 1 for a variable that does not vary")


class Standardise(nn.Module):
    """(x - mean) / scale; the figures are buffers and travel with the weights."""

    def __init__(self, standard: Standard) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", standard.mean.detach().float().clone())
        self.register_buffer("scale", standard.scale.detach().float().clone())

    def forward(self, x: Tensor) -> Tensor:
        """(n, F) -> (n, F)."""
        return (x - self.mean) / self.scale


def standard_of(modality: Modality, standards: Mapping[str, Standard]) -> Standard:
    """The standard of a vector modality; mean 0 and scale 1 where none is given.

    Raises:
        StudyError: the standard has another width than the modality.
    """
    width = modality.shape[0]
    given = standards.get(modality.name)
    if given is None:
        return Standard(torch.zeros(width), torch.ones(width))
    if len(given.mean) != width:
        raise StudyError(
            f"{modality.name}: vectors have {width} variables, their standard {len(given.mean)}"
        )
    return given
