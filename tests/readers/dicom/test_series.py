"""Files of a series -> volumes."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import slices

from mmmed.errors import DataError, GeometryError, SeriesError
from mmmed.readers.dicom.series import SeriesVolume, read_series

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
FEET_FIRST = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
DECUBITUS = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0)
OBLIQUE = (0.8, 0.6, 0.0, -0.36, 0.48, 0.8)


def only(paths: list[Path]) -> SeriesVolume:
    (volume,) = read_series(paths)
    return volume


def expected(pixels: np.ndarray, affine: np.ndarray) -> nib.Nifti1Image:
    """The canonical volume by nibabel, from the array and affine as they are stored."""
    return nib.as_closest_canonical(nib.Nifti1Image(pixels.astype(np.float64), affine))


@pytest.mark.parametrize(
    "orientation", [slices.AXIAL, CORONAL, SAGITTAL, FEET_FIRST, DECUBITUS, OBLIQUE]
)
def test_a_classic_series_has_the_affine_of_the_standard_in_any_orientation(
    tmp_path: Path, orientation: tuple[float, ...]
) -> None:
    pixels = slices.stored()
    read = only(slices.save(slices.headers(pixels, orientation=orientation), tmp_path))
    wanted = expected(pixels, slices.affine(orientation))
    np.testing.assert_allclose(read.volume.affine, wanted.affine, atol=1e-9)
    np.testing.assert_array_equal(read.volume.data, wanted.get_fdata())
    assert read.volume.data.dtype == np.float32
    assert read.volume.data.flags.c_contiguous


def test_rescale_is_applied_per_slice(tmp_path: Path) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels, RescaleIntercept="-3.5")
    for place, one in enumerate(series):
        one.RescaleSlope = f"{0.25 * (place + 1)}"
    read = only(slices.save(series, tmp_path))
    slopes = 0.25 * np.arange(1, 7)[:, None, None]
    wanted = expected(pixels * slopes - 3.5, slices.affine())
    np.testing.assert_array_equal(read.volume.data, wanted.get_fdata().astype(np.float32))


def test_a_missing_slice_is_refused_with_its_neighbours(tmp_path: Path) -> None:
    series = slices.headers(slices.stored())
    lost = series.pop(3)
    with pytest.raises(GeometryError, match="1 of 4 gaps") as caught:
        read_series(slices.save(series, tmp_path))
    assert series[2].SOPInstanceUID in str(caught.value)
    assert series[3].SOPInstanceUID in str(caught.value)
    assert lost.SOPInstanceUID not in str(caught.value)


def test_echoes_become_volumes_of_their_own(tmp_path: Path) -> None:
    pixels = [slices.stored(seed=seed) for seed in (1, 2)]
    series = [
        one
        for echo, array in enumerate(pixels, start=1)
        for one in slices.headers(
            array, EchoNumbers=echo, EchoTime=4.9 * echo, FrameOfReferenceUID="1.2.3"
        )
    ]
    found = read_series(slices.save(series, tmp_path))
    assert [one.label for one in found] == ["echo 1", "echo 2"]
    for one, array in zip(found, pixels, strict=True):
        wanted = expected(array, slices.affine())
        np.testing.assert_array_equal(one.volume.data, wanted.get_fdata())


def test_no_files_are_no_series() -> None:
    with pytest.raises(SeriesError, match="no files"):
        read_series([])


def test_a_file_that_is_no_dicom_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.dcm"
    path.write_text("<!doctype html>")
    with pytest.raises(DataError, match=r"page\.dcm: is a web page"):
        read_series([path])
