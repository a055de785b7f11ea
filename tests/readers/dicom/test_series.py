"""Files of a series -> volumes."""

from __future__ import annotations

import copy
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import slices

from mmmed.errors import DataError, GeometryError, SeriesError
from mmmed.readers.dicom.series import Refusal, SeriesVolume, read_series, read_stacks

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
    series = slices.echoes(pixels)
    found = read_series(slices.save(series, tmp_path))
    assert [one.label for one in found] == ["echo 1", "echo 2"]
    for one, array in zip(found, pixels, strict=True):
        wanted = expected(array, slices.affine())
        np.testing.assert_array_equal(one.volume.data, wanted.get_fdata())


def test_time_points_are_not_stacked_into_one_volume(tmp_path: Path) -> None:
    """SimpleITK makes one volume of twice the slices."""
    times = [slices.stored(seed=seed) for seed in (1, 2)]
    series = slices.echoes(times)
    for number, one in enumerate(series):
        del one.EchoNumbers, one.EchoTime
        one.InstanceNumber = number + 1
        one.AcquisitionTime = f"1200{number:02d}"
    found = read_series(slices.save(series, tmp_path))
    assert [one.label for one in found] == ["frame 1", "frame 2"]
    for one, array in zip(found, times, strict=True):
        wanted = expected(array, slices.affine()).get_fdata()
        np.testing.assert_array_equal(one.volume.data, wanted)


def test_a_time_point_that_lacks_slices_is_refused_and_the_whole_one_read(tmp_path: Path) -> None:
    series = slices.echoes([slices.stored(seed=1), slices.stored(seed=2)])[:-2]
    good, bad = read_stacks(slices.save(series, tmp_path))
    assert isinstance(good, SeriesVolume)
    assert isinstance(bad, Refusal)
    assert "2 slices are missing that its siblings have" in bad.reason
    assert "echo 2: 2 slices are missing" in only(slices.save(series, tmp_path)).notes[0]


def test_the_header_of_every_slice_is_there_when_asked_for(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), RepetitionTime="2000")
    read = only(slices.save(series, tmp_path))
    assert [one.RepetitionTime for one in read.headers] == [2000] * 6
    assert [one.InstanceNumber for one in read.headers] == [1, 2, 3, 4, 5, 6]


def test_copies_of_a_file_are_left_out_and_said_so(tmp_path: Path) -> None:
    series = slices.headers(slices.stored())
    read = only(slices.save([*series, series[2]], tmp_path))
    assert read.volume.data.shape == (10, 8, 6)
    assert read.notes == ("1 duplicates left out",)


def test_a_resent_slice_with_an_uid_of_its_own_is_left_out(tmp_path: Path) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels)
    again = slices.headers(pixels)[2]
    again.SeriesInstanceUID = series[0].SeriesInstanceUID
    again.FrameOfReferenceUID = series[0].FrameOfReferenceUID
    read = only(slices.save([*series, again], tmp_path))
    assert read.notes == ("1 duplicates left out",)


def test_two_slices_at_one_position_that_differ_are_refused(tmp_path: Path) -> None:
    series = slices.headers(slices.stored())
    other = slices.headers(slices.stored(seed=9))[2]
    other.SeriesInstanceUID = series[0].SeriesInstanceUID
    other.FrameOfReferenceUID = series[0].FrameOfReferenceUID
    with pytest.raises(SeriesError, match="1 positions hold several of the 7 slices"):
        read_series(slices.save([*series, other], tmp_path))


def test_different_images_with_one_instance_uid_are_refused(tmp_path: Path) -> None:
    series = slices.headers(slices.stored())
    series[1].SOPInstanceUID = series[0].SOPInstanceUID
    with pytest.raises(SeriesError, match="different images with the instance UID"):
        read_series(slices.save(series, tmp_path))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PixelSpacing", [2.0, 2.0]),
        ("ImageOrientationPatient", [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
    ],
)
def test_one_instance_uid_with_two_geometries_is_no_copy(
    tmp_path: Path, keyword: str, value: list[float]
) -> None:
    series = slices.headers(slices.stored())
    again = copy.deepcopy(series[2])
    setattr(again, keyword, value)
    with pytest.raises(SeriesError, match="different images with the instance UID"):
        read_series(slices.save([*series, again], tmp_path))


def test_files_of_two_series_or_two_patients_are_refused(tmp_path: Path) -> None:
    series = slices.headers(slices.stored())
    series[0].SeriesInstanceUID = "1.2.3"
    with pytest.raises(SeriesError, match="2 values; files of 2 series"):
        read_series(slices.save(series, tmp_path))
    series = slices.headers(slices.stored())
    series[0].PatientID = "Doe^Jane"
    with pytest.raises(SeriesError, match="files of 2 patients") as caught:
        read_series(slices.save(series, tmp_path))
    assert "Doe" not in str(caught.value)


