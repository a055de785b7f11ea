"""Values of a volume or image on another grid, by SciPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from scipy.ndimage import affine_transform, gaussian_filter

from mmmed.transforms.raster import Raster

Edge = Literal["zeros", "border"]
"""What stands outside a grid: nothing, or what its last voxel shows."""

SAME_GRID_MM = 1e-3
"""Affines closer than this are one grid: NIfTI stores them as float32."""


def resampled(
    raster: Raster, affine: np.ndarray, shape: Sequence[int], *, edge: Edge
) -> np.ndarray:
    """(C, *shape) float32, linear between voxels, smoothed first along axes that lose voxels.

    The smoothing is MONAI's and scikit-image's convention against aliasing: a standard deviation
    of (factor - 1) / 2 voxels. The values are those of MONAI's `SpatialResample`, which would cost
    its import, two seconds in every process.

    Args:
        raster: what is resampled.
        affine: of the other grid.
        shape: of the other grid.
        edge: what stands outside.
    """
    factor = Raster(raster.data, affine).voxel_mm / raster.voxel_mm
    sd = (0.0, *(np.maximum(factor - 1, 0) / 2))
    smooth = gaussian_filter(raster.data, sd, mode="nearest")
    back = np.linalg.inv(raster.affine) @ affine
    done = np.empty((raster.channels, *shape), dtype=np.float32)
    for channel, place in zip(smooth, done, strict=True):
        affine_transform(
            channel,
            back[:-1, :-1],
            back[:-1, -1],
            output_shape=tuple(shape),
            output=place,
            order=1,
            mode="grid-constant" if edge == "zeros" else "nearest",
        )
    return done


def stretched(affine: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The affine of voxels `scale` times as large over the same field of view."""
    corner = affine @ np.append(scale / 2 - 0.5, 1.0)
    changed = affine.copy()
    changed[:-1, :-1] = affine[:-1, :-1] * scale
    changed[:-1, -1] = corner[:-1]
    return changed


def same_grid(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two affines of as many axes are one grid."""
    return bool(np.abs(one - other).max() < SAME_GRID_MM)


def tensor(raster: Raster) -> Any:
    """MONAI's tensor with an affine, (C, *space); an affine of two axes is put into three."""
    import torch
    from monai.data.meta_tensor import MetaTensor

    return MetaTensor(
        torch.from_numpy(raster.data.copy()), affine=torch.from_numpy(raster.affine.copy())
    )
