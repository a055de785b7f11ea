"""Enhanced files; highdicom converts classic series into them, and reads them for comparison."""

from __future__ import annotations

import warnings
from pathlib import Path

import enhanced
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
    image = converted(series)
    (read,) = read_series(slices.save([image], tmp_path / "enhanced"))
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
    image = converted(series)
    del image.FrameOfReferenceUID
    (read,) = read_series(slices.save([image], tmp_path))
    assert read.volume.data.shape == (10, 8, 6)


def test_a_file_that_describes_fewer_frames_than_it_states_is_refused(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), **COMMON)
    for one in series:
        one.PatientName = ""
    image = converted(series)
    image.PerFrameFunctionalGroupsSequence = image.PerFrameFunctionalGroupsSequence[:-1]
    with pytest.raises(SeriesError, match="states 6 frames and describes 5"):
        read_series(slices.save([image], tmp_path))


ORDER = [7, 2, 11, 0, 5, 9, 1, 6, 10, 3, 8, 4]
"""Frames of two stacks in no order."""

PIXELS = [slices.stored(seed=1), slices.stored(seed=2)]


def said(group: str, attribute: str, *values: object) -> list[dict[str, dict[str, object]]]:
    """One functional group per stack."""
    return [{group: {attribute: value}} for value in values]


@pytest.mark.parametrize(
    ("labels", "stacks"),
    [
        ("b 0, b 1000", said("MRDiffusionSequence", "DiffusionBValue", 0.0, 1000.0)),
        ("echo 1, echo 2", said("MREchoSequence", "EffectiveEchoTime", 4.9, 9.8)),
        ("inversion 1, inversion 2", said("MRModifierSequence", "InversionTimes", [90.0], [99.0])),
        (
            "gate 1, gate 2",
            said("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", 5.0, 55.0),
        ),
        (
            "magnitude, phase",
            said("MRImageFrameTypeSequence", "ComplexImageComponent", "MAGNITUDE", "PHASE"),
        ),
        (
            "CONTROL, LABEL",
            said("MRArterialSpinLabelingSequence", "ASLContext", "CONTROL", "LABEL"),
        ),
        (
            "velocity 1, velocity 2",
            said("MRVelocityEncodingSequence", "VelocityEncodingMaximumValue", 50.0, 150.0),
        ),
        (
            "frame 1, frame 2",
            said("TemporalPositionSequence", "TemporalPositionTimeOffset", 2.5, 10.5),
        ),
        ("frame 1, frame 2", said("FrameContentSequence", "TemporalPositionIndex", 1, 2)),
        ("index 1, index 2", said("FrameContentSequence", "DimensionIndexValues", [9], [10])),
        ("index 1, index 2", said("FrameContentSequence", "DimensionIndexValues", [1, 4], [1, 8])),
    ],
)
def test_frames_in_no_order_are_dealt_by_what_their_groups_state(
    tmp_path: Path, labels: str, stacks: list[dict[str, dict[str, object]]]
) -> None:
    frames = [{**frame, **own} for own in stacks for frame in enhanced.stack()]
    pixels = np.concatenate(PIXELS)
    image = enhanced.image(pixels[ORDER], [frames[place] for place in ORDER])
    found = read_series(slices.save([image], tmp_path))
    assert ", ".join(one.label for one in found) == labels
    for one, wanted in zip(found, PIXELS, strict=True):
        np.testing.assert_array_equal(one.volume.data[::-1, ::-1].transpose(2, 1, 0), wanted)


def test_frames_that_nothing_tells_apart_are_dealt_by_their_order_only_where_it_has_one(
    tmp_path: Path,
) -> None:
    pixels, frames = np.concatenate(PIXELS), enhanced.stack() * 2
    by_place = [place + 6 * stack for place in range(6) for stack in (0, 1)]
    for name, order in (("by stack", list(range(12))), ("by place", by_place)):
        image = enhanced.image(pixels[order], [frames[place] for place in order])
        found = read_series(slices.save([image], tmp_path / name))
        for one, wanted in zip(found, PIXELS, strict=True):
            np.testing.assert_array_equal(one.volume.data[::-1, ::-1].transpose(2, 1, 0), wanted)
    image = enhanced.image(pixels[ORDER], [frames[place] for place in ORDER])
    with pytest.raises(SeriesError, match="nothing tells them apart"):
        read_series(slices.save([image], tmp_path / "no order"))


def test_two_stacks_of_one_file_may_lie_in_any_planes(tmp_path: Path) -> None:
    axial = [{**frame, "FrameContentSequence": {"StackID": "1"}} for frame in enhanced.stack()]
    coronal = [
        {
            "PlanePositionSequence": {"ImagePositionPatient": [-20.0, -30.0 + 3 * place, 140.0]},
            "PlaneOrientationSequence": {"ImageOrientationPatient": [1.0, 0, 0, 0, 0, -1.0]},
            "FrameContentSequence": {"StackID": "2"},
        }
        for place in range(6)
    ]
    frames = [*axial, *coronal]
    image = enhanced.image(np.concatenate(PIXELS)[ORDER], [frames[place] for place in ORDER])
    found = {one.label: one.volume for one in read_series(slices.save([image], tmp_path))}
    axial_volume = nib.Nifti1Image(PIXELS[0].astype(float), slices.affine())
    wanted = nib.as_closest_canonical(axial_volume)
    np.testing.assert_array_equal(found["axial"].data, wanted.get_fdata())
    # Row cosines +x, column cosines -z, slices along +y, origin (-20, -30, 140): by hand.
    coronal_pixels = found["coronal"].data[::-1, ::-1, ::-1].T  # (row, slice, column)
    np.testing.assert_array_equal(coronal_pixels, PIXELS[1].swapaxes(0, 1))


@pytest.mark.parametrize("slope", [2.0, -0.5, 1e-7])
@pytest.mark.parametrize("where", ["shared", "frame", "top"])
def test_a_rescale_counts_wherever_a_file_states_it(
    tmp_path: Path, where: str, slope: float
) -> None:
    pixels, frames, common = slices.stored(), enhanced.stack(), {}
    shared = dict(enhanced.SHARED)
    stated = {"RescaleSlope": f"{slope}", "RescaleIntercept": "3"}
    if where == "shared":
        shared["PixelValueTransformationSequence"] = stated
    elif where == "frame":
        frames = [{**one, "PixelValueTransformationSequence": stated} for one in frames]
    else:
        common = stated
    image = enhanced.image(pixels, frames, shared=shared, **common)
    (read,) = read_series(slices.save([image], tmp_path))
    wanted = (pixels * slope + 3).astype(np.float32)
    np.testing.assert_array_equal(read.volume.data[::-1, ::-1].transpose(2, 1, 0), wanted)


def test_groups_may_all_stand_with_the_frames(tmp_path: Path) -> None:
    pixels = slices.stored()
    frames = [{**enhanced.SHARED, **frame} for frame in enhanced.stack()]
    (read,) = read_series(slices.save([enhanced.image(pixels, frames, shared={})], tmp_path))
    np.testing.assert_array_equal(read.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)


def test_a_real_world_value_mapping_is_noted_and_not_applied(tmp_path: Path) -> None:
    pixels = slices.stored()
    mapping = {"RealWorldValueSlope": 3.0, "RealWorldValueIntercept": 0.0}
    shared = {**enhanced.SHARED, "RealWorldValueMappingSequence": mapping}
    image = enhanced.image(pixels, enhanced.stack(), shared=shared)
    (read,) = read_series(slices.save([image], tmp_path))
    assert "Real World Value Mapping is stated and not applied" in read.notes[0]
    np.testing.assert_array_equal(read.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)
