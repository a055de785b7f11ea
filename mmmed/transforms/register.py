"""One scan, registered and checked."""

from __future__ import annotations

from mmmed.readers.template import Like
from mmmed.transforms.quality import measure
from mmmed.transforms.raster import Raster
from mmmed.transforms.registered import Registered
from mmmed.transforms.registration.align import align, made_alike


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
