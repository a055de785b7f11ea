"""Slices in a row: what may be off, and what that is called."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import slices
from edits import put
from pydicom.dataset import FileDataset
from pydicom.tag import Tag

from mmmed.errors import GeometryError, SeriesError
from mmmed.readers.dicom.series import SeriesVolume, read_series

MANY = (40, 8, 10)


def only(series: list[FileDataset], folder: Path) -> SeriesVolume:
    (volume,) = read_series(slices.save(series, folder))
    return volume


@pytest.mark.parametrize("place", [0, 3, 5])
def test_a_slice_that_is_shifted_within_its_plane_is_named(tmp_path: Path, place: int) -> None:
    """No gap shows it; SimpleITK and dcm2niix put it in line."""
    series = slices.headers(slices.stored())
    series[place].ImagePositionPatient[0] += 10
    with pytest.raises(GeometryError, match="is 10 mm off") as caught:
        read_series(slices.save(series, tmp_path))
    assert series[place].SOPInstanceUID in str(caught.value)


def test_gaps_that_grow_slowly_are_refused(tmp_path: Path) -> None:
    """From 3 to 3.1 mm: each is within 5 %, but slices come to lie 1.9 mm from where they were."""
    series = slices.headers(slices.stored(MANY))
    for place, header in enumerate(series):
        header.ImagePositionPatient[2] = 40 + 3 * place + 0.1 * max(0, place - 20)
    with pytest.raises(GeometryError, match="do not lie on one line of even steps"):
        read_series(slices.save(series, tmp_path))


def test_positions_with_one_decimal_make_even_steps(tmp_path: Path) -> None:
    """Steps of 0.9375 mm are written as 0.9 and 1.0."""
    series = slices.headers(slices.stored(MANY), step=0.9375)
    for header in series:
        header.ImagePositionPatient = [round(float(one), 1) for one in header.ImagePositionPatient]
    ends = [float(series[place].ImagePositionPatient[2]) for place in (0, -1)]
    assert only(series, tmp_path).volume.affine[2, 2] == pytest.approx((ends[1] - ends[0]) / 39)


def test_a_gap_is_seen_where_slices_are_thinner_than_rounding(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(MANY), step=0.1)
    del series[7]
    with pytest.raises(GeometryError, match="1 of 38 gaps"):
        read_series(slices.save(series, tmp_path))


def test_cosines_rounded_to_three_digits_are_no_tilt_and_positions_stay_true(
    tmp_path: Path,
) -> None:
    series = slices.headers(slices.stored((120, 8, 10)), step=(0.0, 0.002, 3.0))
    found = only(series, tmp_path)
    last = found.volume.affine @ [0, 7, 119, 1]
    x, y, z = (float(one) for one in series[-1].ImagePositionPatient)
    np.testing.assert_allclose(last[:3], [-x - 9 * 1.25, -y, z], atol=1e-6)


def test_positions_count_where_the_stated_spacing_contradicts_them_and_it_is_said(
    tmp_path: Path,
) -> None:
    found = only(slices.headers(slices.stored(), SpacingBetweenSlices="7"), tmp_path)
    assert found.volume.affine[2, 2] == pytest.approx(3)
    assert found.notes == ("slices are 3 mm apart, not 7 mm as SpacingBetweenSlices states",)


def test_the_sign_of_the_stated_spacing_is_no_contradiction(tmp_path: Path) -> None:
    assert only(slices.headers(slices.stored(), SpacingBetweenSlices="-3"), tmp_path).notes == ()


def rewritten(path: Path, keyword: str, text: str) -> None:
    """Another text in an element of an explicit file, of any length and form."""
    tag = Tag(keyword)
    head = struct.pack("<HH", tag.group, tag.element)
    content = path.read_bytes()
    start = content.index(head + b"DS")
    (length,) = struct.unpack_from("<H", content, start + 6)
    value = text.encode() + b" " * (len(text) % 2)
    changed = head + b"DS" + struct.pack("<H", len(value)) + value
    path.write_bytes(content[:start] + changed + content[start + 8 + length :])


@pytest.mark.parametrize(
    "text",
    [
        "-20.00000000000000000001\\-3.0E+01\\4e1",
        "-0020.0\\ -30. \\ +40",
        "-2.0e+001\\-30.000000\\40.0000000000000000000",
    ],
)
def test_numbers_may_be_longer_than_16_characters_and_in_any_decimal_form(
    tmp_path: Path, text: str
) -> None:
    series = slices.headers(slices.stored())
    paths = sorted(slices.save(series, tmp_path))
    rewritten(paths[0], "ImagePositionPatient", text)
    (read,) = read_series(paths)
    np.testing.assert_allclose(read.volume.affine[2, 3], 40)


@pytest.mark.parametrize(
    "text", ["-20,0\\-30,0\\40,0", "-20\\-30", "1e999\\0\\0", "a\\b\\c", "nan\\1\\1"]
)
def test_a_position_that_is_no_three_numbers_is_refused_with_its_text(
    tmp_path: Path, text: str
) -> None:
    paths = sorted(slices.save(slices.headers(slices.stored()), tmp_path))
    rewritten(paths[0], "ImagePositionPatient", text)
    with pytest.raises(
        SeriesError, match=r"slice-000.*ImagePositionPatient \(0020,0032\) is"
    ) as it:
        read_series(paths)
    assert repr(text) in str(it.value)


def test_a_slice_without_the_rescale_of_the_others_is_refused(tmp_path: Path) -> None:
    """Its values would be off by the slope; a slope of 1 is not taken for granted."""
    series = slices.headers(slices.stored(), RescaleSlope="2.5", RescaleIntercept="0")
    del series[4].RescaleSlope
    with pytest.raises(SeriesError, match=r"1 of 6 slices do not state RescaleSlope") as caught:
        read_series(slices.save(series, tmp_path))
    assert series[4].SOPInstanceUID in str(caught.value)


def test_a_stack_without_rescale_may_stand_beside_one_that_has_it(tmp_path: Path) -> None:
    """So some vendors write magnitude and phase."""
    series = slices.echoes([slices.stored(seed=1), slices.stored(seed=2)])
    for header in series[6:]:
        header.RescaleSlope, header.RescaleIntercept = "2", "-4096"
    plain, scaled = read_series(slices.save(series, tmp_path))
    assert (plain.volume.data.min() >= 0, scaled.volume.data.min() < 0) == (True, True)


def test_a_slice_without_the_scale_of_philips_that_the_others_have_is_refused(
    tmp_path: Path,
) -> None:
    series = slices.headers(slices.stored(), RescaleSlope="2.5", RescaleIntercept="0")
    for header in series[1:]:
        block = header.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 0.5)
    with pytest.raises(SeriesError, match=r"1 of 6 slices do not state Philips' scale"):
        read_series(slices.save(series, tmp_path))


@pytest.mark.parametrize(
    ("keyword", "value"), [("SpacingBetweenSlices", "1e-320"), ("InstanceNumber", "1e300")]
)
def test_a_hint_beyond_any_number_does_no_harm(tmp_path: Path, keyword: str, value: str) -> None:
    tag = {"SpacingBetweenSlices": 0x00180088, "InstanceNumber": 0x00200013}[keyword]
    paths = slices.save(slices.headers(slices.stored(), SpacingBetweenSlices="3"), tmp_path)
    for path in paths:
        path.write_bytes(put(tag, b"IS", value.encode())(path.read_bytes()))
    (read,) = read_series(paths)
    assert read.volume.data.shape == (10, 8, 6)
