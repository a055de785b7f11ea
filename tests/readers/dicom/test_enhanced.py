"""Enhanced files; highdicom converts classic series into them, and reads them for comparison."""

from __future__ import annotations

import warnings
from pathlib import Path

import highdicom
import nibabel as nib
import numpy as np
import pytest
import slices
from highdicom.legacy import LegacyConvertedEnhancedMRImage
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from mmmed.errors import SeriesError
from mmmed.readers.dicom.series import read_series

COMMON = {
    "StudyDate": "20200101",
    "StudyTime": "120000",
    "SeriesDate": "20200101",
    "SeriesTime": "120000",
    "PatientName": None,
    "Manufacturer": "x",
    "AccessionNumber": "",
    "StudyID": "",
    "PatientBirthDate": "",
    "PatientSex": "",
    "ReferringPhysicianName": "",
    "ContentDate": "20200101",
    "ContentTime": "120000",
    "SeriesNumber": 1,
}


def converted(classic: list[FileDataset]) -> FileDataset:
    """A series as one legacy-converted enhanced file."""
    for one in classic:
        one.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on attributes that need not be there
        return LegacyConvertedEnhancedMRImage(classic, generate_uid(), 2, generate_uid(), 1)


def test_a_converted_series_equals_the_classic_one_with_rescale_per_frame(tmp_path: Path) -> None:
    """MONAI gives enhanced files an identity affine."""
    series = slices.headers(slices.stored(), RescaleIntercept="-2", **COMMON)
    for place, one in enumerate(series):
        one.RescaleSlope = f"{place + 1}.5"
        one.PatientName = ""
    enhanced = converted(series)
    (read,) = read_series(slices.save([enhanced], tmp_path / "enhanced"))
    (classic,) = read_series(slices.save(series, tmp_path / "classic"))
    np.testing.assert_allclose(read.volume.affine, classic.volume.affine, atol=1e-9)
    np.testing.assert_array_equal(read.volume.data, classic.volume.data)


def test_an_enhanced_file_lies_where_highdicom_finds_it(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), PatientPosition="HFS", **COMMON)
    for one in series:
        one.PatientName = ""
    (path,) = slices.save([converted(series)], tmp_path)
    (read,) = read_series([path])
    theirs = highdicom.imread(path).get_volume()
    affine = np.diag([-1.0, -1, 1, 1]) @ theirs.affine
    wanted = nib.as_closest_canonical(nib.Nifti1Image(theirs.array.astype(float), affine))
    np.testing.assert_allclose(read.volume.affine, wanted.affine, atol=1e-6)
    np.testing.assert_array_equal(read.volume.data, wanted.get_fdata())


def test_an_enhanced_file_without_frame_of_reference_is_read(tmp_path: Path) -> None:
    """highdicom refuses it."""
    series = slices.headers(slices.stored(), **COMMON)
    for one in series:
        one.PatientName = ""
    enhanced = converted(series)
    del enhanced.FrameOfReferenceUID
    (read,) = read_series(slices.save([enhanced], tmp_path))
    assert read.volume.data.shape == (10, 8, 6)


def test_a_file_that_describes_fewer_frames_than_it_states_is_refused(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), **COMMON)
    for one in series:
        one.PatientName = ""
    enhanced = converted(series)
    enhanced.PerFrameFunctionalGroupsSequence = enhanced.PerFrameFunctionalGroupsSequence[:-1]
    with pytest.raises(SeriesError, match="states 6 frames and describes 5"):
        read_series(slices.save([enhanced], tmp_path))
