"""DICOM series and NIfTI files for MONAI's `LoadImage`.

    LoadImage(reader=ScanReader(), image_only=False)("folder/of/one/series")

What is refused here raises; MONAI's own readers would fold, stretch or mix it in silence.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data.image_reader import ImageReader
from monai.utils.enums import MetaKeys, SpaceKeys

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom.series import read_series
from mmmed.readers.entities import VOLUME_ENDINGS
from mmmed.readers.nifti import read_volume
from mmmed.readers.volume import Volume

PathLike = str | os.PathLike[Any]


class ScanReader(ImageReader):
    """Reads one scan: a NIfTI file, an enhanced DICOM file, or the files of one classic series.

    The array is canonical RAS float32 with rescale applied; `affine` maps its index to RAS mm.
    """

    def __init__(self, *, label: str | None = None) -> None:
        """Reads the only volume of a series, or the one called `label`: `echo 2`."""
        self._label = label

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:  # noqa: ARG002
        """Every name may be a scan: DICOM files often have no ending."""
        return True

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> tuple[Path, Volume]:
        """The scan at a path, in a folder, or in several files of one series.

        Raises:
            DataError: it cannot be read.
            SeriesError: the series makes several volumes and no label, or an unknown one, is given.
            GeometryError: the slices are no volume.
        """
        if kwargs:
            raise TypeError(f"options {sorted(kwargs)} are unknown; ScanReader has none")
        given = [data] if isinstance(data, (str, os.PathLike)) else list(data)
        paths = [file for one in given for file in _files(Path(one))]
        if not paths:
            raise DataError(f"{data}: holds no files")
        if paths[0].name.endswith(VOLUME_ENDINGS) and len(paths) == 1:
            return paths[0], read_volume(paths[0])
        return paths[0], self._chosen(paths)

    def get_data(self, img: tuple[Path, Volume]) -> tuple[np.ndarray, dict[str, Any]]:
        """The array (i, j, k) and what MONAI wants to know of it."""
        path, volume = img
        meta = {
            MetaKeys.AFFINE: volume.affine,
            MetaKeys.ORIGINAL_AFFINE: volume.affine.copy(),
            MetaKeys.SPACE: SpaceKeys.RAS,
            MetaKeys.SPATIAL_SHAPE: np.array(volume.data.shape),
            MetaKeys.ORIGINAL_CHANNEL_DIM: "no_channel",
            "filename_or_obj": str(path),
        }
        return volume.data, {str(key): value for key, value in meta.items()}

    def _chosen(self, paths: Sequence[Path]) -> Volume:
        volumes = read_series(paths)
        named = [one for one in volumes if self._label in (None, one.label)]
        if len(named) != 1:
            labels = ", ".join(repr(one.label) for one in volumes)
            raise SeriesError(
                f"{paths[0].parent}: a series of {len(volumes)} volumes; choose by label: {labels}"
            )
        return named[0].volume


def _files(path: Path) -> list[Path]:
    """A file, or the files of a folder in order of their names; hidden ones are left out."""
    if not path.is_dir():
        return [path]
    return sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
