"""DICOM series, NIfTI files and whole slides for MONAI's `LoadImage`.

    LoadImage(reader=ScanReader(), image_only=False)("folder/of/one/series")
    LoadImage(reader=SlideReader(mpp=8.0), image_only=False)("one.svs")

What is refused here raises; MONAI's own readers would fold, stretch or mix it in silence.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data.image_reader import ImageReader
from monai.utils.enums import MetaKeys, SpaceKeys

from mmmed.errors import DataError, SeriesError, SlideError
from mmmed.readers.dicom.series import read_series
from mmmed.readers.entities import VOLUME_ENDINGS
from mmmed.readers.nifti import read_volume
from mmmed.readers.slide.overview import whole
from mmmed.readers.slide.slide import Slide, open_slide
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


class SlideReader(ImageReader):
    """Reads a whole slide at one magnification: (3, rows, columns) float32 in 0..1.

    For tiles at several magnifications there is `mmmed.readers.slide.dataset.SlideSets`.
    """

    def __init__(self, *, mpp: float, overrides: Mapping[str, float] | None = None) -> None:
        """Reads slides at `mpp` um per pixel.

        Args:
            mpp: of the array; the slide's own or a coarser one.
            overrides: name of a slide's file -> um per pixel of its finest level.
        """
        self._mpp = mpp
        self._overrides = overrides or {}

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:  # noqa: ARG002
        """Every name may be a slide: DICOM files often have no ending."""
        return True

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> Slide:
        """The slide at a path, open.

        Raises:
            SlideError: it cannot be used, or there are several paths.
        """
        if kwargs:
            raise TypeError(f"options {sorted(kwargs)} are unknown; SlideReader has none")
        given = [data] if isinstance(data, (str, os.PathLike)) else list(data)
        if len(given) != 1:
            raise SlideError(f"{len(given)} paths are given; a slide is one")
        path = Path(given[0])
        return open_slide(path, mpp=self._overrides.get(path.name))

    def get_data(self, img: Slide) -> tuple[np.ndarray, dict[str, Any]]:
        """The array (3, rows, columns) and what MONAI wants to know of it, `mpp` among it.

        Raises:
            SlideError: the slide has not the magnification, or more pixels than an image may have.
        """
        with img:
            mpp = img.settled(self._mpp)
            values = whole(img, mpp=mpp)
        meta = {
            MetaKeys.SPATIAL_SHAPE: np.array(values.shape[1:]),
            MetaKeys.ORIGINAL_CHANNEL_DIM: 0,
            "filename_or_obj": str(img.path),
            "mpp": mpp,
        }
        return values, {str(key): value for key, value in meta.items()}


def _files(path: Path) -> list[Path]:
    """A file, or the files of a folder in order of their names; hidden ones are left out."""
    if not path.is_dir():
        return [path]
    return sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
