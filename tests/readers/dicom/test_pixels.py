"""Stored pixels -> values: depths, signs, orders of bytes, and headers that lie."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import slices
from pydicom import dcmread, dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from mmmed.errors import DataError, SeriesError
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
        ({"Rows": 30000, "Columns": 30000}, "describes 1800000000 bytes of pixels, 160 are in it"),
        ({"Rows": 0}, "Rows .* is 0"),
        ({"Rows": 30000, "Columns": 60000}, "Columns .* is 60000"),
        ({"NumberOfFrames": 5}, "5 frames without a geometry"),
        ({"BitsAllocated": 12}, "pixels of 16 bits up to bit 15 in 12"),
        ({"BitsStored": 16, "HighBit": 20}, "up to bit 20"),
        ({"SamplesPerPixel": 3}, "SamplesPerPixel .* is 3; grey pixels have one"),
        ({"SamplesPerPixel": 0}, "SamplesPerPixel .* is 0"),
        ({"PhotometricInterpretation": "RGB"}, "is in colour"),
        ({"PhotometricInterpretation": "GREY"}, "'GREY', which is not known"),
        ({"PixelRepresentation": 2}, "PixelRepresentation .* is 2"),
        ({"BitsStored": 0}, "pixels of 0 bits"),
        ({"Rows": None}, "Rows .* is missing"),
        ({"BitsAllocated": 32}, "describes 320 bytes of pixels, 160 are in it"),
        ({"NumberOfFrames": 10**9}, "states 1e[+]09 frames; 1 to 131072"),
        ({"NumberOfFrames": -5}, "states -5 frames"),
        ({"RescaleSlope": "0"}, "RescaleSlope is 0"),
        ({"ImageOrientationPatient": [0.0] * 6}, "are not two unit vectors"),
        ({"ImageOrientationPatient": [1.0, 0, 0, 1, 0, 0]}, "are not two unit vectors"),
        ({"PixelSpacing": [0.0, 1.0]}, "PixelSpacing .* is 0 and 1 mm"),
        ({"PixelSpacing": [1e-300, 1.0]}, "PixelSpacing .* is 1e-300 and 1 mm"),
        ({"PixelSpacing": [1.0, 1e300]}, "PixelSpacing .* is 1 and 1e[+]300 mm"),
        ({"ImagePositionPatient": [0.0, 0.0, 1e300]}, "0, 0, 1e[+]300 mm, which is no place"),
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


@pytest.mark.parametrize("strangers", [0, 2])
def test_the_scale_of_philips_turns_display_values_into_signal(
    tmp_path: Path, strangers: int
) -> None:
    """Value = (stored * slope + intercept) / (slope * scale), by Chenevert et al., 2014."""
    pixels = slices.stored()
    series = slices.headers(pixels, RescaleSlope="4", RescaleIntercept="8")
    for one in series:
        for number in range(strangers):
            one.private_block(0x2005, f"SOMEBODY {number}", create=True).add_new(0x0E, "FL", 9.0)
        block = one.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 0.5)
    wanted = (pixels * 4.0 + 8) / (4 * 0.5)
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), wanted)


@pytest.mark.parametrize("scale", [1e-40, 1e-45])
def test_a_scale_of_philips_that_leaves_no_finite_rescale_is_refused(
    tmp_path: Path, scale: float
) -> None:
    series = slices.headers(slices.stored(), RescaleSlope="1e-300", RescaleIntercept="1")
    for header in series:
        block = header.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", scale)
    with pytest.raises(DataError, match=r"with Philips' scale .* is not finite"):
        read_series(slices.save(series, tmp_path))


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


def cells(values: np.ndarray, *, allocated: int, bits: int, high: int) -> bytes:
    """Values in the bits that hold them, and chance in all others (PS3.5, 8.1.1)."""
    low = high + 1 - bits
    used = ((1 << bits) - 1) << low
    chance = np.random.default_rng(7).integers(0, 1 << allocated, values.shape)
    stored = (values.astype(np.int64) << low & used) | (chance & ~used)
    return stored.astype(f"<u{allocated // 8}").tobytes()


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("allocated", "bits", "high"),
    [
        (16, 10, 9),
        (16, 12, 11),
        (16, 14, 13),
        (16, 16, 15),
        (16, 8, 7),
        (16, 1, 0),
        (16, 12, 15),
        (16, 12, 13),
        (8, 8, 7),
        (8, 6, 5),
        (8, 7, 7),
        (32, 24, 23),
        (32, 16, 31),
    ],
)
def test_a_value_is_what_stands_in_its_bits_whatever_stands_beside_it(
    tmp_path: Path, allocated: int, bits: int, high: int, signed: bool
) -> None:
    least = -(1 << bits - 1) if signed else 0
    values = np.random.default_rng(0).integers(least, least + (1 << bits), (1, 8, 10))
    (header,) = slices.headers(
        np.zeros((1, 8, 10), np.uint16),
        BitsAllocated=allocated,
        BitsStored=bits,
        HighBit=high,
        PixelRepresentation=int(signed),
    )
    header.PixelData = cells(values, allocated=allocated, bits=bits, high=high)
    header["PixelData"].VR = "OB" if allocated == 8 else "OW"
    paths = slices.save([header], tmp_path)
    np.testing.assert_array_equal(first(paths), values)
    if high + 1 == bits and allocated == 16:  # SimpleITK takes HighBit for granted
        array = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(paths[0])))
        np.testing.assert_array_equal(array, values)


def test_values_that_do_not_stand_in_the_lowest_bits_are_noted(tmp_path: Path) -> None:
    series = slices.headers(slices.stored(), BitsStored=12, HighBit=15)
    (read,) = read_series(slices.save(series, tmp_path))
    assert "HighBit (0028,0102)" in read.notes[0]


def test_signed_and_unsigned_slices_of_one_stack_each_keep_their_sign(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-2048, 2048, slices.SHAPE).astype(np.int16)
    values[::2] = np.abs(values[::2])
    series = slices.headers(values)
    for header in series[::2]:
        header.PixelRepresentation = 0
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), values)


@pytest.mark.parametrize(
    ("keyword", "kind", "allocated"),
    [("FloatPixelData", "<f4", 32), ("DoubleFloatPixelData", "<f8", 64)],
)
def test_pixels_that_are_floating_point_are_read(
    tmp_path: Path, keyword: str, kind: str, allocated: int
) -> None:
    values = np.random.default_rng(0).normal(size=slices.SHAPE).astype(kind)
    series = slices.headers(slices.stored(), BitsAllocated=allocated, RescaleSlope="2")
    for header, plane in zip(series, values, strict=True):
        del header.PixelData, header.BitsStored, header.HighBit, header.PixelRepresentation
        setattr(header, keyword, plane.tobytes())
    wanted = (2.0 * values.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), wanted)


@pytest.mark.parametrize(
    ("keyword", "width", "allocated"),
    [("FloatPixelData", 4, 8), ("FloatPixelData", 4, 64), ("DoubleFloatPixelData", 8, 32)],
)
def test_floating_point_pixels_of_another_depth_than_their_element_are_refused(
    tmp_path: Path, keyword: str, width: int, allocated: int
) -> None:
    series = slices.headers(slices.stored(), BitsAllocated=allocated, BitsStored=None, HighBit=None)
    for header in series:
        del header.PixelData
        setattr(header, keyword, bytes(width * header.Rows * header.Columns))
    with pytest.raises(SeriesError, match=rf"{keyword} .* holds numbers of {8 * width} bits"):
        read_series(slices.save(series, tmp_path))


@pytest.mark.parametrize(
    ("allocated", "kind"), [(8, "OB"), (8, "OW"), (16, "OW"), (32, "OW"), (16, "OB")]
)
def test_big_endian_pixels_of_any_depth_are_those_that_pydicom_reads(
    tmp_path: Path, allocated: int, kind: str
) -> None:
    stored = slices.stored() % 256
    series = slices.headers(stored, BitsAllocated=allocated, BitsStored=8, HighBit=7)
    paths = []
    for place, (one, plane) in enumerate(zip(series, stored, strict=True)):
        raw = plane.astype(f">u{allocated // 8}").tobytes()
        in_words = (allocated, kind) == (8, "OW")
        one.PixelData = np.frombuffer(raw, "<u2").astype(">u2").tobytes() if in_words else raw
        one["PixelData"].VR = kind
        one.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        paths.append(tmp_path / f"{place}.dcm")
        dcmwrite(paths[-1], one, implicit_vr=False, little_endian=False, force_encoding=True)
    np.testing.assert_array_equal(first(paths), stored)
    np.testing.assert_array_equal(np.stack([dcmread(path).pixel_array for path in paths]), stored)


@pytest.mark.parametrize("slope", ["-2", "1e-9", "0.00000000123456"])
def test_a_slope_may_be_negative_or_tiny(tmp_path: Path, slope: str) -> None:
    pixels = slices.stored()
    series = slices.headers(pixels, RescaleSlope=slope, RescaleIntercept="0")
    wanted = (pixels * float(slope)).astype(np.float32)
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), wanted)


def test_a_slope_of_0_does_no_harm_where_every_pixel_is_0(tmp_path: Path) -> None:
    """Scanners write it for empty slices."""
    pixels = slices.stored()
    pixels[2] = 0
    series = slices.headers(pixels, RescaleSlope="1", RescaleIntercept="0")
    series[2].RescaleSlope = "0"
    np.testing.assert_array_equal(first(slices.save(series, tmp_path)), pixels)


def test_a_slope_of_0_costs_its_own_stack_alone(tmp_path: Path) -> None:
    series = slices.echoes([slices.stored(seed=1), slices.stored(seed=2)], RescaleSlope="1")
    series[8].RescaleSlope = "0"
    (good,) = read_series(slices.save(series, tmp_path))
    assert good.label == "echo 1"
    assert "echo 2: " in good.notes[0]
    assert "RescaleSlope is 0" in good.notes[0]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, "pixels of 1 bits up to bit 0 in 1;"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "is in colour"),
        ({"PhotometricInterpretation": "YBR_FULL", "SamplesPerPixel": 3}, "is in colour"),
        ({"HighBit": 10, "BitsStored": 12}, "pixels of 12 bits up to bit 10 in 16"),
    ],
)
def test_pixels_that_are_not_grey_whole_bytes_are_refused_by_name(
    tmp_path: Path, said: dict[str, object], reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        read_series(slices.save(slices.headers(slices.stored(), **said), tmp_path))


def test_pixels_of_unstated_sign_are_read_as_unsigned_and_that_is_said(tmp_path: Path) -> None:
    pixels = slices.stored() + 40000
    paths = slices.save(slices.headers(pixels, PixelRepresentation=None), tmp_path)
    np.testing.assert_array_equal(first(paths), pixels)
    assert "PixelRepresentation (0028,0103) is missing" in read_series(paths)[0].notes[0]
