"""nilearn's MNI152 (2009a, symmetric) templates on a grid cropped to the brain.

grid    a box of 160 x 192 x 192 mm that holds the brain, symmetric about the mid-sagittal plane,
        cut into cubes of `voxel_mm`: (40, 48, 48) at 4 mm
affine  voxel index -> mm in MNI space, RAS: the first axis runs to the right, then front, then up
like    what a template looks like: a T1-weighted MRI, or a PET of glucose use (or blood flow)

The templates ship inside nilearn; nothing is downloaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from mmmed.errors import GeometryError

BOX_MM = ((-80.0, 80.0), (-112.0, 80.0), (-74.0, 118.0))
"""First and last edge of the grid along each axis, in MNI mm."""

FINEST_MM, COARSEST_MM = 0.5, 16.0
"""Voxel sizes outside this range are refused: memory below, no anatomy above."""

Like = Literal["t1", "pet"]

WHITE_UPTAKE = 0.38
"""Uptake of white matter where grey matter's is 1, as in the simulated cohort."""

PET_FWHM_MM = 8.0
"""Resolution of the PET-like template: that of multi-centre PET after harmonisation (ADNI)."""

SPATIAL_REFERENCE = "MNI152NLin2009aSym"
"""What BIDS calls the space of these templates."""


@dataclass(frozen=True)
class Grid:
    """A sampling of MNI space.

    Attributes:
        shape: voxels along right, front, up.
        affine: (4, 4) float64, voxel index to the mm of a voxel's centre.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    @property
    def centres(self) -> np.ndarray:
        """(i, j, k, 3) float32: the MNI mm of every voxel's centre."""
        index = np.stack(np.meshgrid(*map(np.arange, self.shape), indexing="ij"), axis=-1)
        return np.asarray(index * np.diag(self.affine)[:3] + self.affine[:3, 3], dtype=np.float32)


@lru_cache(maxsize=8)
def grid(voxel_mm: float) -> Grid:
    """The brain's grid at a voxel size.

    Raises:
        GeometryError: the voxel size is no number between 0.5 and 16 mm.
    """
    if not (math.isfinite(voxel_mm) and FINEST_MM <= voxel_mm <= COARSEST_MM):
        raise GeometryError(
            f"voxel size {voxel_mm} mm: choose one from {FINEST_MM} to {COARSEST_MM} mm"
        )
    low = np.array([edges[0] for edges in BOX_MM])
    extent = np.array([edges[1] - edges[0] for edges in BOX_MM])
    shape = np.ceil(extent / voxel_mm - 1e-9).astype(int)
    margin = (shape * voxel_mm - extent) / 2
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = low - margin + voxel_mm / 2
    affine.setflags(write=False)
    return Grid(shape=(int(shape[0]), int(shape[1]), int(shape[2])), affine=affine)


@lru_cache(maxsize=8)
def t1(voxel_mm: float) -> np.ndarray:
    """The T1-weighted template without skull, (i, j, k) float32, in 0 to 1."""
    from nilearn.datasets import load_mni152_template

    return _on_grid(load_mni152_template(resolution=1), voxel_mm)


@lru_cache(maxsize=8)
def gm(voxel_mm: float) -> np.ndarray:
    """The share of grey matter, (i, j, k) float32, in 0 to 1."""
    from nilearn.datasets import load_mni152_gm_template

    return _on_grid(load_mni152_gm_template(resolution=1), voxel_mm)


@lru_cache(maxsize=8)
def wm(voxel_mm: float) -> np.ndarray:
    """The share of white matter, (i, j, k) float32, in 0 to 1."""
    from nilearn.datasets import load_mni152_wm_template

    return _on_grid(load_mni152_wm_template(resolution=1), voxel_mm)


@lru_cache(maxsize=8)
def pet(voxel_mm: float) -> np.ndarray:
    """What a PET of a healthy brain looks like, (i, j, k) float32: tissue maps, smoothed.

    nilearn ships no PET; grey matter takes up 1, white matter `WHITE_UPTAKE`, the rest nothing.
    """
    uptake = gm(voxel_mm) + np.float32(WHITE_UPTAKE) * wm(voxel_mm)
    sd = PET_FWHM_MM / math.sqrt(8 * math.log(2)) / voxel_mm
    smooth = np.asarray(gaussian_filter(uptake, sd), dtype=np.float32)
    smooth.setflags(write=False)
    return smooth


def looks(like: Like, voxel_mm: float) -> np.ndarray:
    """The template of this look, (i, j, k) float32."""
    return t1(voxel_mm) if like == "t1" else pet(voxel_mm)


@lru_cache(maxsize=8)
def brain_mask(voxel_mm: float) -> np.ndarray:
    """Where the brain is, (i, j, k) boolean."""
    from nilearn.datasets import load_mni152_brain_mask

    mask = _on_grid(load_mni152_brain_mask(resolution=1), voxel_mm, interpolation="nearest") > 0.5
    mask.setflags(write=False)
    return mask


def _on_grid(image: Any, voxel_mm: float, *, interpolation: str = "linear") -> np.ndarray:
    from nilearn.image import resample_img

    target = grid(voxel_mm)
    resampled = resample_img(
        image,
        target_affine=target.affine,
        target_shape=target.shape,
        interpolation=interpolation,
        force_resample=True,
        copy_header=True,
    )
    data: np.ndarray = np.clip(resampled.get_fdata(dtype=np.float32), 0.0, 1.0)
    data.setflags(write=False)
    return data
