"""One 3-D image of real numbers, as every reader of scans returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel import orientations


@dataclass(frozen=True)
class Volume:
    """A volume in canonical RAS orientation.

    Attributes:
        data: (i, j, k) float32, finite, C order.
        affine: (4, 4) float64, voxel index to the mm of a voxel's centre.
    """

    data: np.ndarray
    affine: np.ndarray


def canonical_room(shape: tuple[int, int, int], affine: np.ndarray) -> tuple[Volume, np.ndarray]:
    """A volume whose voxels are yet to be written, and a view of them in the order of `shape`.

    Args:
        shape: of the array as it is stored.
        affine: (4, 4), its voxel index to RAS mm.
    """
    nibabel: Any = orientations  # its functions carry no types
    turns = nibabel.io_orientation(affine).astype(int)
    axes = turns[:, 0]
    data = np.empty([shape[place] for place in np.argsort(axes)], dtype=np.float32)
    view = data.transpose(axes)[tuple(slice(None, None, sign) for sign in turns[:, 1])]
    return Volume(data, affine @ nibabel.inv_ornt_aff(turns, shape)), view
