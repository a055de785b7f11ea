"""One 3-D image of real numbers, as every reader of scans returns it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Volume:
    """A volume in canonical RAS orientation.

    Attributes:
        data: (i, j, k) float32, finite, C order.
        affine: (4, 4) float64, voxel index to the mm of a voxel's centre.
    """

    data: np.ndarray
    affine: np.ndarray
