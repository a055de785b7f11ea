"""Stored pixels -> values: depths, signs, orders of bytes, and headers that lie."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
import slices
from pydicom import dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from mmmed.errors import DataError
from mmmed.readers.dicom import elements
from mmmed.readers.dicom.series import read_series


def first(paths: list[Path]) -> np.ndarray:
    """(slice, row, column) of an axial series, as it was stored."""
    (read,) = read_series(paths)
    return read.volume.data[::-1, ::-1].transpose(2, 1, 0)


def test_signed_values_of_12_bits_in_16_keep_their_sign(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(-2048, 2048, slices.SHAPE).astype(np.int16)
    series = slices.headers(pixels, BitsStored=12, HighBit=11)
    for one, plane in zip(series, pixels, strict=True):
        one.PixelData = (plane & 0x0FFF).astype(np.uint16).tobytes()
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), pixels)


def test_an_overlay_above_the_value_is_no_part_of_it(tmp_path: Path) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels | 0x8000, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), pixels)


def test_a_value_in_the_upper_bits_is_moved_down(tmp_path: Path) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels << 4, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), pixels)


def test_one_signed_slice_does_not_decide_for_the_others(tmp_path: Path) -> None:
    pixels = slices.stored().astype(np.uint16) + 60000
    series = slices.headers(pixels)
    series[0].PixelRepresentation = 1
    series[0].PixelData = np.full(slices.SHAPE[1:], -7, np.int16).tobytes()
    wanted = pixels.astype(float)
    wanted[0] = -7
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), wanted)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_little_endian_syntaxes_give_the_same_values(tmp_path: Path, syntax: str) -> None:
    pixels = slices.stored()
    np.testing.assert_array_equal(
        first(slices.save(slices.headers(pixels), tmp_path, syntax=syntax)), pixels
    )


def test_big_endian_gives_the_same_values(tmp_path: Path) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels)
    paths = []
    for place, (one, plane) in enumerate(zip(series, pixels, strict=True)):
        one.PixelData = plane.astype(">u2").tobytes()
        one["PixelData"].VR = "OW"
        one.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        paths.append(tmp_path / f"{place}.dcm")
        dcmwrite(paths[-1], one, implicit_vr=False, little_endian=False, force_encoding=True)
    np.testing.assert_array_equal(first(paths), pixels)


def test_gzipped_files_give_the_same_values(tmp_path: Path) -> None:
    pixels = slices.stored()
    paths = slices.save(slices.headers(pixels), tmp_path)
    for path in paths:
        path.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(first(paths), pixels)


def test_jpeg_2000_in_several_fragments_gives_the_same_values(tmp_path: Path) -> None:
    pixels = slices.stored((1, 64, 64))
    (one,) = slices.headers(pixels)
    one.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    one.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    from pydicom.encaps import encapsulate, generate_frames

    (frame,) = generate_frames(one.PixelData, number_of_frames=1)
    one.PixelData = encapsulate([frame], fragments_per_frame=3)
    one["PixelData"].is_undefined_length = True
    np.testing.assert_array_equal(
        first(slices.save([one], tmp_path, syntax=JPEG2000Lossless)), pixels
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"Rows": 30000, "Columns": 30000}, "truncated: its header states 1800000000 bytes"),
        ({"Rows": 0}, "Rows .* is 0"),
        ({"Rows": 30000, "Columns": 60000}, "Columns .* is 60000"),
        ({"NumberOfFrames": 5}, "5 frames without a geometry"),
        ({"BitsAllocated": 12}, "pixels of 16 bits up to bit 15 in 12"),
        ({"BitsStored": 16, "HighBit": 20}, "up to bit 20"),
        ({"SamplesPerPixel": 3}, "is in colour"),
        ({"RescaleSlope": "0"}, "RescaleSlope is 0"),
        ({"ImageOrientationPatient": [0.0] * 6}, "are not two unit vectors"),
        ({"ImageOrientationPatient": [1.0, 0, 0, 1, 0, 0]}, "are not two unit vectors"),
        ({"PixelSpacing": [0.0, 1.0]}, "PixelSpacing .* must be above 0"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient .* missing"),
    ],
)
def test_a_header_that_cannot_be_is_refused(
    tmp_path: Path, said: dict[str, object], reason: str
) -> None:
    series = slices.headers(slices.stored(), **said)
    with pytest.raises(DataError, match=reason):
        read_series(slices.save(series, tmp_path))


@pytest.mark.parametrize("slope", [b"NaN ", b"inf ", b"1,5 ", b"1_5 "])
def test_a_rescale_that_is_no_number_is_refused(tmp_path: Path, slope: bytes) -> None:
    paths = slices.save(slices.headers(slices.stored(), RescaleSlope="7.25"), tmp_path)
    paths[0].write_bytes(paths[0].read_bytes().replace(b"7.25", slope, 1))
    with pytest.raises(DataError, match=r"RescaleSlope .* is"):
        read_series(paths)


def test_a_rescale_beyond_float32_is_refused(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), RescaleSlope="9e99")
    with pytest.raises(DataError, match="beyond float32"):
        read_series(slices.save(series, tmp_path))


def test_the_scale_of_philips_turns_display_values_into_signal(tmp_path: Path) -> None:
    """Value = (stored * slope + intercept) / (slope * scale), by Chenevert et al., 2014."""
    pixels = slices.stored()
    series = slices.headers(pixels, RescaleSlope="4", RescaleIntercept="8")
    for one in series:
        block = one.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 0.5)
    wanted = (pixels * 4.0 + 8) / (4 * 0.5)
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), wanted)


def test_an_empty_repetition_time_and_thickness_do_no_harm(tmp_path: Path) -> None:
    """dicom2nifti fails on an empty repetition time."""
    pixels = slices.stored()
    series = slices.headers(pixels, RepetitionTime="", SliceThickness="", RescaleSlope="1")
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), pixels)


def test_a_file_cut_inside_its_pixels_is_refused(tmp_path: Path) -> None:
    paths = slices.save(slices.headers(slices.stored()), tmp_path)
    paths[2].write_bytes(paths[2].read_bytes()[:-50])
    with pytest.raises(DataError, match="truncated"):
        read_series(paths)


def test_a_codestream_of_another_size_is_not_decoded(tmp_path: Path) -> None:
    (one,) = slices.headers(slices.stored((1, 64, 64)))
    one.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    one.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg", generate_instance_uid=False)
    one.Rows = 32
    with pytest.raises(DataError, match="frame 1 is 64 x 64, the header states 32 x 64"):
        read_series(slices.save([one], tmp_path, syntax=JPEG2000Lossless))


def test_a_deflated_header_without_end_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment that inflates to 64 MiB: only as much as a header may take is inflated."""
    monkeypatch.setattr(elements, "LARGEST_HEADER", 1 << 20)
    (path,) = slices.save(slices.headers(slices.stored((1, 8, 10))), tmp_path)
    whole = path.read_bytes()
    end = whole.index(b"\x08\0\x08\0CS")
    head = whole[:end].replace(b"1.2.840.10008.1.2.1\0", DeflatedExplicitVRLittleEndian.encode())
    bomb = b"\x08\0\x05\0UT\0\0" + (64 << 20).to_bytes(4, "little") + bytes(64 << 20)
    packer = zlib.compressobj(wbits=-15)
    path.write_bytes(head + packer.compress(bomb) + packer.flush())
    with pytest.raises(DataError):
        read_series([path])


def test_pixels_of_one_sample_are_grey_where_nothing_else_is_stated(tmp_path: Path) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels, PhotometricInterpretation=None)
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), pixels)
