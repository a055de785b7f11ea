"""Siemens mosaics; SimpleITK and MONAI leave them folded."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import slices

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom.series import read_series


@pytest.mark.parametrize("upward", [True, False])
def test_tiles_become_slices_in_the_direction_that_siemens_states(
    tmp_path: Path, upward: bool
) -> None:
    pixels = slices.stored()
    (read,) = read_series(slices.save([slices.mosaic(pixels, upward=upward)], tmp_path))
    affine = slices.affine(step=slices.STEP if upward else -slices.STEP)
    wanted = nib.as_closest_canonical(nib.Nifti1Image(pixels.astype(float), affine))
    np.testing.assert_allclose(read.volume.affine, wanted.affine, atol=1e-9)
    np.testing.assert_array_equal(read.volume.data, wanted.get_fdata())


def test_a_mosaic_without_csa_header_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="Siemens mosaic whose CSA header"):
        read_series(slices.save([slices.mosaic(slices.stored(), csa=False)], tmp_path))


def test_a_damaged_csa_header_raises_nothing_unforeseen(tmp_path: Path) -> None:
    draw = random.Random(0)
    (path,) = slices.save([slices.mosaic(slices.stored())], tmp_path)
    whole = path.read_bytes()
    begin = whole.index(b"SV10")
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            damaged[begin + draw.randrange(4, 600)] = draw.randrange(256)
        path.write_bytes(damaged)
        with suppress(DataError):
            read_series([path])


def test_mosaics_that_follow_a_moving_head_are_volumes_of_their_own(tmp_path: Path) -> None:
    """Each lies 0.4 mm higher than the one before: no position is shared, and no gap is even."""
    volumes = [slices.stored(seed=seed) for seed in range(3)]
    series = [slices.mosaic(pixels) for pixels in volumes]
    for time, one in enumerate(series):
        one.SeriesInstanceUID, one.FrameOfReferenceUID = "1.2.3", "1.2.4"
        one.InstanceNumber = time + 1
        one.ImagePositionPatient[2] += 0.4 * time
    found = read_series(slices.save(series, tmp_path))
    assert [one.label for one in found] == ["frame 1", "frame 2", "frame 3"]
    for time, (one, pixels) in enumerate(zip(found, volumes, strict=True)):
        np.testing.assert_array_equal(one.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)
        assert one.volume.affine[2, 3] == pytest.approx(slices.ORIGIN[2] + 0.4 * time)
