"""Frames at one position: what tells them apart, in the headers of several vendors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slices
from pydicom.dataset import FileDataset

from mmmed.errors import SeriesError
from mmmed.readers.dicom.series import Refusal, SeriesVolume, read_series, read_stacks

ONE_SERIES = {"SeriesInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.2.4"}
PIXELS = [slices.stored(seed=1), slices.stored(seed=2)]


def two(say: Callable[[FileDataset, int], Any]) -> list[FileDataset]:
    """Two stacks at the same positions and without numbers, told apart by what `say` writes."""
    return [
        header
        for place, pixels in enumerate(PIXELS)
        for header in slices.headers(pixels, InstanceNumber=None, **ONE_SERIES)
        if say(header, place) is None
    ]


def private(creator: str, group: int, element: int, kind: str, *values: Any) -> Any:
    """Writes one of the values into a private element."""

    def say(header: FileDataset, place: int) -> None:
        block = header.private_block(group, creator, create=True)
        block.add_new(element, kind, values[place])

    return say


def standard(keyword: str, *values: Any) -> Any:
    """Writes one of the values under a keyword."""
    return lambda header, place: setattr(header, keyword, values[place])


SAID = {
    "b 0, b 1000": standard("DiffusionBValue", 0.0, 1000.0),
    "b 0, b 700": private("GEMS_PARM_01", 0x43, 0x39, "IS", [0, 8, 0, 0], [1000000700, 8, 0, 0]),
    "b 50, b 800": private("Philips Imaging DD 001", 0x2001, 0x03, "FL", 50.0, 800.0),
    "b 5, b 900": private("SIEMENS MR HEADER", 0x19, 0x0C, "IS", 5, 900),
    "b 1, b 600": private("Image Private Header", 0x65, 0x09, "FD", 1.0, 600.0),
    "direction 1, direction 2": standard("DiffusionGradientOrientation", [0, 0, 1.0], [1.0, 0, 0]),
    "magnitude, phase": private("GEMS_PARM_01", 0x43, 0x2F, "SS", 0, 1),
    "imaginary, real": standard("ComplexImageComponent", "IMAGINARY", "REAL"),
    "M_FFE magnitude, PHASE MAP phase": standard(
        "ImageType",
        ["ORIGINAL", "PRIMARY", "M_FFE", "M"],
        ["ORIGINAL", "PRIMARY", "PHASE MAP", "P"],
    ),
    "echo 1, echo 2": standard("EchoTime", "4.9", "12.3"),
    "inversion 1, inversion 2": standard("InversionTime", "900", "1100"),
    "gate 1, gate 2": standard("TriggerTime", "80.5", "1080.5"),
    "frame 1, frame 2": standard("TemporalPositionIdentifier", "9", "10"),
    "coil 1, coil 2": standard("ReceiveCoilName", "HEA", "HEP"),
}


@pytest.mark.parametrize("labels", SAID)
def test_stacks_are_told_apart_by_what_their_headers_state(tmp_path: Path, labels: str) -> None:
    found = read_series(slices.save(two(SAID[labels]), tmp_path))
    assert ", ".join(one.label for one in found) == labels
    for one, pixels in zip(found, PIXELS, strict=True):
        np.testing.assert_array_equal(one.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)


def test_a_number_spelled_in_two_ways_is_one_value(tmp_path: Path) -> None:
    series = two(standard("EchoTime", "4.9", "12.3"))
    series[2].EchoTime = "4.900"
    assert [one.label for one in read_series(slices.save(series, tmp_path))] == ["echo 1", "echo 2"]


def test_a_private_number_counts_in_any_block_and_under_its_creator_alone(tmp_path: Path) -> None:
    series = two(standard("TemporalPositionIdentifier", 1, 2))
    for header in series:
        stranger = header.private_block(0x2001, "SOMEBODY ELSE", create=True)
        stranger.add_new(0x03, "FL", 7.0 + header.TemporalPositionIdentifier)
    found = read_series(slices.save(series, tmp_path / "stranger"))
    assert [one.label for one in found] == ["frame 1", "frame 2"]
    for header in series:
        block = header.private_block(0x2001, "Philips Imaging DD 001", create=True)
        block.add_new(0x03, "FL", 100.0 * header.TemporalPositionIdentifier)
    found = read_series(slices.save(series, tmp_path / "philips"))
    assert [one.label for one in found] == ["b 100", "b 200"]


def test_two_slabs_behind_one_another_are_stacks_of_their_own(tmp_path: Path) -> None:
    far = slices.headers(PIXELS[1], origin=(-20.0, -30.0, 140.0), StackID="2", **ONE_SERIES)
    near = slices.headers(PIXELS[0], StackID="1", **ONE_SERIES)
    found = read_series(slices.save([*near, *far], tmp_path))
    assert [one.label for one in found] == ["stack 1", "stack 2"]
    assert [float(one.volume.affine[2, 3]) for one in found] == [40.0, 140.0]


def test_stacks_whose_slices_alternate_are_one(tmp_path: Path) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels)
    for place, header in enumerate(series):
        header.StackID = str(place % 2)
    (read,) = read_series(slices.save(series, tmp_path))
    np.testing.assert_array_equal(read.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)


def test_a_slice_that_names_no_frame_of_reference_belongs_to_the_others(tmp_path: Path) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels)
    del series[3].FrameOfReferenceUID
    (read,) = read_series(slices.save(series, tmp_path))
    np.testing.assert_array_equal(read.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)


def test_stacks_in_different_frames_of_reference_are_never_one(tmp_path: Path) -> None:
    """Positions of one are not positions of the other, though they seem to go on."""
    pixels = slices.stored()
    series = slices.headers(pixels)
    for header in series[3:]:
        header.FrameOfReferenceUID = "1.2.99"
    found = read_series(slices.save(series, tmp_path))
    assert [one.label for one in found] == ["axial 1", "axial 2"]


def test_positions_of_echoes_that_differ_by_a_hair_are_one_place(tmp_path: Path) -> None:
    series = two(standard("EchoTime", "4.9", "12.3"))
    for header in series[6:]:
        header.ImagePositionPatient[2] += 0.02
    assert [one.label for one in read_series(slices.save(series, tmp_path))] == ["echo 1", "echo 2"]


def beside(shift: float, **common: float) -> list[FileDataset]:
    """Two stacks of two echoes, the second shifted along its rows."""
    one, two = (
        slices.headers(
            pixels,
            origin=(0.04 + place * shift, *slices.ORIGIN[1:]),
            EchoTime=4.9 * (place + 1),
            **ONE_SERIES,
            **common,
        )
        for place, pixels in enumerate(PIXELS)
    )
    return [*one, *two]


@pytest.mark.parametrize("shift", [0.02, 0.1, 1.2])
def test_stacks_shifted_by_less_than_a_pixel_are_no_stations(tmp_path: Path, shift: float) -> None:
    """0.04 and 0.06 mm are 0 and 0.1 where they are rounded; pixels are 1.25 mm wide."""
    found = read_series(slices.save(beside(shift), tmp_path / "whole"))
    assert [one.label for one in found] == ["echo 1", "echo 2"]
    _, cut = read_stacks(slices.save(beside(shift)[:-1], tmp_path / "cut"))
    assert isinstance(cut, Refusal)
    assert "1 slices are missing that its siblings have" in cut.reason


def test_stacks_beside_one_another_are_stations_and_need_not_be_of_one_length(
    tmp_path: Path,
) -> None:
    found = read_series(slices.save(beside(100.0)[:-1], tmp_path))
    assert [one.label for one in found] == ["station 1", "station 2"]
    assert found[1].notes == ("1 slices fewer than the longest of its siblings",)


@pytest.mark.parametrize("step", [0.04, 0.01])
def test_thin_slices_make_one_volume(tmp_path: Path, step: float) -> None:
    pixels = slices.stored()
    (read,) = read_series(slices.save(slices.headers(pixels, step=step), tmp_path))
    np.testing.assert_array_equal(read.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)
    np.testing.assert_allclose(np.linalg.norm(read.volume.affine[:3, 2]), step)


def test_thin_slices_of_two_echoes_make_two_volumes(tmp_path: Path) -> None:
    series = [
        header
        for echo, pixels in enumerate(PIXELS)
        for header in slices.headers(pixels, step=0.04, EchoTime=4.9 + echo, **ONE_SERIES)
    ]
    assert [one.label for one in read_series(slices.save(series, tmp_path))] == ["echo 1", "echo 2"]


def test_slices_that_may_be_thin_are_no_volumes_of_one_slice(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), step=0.04, SliceThickness=None)
    with pytest.raises(SeriesError, match=r"6 slices lie within 0\.2 mm"):
        read_series(slices.save(series, tmp_path))


@pytest.mark.parametrize("interleaved", [False, True])
def test_a_scan_that_was_stopped_keeps_the_time_points_that_it_finished(
    tmp_path: Path, interleaved: bool
) -> None:
    """Nothing but the numbers of its images tells its three time points apart."""
    times = [slices.stored(seed=seed) for seed in range(3)]
    taken = [0, 2, 4, 1, 3, 5] if interleaved else list(range(6))
    series = [
        made[place]
        for made in (slices.headers(pixels, **ONE_SERIES) for pixels in times)
        for place in taken
    ]
    for number, header in enumerate(series):
        header.InstanceNumber = number + 1
        header.AcquisitionTime = f"{120000 + number}"
    one, two, cut = read_stacks(slices.save(series[:-2], tmp_path))
    for found, pixels in zip((one, two), times, strict=False):
        assert isinstance(found, SeriesVolume)
        np.testing.assert_array_equal(found.volume.data[::-1, ::-1].transpose(2, 1, 0), pixels)
    assert isinstance(cut, Refusal)
    assert "2 slices are missing that its siblings have" in cut.reason


def test_a_slice_that_was_taken_again_decides_nothing(tmp_path: Path) -> None:
    """It has the next number, but which of the two is right cannot be told."""
    series = slices.headers(slices.stored(seed=1), **ONE_SERIES)
    again = slices.headers(slices.stored(seed=2), **ONE_SERIES)[2]
    again.InstanceNumber = 7
    with pytest.raises(SeriesError, match="1 positions hold several of the 7 slices"):
        read_series(slices.save([*series, again], tmp_path))


def test_the_orientations_of_one_series_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmmed.readers.dicom.split.MOST_ORIENTATIONS", 4)
    series = slices.headers(slices.stored(), **ONE_SERIES)
    for place, header in enumerate(series):
        header.PixelSpacing = [1.0 + place, 1.0]
    with pytest.raises(SeriesError, match="more than 4 orientations and sizes among 6 slices"):
        read_series(slices.save(series, tmp_path))
