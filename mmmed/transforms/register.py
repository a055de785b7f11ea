"""One scan, registered and checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmmed.errors import DataError
from mmmed.readers.template import Like
from mmmed.transforms.quality import measure
from mmmed.transforms.raster import Raster
from mmmed.transforms.registered import Registered
from mmmed.transforms.registration.align import Alignment, align, made_alike
from mmmed.transforms.registration.guide import carried


@dataclass(frozen=True)
class Guide:
    """An MRI through which a PET of the same head is registered.

    Attributes:
        raster: as read.
        space: the template space that its file declares; None where it declares none.
    """

    raster: Raster
    space: str | None


def register(raster: Raster, like: Like, *, suv: bool) -> Registered:
    """The map of a scan into the template's space, and its quality.

    Args:
        raster: a volume; its first channel counts.
        like: which template it is brought to.
        suv: the values are SUVbw.

    Raises:
        GeometryError: the field of view is too short to hold a brain.
        DataError: the intensities do not vary, or no map was found.
    """
    scan = made_alike(raster, like)
    found = align(scan, like)
    return Registered(found.matrix, measure(scan, found, like, suv=suv))


def register_through(raster: Raster, guide: Guide, *, suv: bool) -> Registered:
    """The map of a PET through an MRI of the same head, and the PET's quality in that place.

    Args:
        raster: the PET; its first channel counts.
        guide: the MRI.
        suv: the PET's values are SUVbw.

    Raises:
        GeometryError: a field of view is too short to hold a brain.
        DataError: intensities do not vary, no map was found, or the MRI is no head in its place.
    """
    scan = made_alike(raster, "pet")
    alone = align(scan, "pet")
    head = made_alike(guide.raster, "t1")
    placed = np.eye(4)
    if guide.space is None:
        own = align(head, "t1")
        quality = measure(head, own, "t1")
        if quality.verdict == "fail":
            raise DataError(f"the MRI is no head in its place: {'; '.join(quality.reasons)}")
        placed = own.matrix
    matrix = carried(scan, head, placed=placed, begun=alone.matrix)
    found = Alignment(matrix, alone.information, alone.rival)
    return Registered(matrix, measure(scan, found, "pet", suv=suv))
