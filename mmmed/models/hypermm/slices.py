"""From a volume or an image to the pictures that a network of photographs reads.

slice     what is left of a volume at one place of an axis; an image is its own only slice
picture   (3, size, size) in 0..1: a grey slice three times, a slice of three channels as it is
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from torch import Tensor
from torch.nn import functional

from mmmed.errors import StudyError
from mmmed.modality import Modality

Axis = Literal[0, 1, 2]
"""Of a volume (C, i, j, k) in canonical orientation: 0 sagittal, 1 coronal, 2 axial slices."""

COLOURS = 3
VOLUME = 4
"""Axes of a volume's item."""


def require_pictures(modality: Modality, *, method: str) -> None:
    """Raise a StudyError where a modality's items cannot be seen as pictures."""
    if modality.kind == "vector":
        raise StudyError(
            f"{method} reads volumes and images, and {modality.name} is a vector; "
            "leave it out of the study or choose another method"
        )
    if modality.shape[0] not in (1, COLOURS):
        raise StudyError(
            f"{method} reads one or three channels, and {modality.name} has {modality.shape[0]}; "
            "choose another method"
        )


def pictures(item: Tensor, *, axis: Axis, size: int) -> Iterator[Tensor]:
    """The slices of an item one by one, each (1, 3, size, size) in 0..1.

    Intensities are mapped by the least and the greatest value of the whole item, so that slices
    keep their relation; an item of one value is black. Slices are stretched to a square,
    bilinearly, smoothed where they shrink.

    Args:
        item: (C, i, j, k) or (C, H, W), C one or three.
        axis: of a volume, along which slices follow each other.
        size: pixels per side.
    """
    mapped = _unit(item)
    is_volume = item.ndim == VOLUME
    for one in mapped.unbind(1 + axis) if is_volume else (mapped,):
        picture = functional.interpolate(
            one[None], size=(size, size), mode="bilinear", antialias=True
        )
        yield picture.expand(1, COLOURS, size, size)


def _unit(item: Tensor) -> Tensor:
    """Least value 0, greatest 1."""
    low, high = item.min(), item.max()
    spread = high - low
    return (item - low) / spread.where(spread > 0, spread.new_ones(()))
