"""A prepared or refused scan looked at again: its checks, and its picture."""

from __future__ import annotations

import numpy as np

from mmmed.errors import DataError
from mmmed.readers.nifti import read_volume
from mmmed.readers.template import Like
from mmmed.transforms import series
from mmmed.transforms.montage import drawn
from mmmed.transforms.prepared import Placed, Prepared, Refused
from mmmed.transforms.quality import Quality, measure
from mmmed.transforms.raster import Raster, of_volume
from mmmed.transforms.registration.align import Alignment, made_alike


def checked(outcome: Prepared | Refused, like: Like) -> Placed:
    """Where a scan lies and its checks; of one that was taken at its word, where it declares.

    Args:
        outcome: of `prepare`, by a chain that registers.
        like: what the scan looks like: the chain's `registers`.

    Raises:
        DataError: the scan was refused before it was placed, or cannot be read.
    """
    if outcome.placed is not None:
        return outcome.placed
    if isinstance(outcome, Refused):
        raise DataError(outcome.reason)
    scan = made_alike(_raster(outcome), like)
    quality = measure(scan, Alignment(np.eye(4), information=1.0, rival=0.0), like)
    return Placed(tuple(tuple(row) for row in np.eye(4).tolist()), quality.values)


def montage(outcome: Prepared | Refused, like: Like, *, name: str) -> bytes:
    """A PNG of a scan, as it was read, under the template's contours; its title says its verdict.

    Args:
        outcome: of `prepare`, by a chain that registers.
        like: what the scan looks like: the chain's `registers`.
        name: what the title calls the scan.

    Raises:
        DataError: the scan was refused before it was placed, or cannot be read.
    """
    placed = checked(outcome, like)
    quality = Quality(placed.checks)
    title = (f"{name}: {quality.verdict}", *quality.reasons)
    return drawn(_raster(outcome), np.asarray(placed.matrix), like, title=title)


def _raster(outcome: Prepared | Refused) -> Raster:
    """The scan as it was read; of a PET any linear unit will do for a picture."""
    source = outcome.source
    if source.files:
        return series.read(source.files, scale_free=True).raster
    return of_volume(read_volume(source.path))
