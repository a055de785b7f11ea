"""Regions of the template by which a PET's values are divided.

brain            the template's brain mask
cerebellum       tissue of the template behind the pons and below the tentorium: a box inside the
                 posterior fossa, clear of other lobes and, by a margin, of sinuses
cerebellum-grey  the same box where more than half is grey matter
any other        a file in the template's space, positive inside
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.ndimage import map_coordinates

from mmmed.errors import DataError, GeometryError
from mmmed.readers import template
from mmmed.readers.nifti import read_volume
from mmmed.readers.volume import Volume

CEREBELLUM_MM = ((-40.0, 40.0), (-80.0, -48.0), (-50.0, -30.0))
"""First and last mm to the right, to the front and up that count as cerebellum."""

TISSUE = 0.5
"""Share of grey and white matter from which a voxel of the box counts."""

DETAIL_MM = 2.0
"""Voxels on which the built-in regions are drawn."""

FEWEST = 20
"""Voxels of a scan that a mean of a reference region needs."""


def sampled(name: str, mask: Path | None, affine: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A region on another grid in the template's space, (i, j, k) float32 in 0 to 1.

    Args:
        name: `brain`, `cerebellum`, `cerebellum-grey` or, of a mask, any.
        mask: the file; None for what is drawn here.
        affine: (4, 4) of the grid.
        shape: of the grid.

    Raises:
        GeometryError: the region covers fewer than `FEWEST` voxels of the grid.
        DataError: the file cannot be used.
    """
    region = _drawn(name) if mask is None else _read(mask)
    to_region = np.linalg.inv(region.affine) @ affine
    index = np.indices(tuple(shape)).reshape(3, -1)
    places = to_region[:3, :3] @ index + to_region[:3, 3:]
    weight = map_coordinates(region.data, places, order=1, mode="constant")
    if weight.sum() < FEWEST:
        raise GeometryError(
            f"the reference region {name} covers {weight.sum():.0f} of its voxels; put `register` "
            "before, or choose a larger region"
        )
    return np.asarray(weight, dtype=np.float32).reshape(tuple(shape))


@lru_cache(maxsize=3)
def _drawn(name: str) -> Volume:
    grid = template.grid(DETAIL_MM)
    inside = template.brain_mask(DETAIL_MM)
    if name != "brain":
        low, high = np.array(CEREBELLUM_MM).T
        box = ((grid.centres >= low) & (grid.centres <= high)).all(axis=-1)
        tissue = template.gm(DETAIL_MM) + (template.wm(DETAIL_MM) if name == "cerebellum" else 0)
        inside = box & (tissue > TISSUE)
    return Volume(inside.astype(np.float32), grid.affine)


@lru_cache(maxsize=2)
def _read(path: Path) -> Volume:
    volume = read_volume(path)
    inside = (volume.data > 0).astype(np.float32)
    if not inside.any():
        raise DataError(f"{path}: is nowhere positive; name a mask")
    return Volume(inside, volume.affine)
