"""A scan made small for registration: blocks of voxels averaged, outliers clipped, edges repeated.

What lies outside a field of view is taken to go on as its edge does. Air stays air, and a head that
reaches the edge meets no false border there; without it, a map could gain by pushing the brain out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK
from scipy.ndimage import map_coordinates

from mmmed.errors import DataError, GeometryError
from mmmed.transforms.raster import Raster
from mmmed.transforms.resample import stretched

itk: Any = SimpleITK
"""Its functions carry no types."""

SHORTEST_MM = 60.0
"""Fields of view that are shorter along an axis hold no brain worth the name."""

PADDING_MM = 48.0
"""How far edges are repeated: as far as a start may be off."""

LONG_MM = 360.0
"""A field of view that is higher shows more than head, neck and shoulders."""

HEAD_MM = 280.0
"""What is kept of such a field from the top of the body downwards: a head and its neck."""

TOP_MM2 = 2000.0
"""Area of a plane that counts as body: a disc of 5 cm, larger than hands above a head."""

LOW, HIGH = 1.0, 99.5
"""Percentiles at which intensities are clipped: vessels and hot spots outshine a brain."""


@dataclass(frozen=True)
class Scan:
    """A volume on coarse voxels.

    Attributes:
        data: (i, j, k) float32.
        affine: (4, 4) float64, voxel index -> mm.
    """

    data: np.ndarray
    affine: np.ndarray

    def at(self, mm: np.ndarray) -> np.ndarray:
        """(n,) the values at points (n, 3), linear between voxels; 0 outside."""
        inverse = np.linalg.inv(self.affine)
        index = mm @ inverse[:3, :3].T + inverse[:3, 3]
        return np.asarray(map_coordinates(self.data, index.T, order=1, mode="constant"))

    def holds(self, mm: np.ndarray) -> np.ndarray:
        """(n,) which points (n, 3) lie in the field of view."""
        inverse = np.linalg.inv(self.affine)
        index = mm @ inverse[:3, :3].T + inverse[:3, 3]
        inside = (index > -0.5) & (index < np.asarray(self.data.shape) - 0.5)
        return np.asarray(inside.all(axis=1))

    def bright(self) -> np.ndarray:
        """(n, 3) mm of the voxels above Otsu's threshold: a head before the air behind it."""
        voxels = np.argwhere(self.data > otsu(self.data))
        return np.asarray(voxels @ self.affine[:3, :3].T + self.affine[:3, 3])


def shrunk(raster: Raster, *, voxel_mm: float) -> Scan:
    """The first channel on voxels of at most `voxel_mm`, clipped at `LOW` and `HIGH`.

    Of a field of view higher than `LONG_MM`, such as a whole body's, the upper end is kept.

    Raises:
        GeometryError: the field of view is too short to hold a brain.
        DataError: the intensities do not vary.
    """
    extent = raster.voxel_mm * raster.space
    if extent.min() < SHORTEST_MM:
        sides = " x ".join(f"{side:.0f}" for side in extent)
        raise GeometryError(
            f"its field of view of {sides} mm holds no brain; choose a series of the whole head"
        )
    small = averaged(Scan(raster.data[0], raster.affine), voxel_mm=voxel_mm)
    whole = _clipped(small)
    if extent[2] <= LONG_MM:
        return whole
    first = _upper(whole)
    affine = small.affine.copy()
    affine[:3, 3] += first * affine[:3, 2]
    return _clipped(Scan(small.data[..., first:], affine))


def _clipped(scan: Scan) -> Scan:
    low, high = np.percentile(scan.data, [LOW, HIGH]).astype(np.float32)
    if not high > low:
        raise DataError("its intensities do not vary; export the image again")
    return Scan(scan.data.clip(low, high), scan.affine)


def _upper(scan: Scan) -> int:
    """The first plane of the upper end of a body: of `HEAD_MM` below its top, and all above it."""
    size = np.linalg.norm(scan.affine[:3, :3], axis=0)
    area = (scan.data > otsu(scan.data)).sum(axis=(0, 1)) * size[0] * size[1]
    filled = np.flatnonzero(area > TOP_MM2)
    top = int(filled[-1]) if len(filled) else scan.data.shape[2] - 1
    return max(top + 1 - round(HEAD_MM / float(size[2])), 0)


def averaged(scan: Scan, *, voxel_mm: float) -> Scan:
    """Means over blocks of whole voxels, as large as `voxel_mm` allows."""
    size = np.linalg.norm(scan.affine[:3, :3], axis=0)
    factor = np.clip(np.floor(voxel_mm / size + 0.01).astype(int), 1, scan.data.shape)
    count = np.asarray(scan.data.shape) // factor
    whole = scan.data[tuple(slice(0, end) for end in count * factor)]
    blocks = whole.reshape(count[0], factor[0], count[1], factor[1], count[2], factor[2])
    means = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    return Scan(means, stretched(scan.affine, factor.astype(float)))


def padded(scan: Scan) -> Scan:
    """The scan with `PADDING_MM` of its edges repeated around it."""
    size = np.linalg.norm(scan.affine[:3, :3], axis=0)
    width = np.ceil(PADDING_MM / size).astype(int)
    affine = scan.affine.copy()
    affine[:3, 3] = (scan.affine @ np.append(-width, 1.0))[:3]
    return Scan(np.pad(scan.data, [(side, side) for side in width], mode="edge"), affine)


def otsu(values: np.ndarray) -> float:
    """The threshold that parts values best into low and high ones (Otsu, 1979)."""
    part = itk.OtsuThresholdImageFilter()
    part.Execute(itk.GetImageFromArray(np.atleast_2d(values.astype(np.float32))))
    return float(part.GetThreshold())


@contextmanager
def one_thread() -> Iterator[None]:
    """SimpleITK on one thread inside the block: several add up in any order, to other bits.

    The setting is the whole process's; a filter's own does not reach the metric inside it.
    """
    before = itk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    itk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        itk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def to_itk(data: np.ndarray, affine: np.ndarray) -> Any:
    """(i, j, k) values as SimpleITK's image, its physical space being the affine's mm (RAS)."""
    image = itk.GetImageFromArray(np.ascontiguousarray(data.transpose(2, 1, 0)))
    size = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(size.tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection((affine[:3, :3] / size).ravel().tolist())
    return image