def test_a_tilt_by_whole_pixels_is_undone_exactly(tmp_path: Path) -> None:
    """SimpleITK and MONAI drop the tilt: every slice lands at the wrong height."""
    pixels = slices.stored()
    series = slices.headers(pixels, step=(0.0, -2 * slices.SPACING[0], slices.STEP))
    read = only(slices.save(series, tmp_path))
    assert "gantry tilt undone by whole pixels: -2 rows, 0 columns a slice" in read.notes
    inverse = np.linalg.inv(read.volume.affine)
    for place, one in enumerate(series):
        lps = np.array([float(value) for value in one.ImagePositionPatient])
        lps += [3 * slices.SPACING[1], 4 * slices.SPACING[0], 0]
        index = inverse @ [-lps[0], -lps[1], lps[2], 1]
        np.testing.assert_allclose(index, index.round(), atol=1e-9)
        assert read.volume.data[tuple(index[:3].round().astype(int))] == pixels[place, 4, 3]


def test_a_tilt_by_parts_of_pixels_is_refused_with_its_angle(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), step=(0.0, 0.8, 3.0))
    with pytest.raises(GeometryError, match=r"6 slices are tilted by 14\.93 degrees"):
        read_series(slices.save(series, tmp_path))


def test_a_slice_of_another_orientation_is_refused_and_the_rest_read(tmp_path: Path) -> None:
    series = slices.headers(slices.stored())
    series[-1].ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    good, bad = read_stacks(slices.save(series, tmp_path))
    assert isinstance(good, SeriesVolume)
    assert good.label == "axial"
    assert isinstance(bad, Refusal)
    assert "one slice alone in its orientation" in bad.reason


def test_a_single_slice_is_as_thick_as_stated(tmp_path: Path) -> None:
    (header,) = slices.headers(slices.stored((1, 8, 10)), step=5.0, SliceThickness="5")
    header.SliceThickness = "5"
    read = only(slices.save([header], tmp_path))
    assert read.notes == ("one slice, 5 mm thick as stated",)
    assert np.linalg.norm(read.volume.affine[:3, 2]) == pytest.approx(5)


def test_a_single_slice_without_thickness_says_what_stands_for_it(tmp_path: Path) -> None:
    series = slices.headers(slices.stored((1, 8, 10)), SliceThickness=None)
    assert "1 mm stands for it" in only(slices.save(series, tmp_path)).notes[0]


def test_every_second_slice_missing_shows_in_numbers_and_spacing(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), SpacingBetweenSlices=slices.STEP)[::2]
    with pytest.raises(GeometryError, match="6 mm apart where 3 mm is stated"):
        read_series(slices.save(series, tmp_path))


def test_two_slices_whose_gap_nothing_states_are_refused(tmp_path: Path) -> None:
    series = slices.headers(slices.stored((2, 8, 10)), SliceThickness=None)
    with pytest.raises(GeometryError, match="two slices, 3 mm apart: nothing is stated"):
        read_series(slices.save(series, tmp_path))


def test_volumes_that_do_not_fit_together_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = slices.save(slices.echoes([slices.stored(seed=1), slices.stored(seed=2)]), tmp_path)
    monkeypatch.setattr("mmmed.readers.dicom.series.MOST", 3000)
    with pytest.raises(SeriesError, match="2 volumes of together"):
        read_series(paths)


def test_no_files_are_no_series() -> None:
    with pytest.raises(SeriesError, match="no files"):
        read_series([])


def test_a_file_that_is_no_dicom_is_named(tmp_path: Path) -> None:
    path = tmp_path / "page.dcm"
    path.write_text("<!doctype html>")
    with pytest.raises(DataError, match=r"page\.dcm: is a web page"):
        read_series([path])


def test_of_very_many_refused_stacks_a_message_names_the_first_few(tmp_path: Path) -> None:
    series = slices.echoes([slices.stored(seed=seed) for seed in range(12)])
    del series[2::6]
    with pytest.raises(GeometryError, match="and 4 more are refused") as caught:
        read_series(slices.save(series, tmp_path))
    assert str(caught.value).count("1 of 4 gaps") == 8


def test_acquisitions_at_places_of_their_own_need_not_be_of_one_length(tmp_path: Path) -> None:
    """Two slabs that overlap: six slices, and four of which two are beyond them."""
    one = slices.headers(slices.stored(seed=1), AcquisitionNumber=1)
    far = (*slices.ORIGIN[:2], slices.ORIGIN[2] + 4 * slices.STEP)
    two = slices.headers(slices.stored((4, 8, 10), seed=2), origin=far, AcquisitionNumber=2)
    for header in two:
        header.SeriesInstanceUID = one[0].SeriesInstanceUID
        header.FrameOfReferenceUID = one[0].FrameOfReferenceUID
    whole, shorter = read_series(slices.save([*one, *two], tmp_path))
    assert whole.notes == ()
    assert shorter.label == "acquisition 2"
    assert shorter.notes == ("2 slices fewer than the longest of its siblings",)


def test_a_time_series_by_acquisitions_lacks_what_one_of_them_lost(tmp_path: Path) -> None:
    """All cover the places of the first, so the slices that one has not were there once."""
    series = slices.echoes([slices.stored(seed=seed) for seed in range(3)])[:-2]
    for place, header in enumerate(series):
        del header.EchoNumbers, header.EchoTime
        header.AcquisitionNumber = place // 6 + 1
    *good, bad = read_stacks(slices.save(series, tmp_path))
    assert [one.label for one in good] == ["acquisition 1", "acquisition 2"]
    assert isinstance(bad, Refusal)
    assert "2 slices are missing that its siblings have" in bad.reason
