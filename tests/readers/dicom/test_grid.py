"""United Imaging's grids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import slices
from pydicom.dataset import Dataset, FileDataset

from mmmed.errors import SeriesError
from mmmed.readers.dicom.series import read_series


def grid(pixels: np.ndarray, *, step: float = slices.STEP, block: int = 0x10) -> FileDataset:
    """(slice, row, column) as tiles, 3 across and 2 down, with the position of each."""
    square = np.block([list(pixels[:3]), list(pixels[3:])])
    (one,) = slices.headers(square[None], ImageType=["ORIGINAL", "PRIMARY", "M", "VFRAME"])
    items = []
    for place in range(len(pixels)):
        item = Dataset()
        x, y, z = slices.ORIGIN
        item.ImagePositionPatient = [x, y, z + place * step]
        items.append(item)
    one.add_new((0x0065, block), "LO", "Image Private Header")
    one.add_new((0x0065, (block << 8) + 0x50), "DS", "6")
    one.add_new((0x0065, (block << 8) + 0x51), "SQ", items)
    return one


@pytest.mark.parametrize("block", [0x10, 0x13])
@pytest.mark.parametrize("step", [slices.STEP, -slices.STEP])
def test_tiles_become_slices_where_the_file_says_each_lies(
    tmp_path: Path, step: float, block: int
) -> None:
    pixels = slices.stored()
    (read,) = read_series(slices.save([grid(pixels, step=step, block=block)], tmp_path))
    wanted = nib.as_closest_canonical(
        nib.Nifti1Image(pixels.astype(float), slices.affine(step=step))
    )
    np.testing.assert_allclose(read.volume.affine, wanted.affine, atol=1e-9)
    np.testing.assert_array_equal(read.volume.data, wanted.get_fdata())


def test_a_grid_without_a_position_for_each_tile_is_refused(tmp_path: Path) -> None:
    one = grid(slices.stored())
    one[0x0065, 0x1051].value = one[0x0065, 0x1051].value[:5]
    with pytest.raises(SeriesError, match="a grid of 6 slices that states 5 positions"):
        read_series(slices.save([one], tmp_path / "5"))
    del one[0x0065, 0x1051]
    with pytest.raises(SeriesError, match="states 0 positions"):
        read_series(slices.save([one], tmp_path / "none"))


@pytest.mark.parametrize("place", [b"1e300 ", b"nan   "])
def test_a_grid_with_a_tile_at_no_place_is_refused(tmp_path: Path, place: bytes) -> None:
    one = grid(slices.stored())
    one[0x0065, 0x1051].value[2].ImagePositionPatient = [123.25, 0.0, 0.0]
    (path,) = slices.save([one], tmp_path)
    path.write_bytes(path.read_bytes().replace(b"123.25", place))
    with pytest.raises(SeriesError, match="which is no place of a scan"):
        read_series([path])


def test_a_grid_that_does_not_fit_its_image_is_refused(tmp_path: Path) -> None:
    one = grid(slices.stored())
    one[0x0065, 0x1050].value = "10"
    with pytest.raises(SeriesError, match="a grid of 10 slices does not fit into 16 x 30 pixels"):
        read_series(slices.save([one], tmp_path))


@pytest.mark.parametrize("count", ["1", "0", "many", "1e9"])
def test_a_count_that_is_none_makes_no_grid(tmp_path: Path, count: Any) -> None:
    (one,) = slices.headers(slices.stored((1, 8, 10)))
    block = one.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x50, "LO", count)
    (read,) = read_series(slices.save([one], tmp_path))
    assert read.volume.data.shape == (10, 8, 1)
