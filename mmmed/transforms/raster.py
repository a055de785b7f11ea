"""What the deterministic steps act on: channels of values on a grid.

grid     `space` voxels, three axes of a volume or two of an image; a pixel is called voxel too
affine   voxel index -> mm of a voxel's centre; an image knows no mm, its voxels count as 1
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmmed.readers.volume import Volume


@dataclass(frozen=True)
class Raster:
    """A volume or an image.

    Attributes:
        data: (C, *space) float32.
        affine: (d + 1, d + 1) float64, d axes of space.
    """

    data: np.ndarray
    affine: np.ndarray

    @property
    def space(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return tuple(self.data.shape[1:])

    @property
    def channels(self) -> int:
        """How many values a voxel has."""
        return int(self.data.shape[0])

    @property
    def voxel_mm(self) -> np.ndarray:
        """(d,) the size of a voxel along each axis."""
        return np.asarray(np.linalg.norm(self.affine[:-1, :-1], axis=0))


def of_volume(volume: Volume) -> Raster:
    """A volume as one channel; its values are not copied."""
    return Raster(volume.data[None], volume.affine)


def of_image(channels: np.ndarray) -> Raster:
    """An image (C, H, W)."""
    return Raster(channels, np.eye(3))
