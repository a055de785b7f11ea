"""Real series of several vendors against the NIfTI files that other programs made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from references import REFERENCES, SMALL, STS, coarseness, volumes

from mmmed.errors import DataError
from mmmed.readers.dicom.series import read_series


@pytest.mark.shared
@pytest.mark.parametrize(("files", "references"), REFERENCES, ids=lambda value: str(value)[-40:])
def test_voxels_and_affine_equal_the_reference(
    data: Path, files: str, references: tuple[str, ...]
) -> None:
    found = read_series(sorted(data.glob(files)))
    wanted = [image for name in references for image in volumes(data / name)]
    assert len(found) == len(wanted)
    for one, (array, affine) in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.volume.affine, affine, atol=1e-3)
        largest = abs(array).max() * coarseness(files)
        np.testing.assert_allclose(one.volume.data, array, rtol=2e-6, atol=largest)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (f"{SMALL}/failing/gantrytilting/001/*.dcm", r"4 slices are tilted by 14\.00 degrees"),
        (f"{SMALL}/failing/slicecount/001/*.dcm", "two slices, 1 mm apart: nothing is stated"),
        (f"{STS}/dicom/*/PET/image/*.dcm", "2 values; files of 2 series"),
        ("mr-nicom/dicom/0.dcm", "a mosaic of 48 slices does not fit into 256 x 256"),
        ("mr-nicom/dicom/csa_slice_norm.dcm", "holds no pixels"),
        ("dicom-odd-pydicom/test_files/MR_truncated.dcm", "truncated"),
        ("dicom-odd-pydicom/test_files/SC_rgb_rle.dcm", "is in colour"),
        ("dicom-odd-pydicom/test_files/liver_1frame.dcm", "1 bits"),
        ("dicom-odd-pydicom/test_files/rtplan.dcm", "holds no pixels"),
    ],
)
def test_what_is_no_volume_is_refused_with_the_true_reason(
    data: Path, files: str, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        read_series(sorted(data.glob(files)))


@pytest.mark.shared
def test_one_image_reads_the_same_from_every_way_of_writing_it(data: Path) -> None:
    """pydicom's MR_small in eight ways."""
    folder = data / "dicom-odd-pydicom" / "test_files"
    names = "MR_small", "MR_small_bigendian", "MR_small_implicit", "MR_small_RLE"
    packed = (
        "MR_small_jpeg_ls_lossless",
        "MR_small_jp2klossless",
        "MR_small_padded",
        "MR_small_expb",
    )
    read = [read_series([folder / f"{name}.dcm"])[0].volume for name in (*names, *packed)]
    for one in read[1:]:
        np.testing.assert_array_equal(one.data, read[0].data)
        np.testing.assert_allclose(one.affine, read[0].affine)


@pytest.mark.shared
def test_malformed_files_are_refused_or_read_but_never_raise_anything_else(data: Path) -> None:
    paths = [*(data / "dicom-fuzz").rglob("*"), *(data / "dicom-odd-pydicom").rglob("*")]
    read = 0
    for path in filter(Path.is_file, paths):
        try:
            read_series([path])
        except DataError:
            continue
        read += 1
    assert read > 10
