"""Compressed pixels: every transfer syntax, and every way of cutting frames into fragments."""

from __future__ import annotations

from io import BytesIO
from itertools import chain
from pathlib import Path

import codestreams
import enhanced
import numpy as np
import pytest
import slices
from codestreams import CODESTREAMS, IMAGE
from PIL import Image
from pydicom.pixels import get_decoder, get_encoder
from pydicom.uid import (
    HTJ2K,
    AllTransferSyntaxes,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from mmmed.errors import DataError
from mmmed.readers.dicom.codestream import DECODED
from mmmed.readers.dicom.series import read_series

TWELVE = {"BitsStored": 12, "HighBit": 11}


def has_decoder(syntax: str) -> bool:
    try:
        get_decoder(syntax)
    except NotImplementedError:
        return False
    return True


def test_syntaxes_that_are_decoded_are_those_that_pydicom_has_a_decoder_for() -> None:
    assert {one for one in AllTransferSyntaxes if has_decoder(one)} == DECODED


def first(paths: list[Path]) -> np.ndarray:
    """(slice, row, column) of an axial series, as it was stored."""
    (read,) = read_series(paths)
    return read.volume.data[::-1, ::-1].transpose(2, 1, 0)


def save(folder: Path, value: bytes, *, syntax: str, of: np.ndarray = IMAGE[None]) -> list[Path]:
    """One enhanced file with that pixel data, which is `of` these frames."""
    image = enhanced.image(of, enhanced.stack(len(of)), **TWELVE)
    image.PixelData = value
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True
    return slices.save([image], folder, syntax=syntax)


def encoded(pixels: np.ndarray, syntax: str, **options: int) -> bytes:
    """One frame by pydicom."""
    encoder = get_encoder(syntax)
    return encoder.encode(
        pixels,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=16,
        bits_stored=12,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        **options,
    )


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        *((f"predictor {number}", JPEGLossless) for number in range(1, 8)),
        ("predictor 1", JPEGLosslessSV1),
        ("htj2k", HTJ2KLossless),
        ("htj2k", HTJ2K),
    ],
)
def test_lossless_codestreams_of_other_programs_give_their_image(
    tmp_path: Path, name: str, syntax: str
) -> None:
    value = codestreams.encapsulated([CODESTREAMS[name]])
    np.testing.assert_array_equal(first(save(tmp_path, value, syntax=syntax))[0], IMAGE)


def test_jpeg_of_12_bits_with_loss_is_decoded_as_libjpeg_does_and_said(tmp_path: Path) -> None:
    value = codestreams.encapsulated([CODESTREAMS["lossy"]])
    paths = save(tmp_path, value, syntax=JPEGExtended12Bit)
    np.testing.assert_array_equal(first(paths)[0], codestreams.LOSSY)
    assert "compressed with loss" in " ".join(read_series(paths)[0].notes)


@pytest.mark.parametrize("kept", [20, 150, 290])
def test_a_jpeg_of_12_bits_that_is_cut_is_refused(tmp_path: Path, kept: int) -> None:
    value = codestreams.encapsulated([CODESTREAMS["lossy"][:kept]])
    with pytest.raises(DataError, match="damaged"):
        read_series(save(tmp_path, value, syntax=JPEGExtended12Bit))


def test_jpeg_ls_near_lossless_is_within_its_bound(tmp_path: Path) -> None:
    value = codestreams.encapsulated([encoded(IMAGE, JPEGLSNearLossless, jls_error=3)])
    found = first(save(tmp_path, value, syntax=JPEGLSNearLossless))[0]
    assert 0 < np.abs(found - IMAGE).max() <= 3


PARTS = slices.stored((3, 32, 41))
"""Three frames; an encoder of JPEG 2000 wants 32 rows."""

SYNTAXES = [JPEG2000Lossless, JPEGLSLossless, RLELossless]


def cut(frame: bytes, count: int) -> list[bytes]:
    """A frame in fragments of even length."""
    size = -(-len(frame) // count)
    size += size % 2
    return [frame[start : start + size] for start in range(0, len(frame), size)]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("table", ["none", "right", "wrong", "zero", "short"])
def test_one_fragment_per_frame_is_the_frame_whatever_the_table_says(
    tmp_path: Path, syntax: str, table: str
) -> None:
    frames = [encoded(part, syntax) for part in PARTS]
    right = codestreams.offsets([[frame] for frame in frames])
    said = {"none": [], "right": right, "wrong": [5, 9, 1 << 30], "zero": [0, 0, 0], "short": [0]}
    value = codestreams.encapsulated(frames, offsets=said[table])
    found = first(save(tmp_path, value, syntax=syntax, of=PARTS))
    np.testing.assert_array_equal(found, PARTS)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("counts", [(2, 2, 2), (1, 4, 2)])
def test_several_fragments_per_frame_belong_together_by_the_table(
    tmp_path: Path, syntax: str, counts: tuple[int, ...]
) -> None:
    frames = [encoded(part, syntax) for part in PARTS]
    parts = [cut(frame, count) for frame, count in zip(frames, counts, strict=True)]
    value = codestreams.encapsulated(list(chain(*parts)), offsets=codestreams.offsets(parts))
    found = first(save(tmp_path, value, syntax=syntax, of=PARTS))
    np.testing.assert_array_equal(found, PARTS)


@pytest.mark.parametrize("table", [[], [4, 8, 12]])
def test_fragments_without_a_true_table_belong_together_by_their_end_markers(
    tmp_path: Path, table: list[int]
) -> None:
    frames = [cut(encoded(part, JPEG2000Lossless), 3) for part in PARTS]
    value = codestreams.encapsulated(list(chain(*frames)), offsets=table)
    found = first(save(tmp_path, value, syntax=JPEG2000Lossless, of=PARTS))
    np.testing.assert_array_equal(found, PARTS)


def test_fragments_of_rle_without_a_table_are_refused_because_nothing_ends_them(
    tmp_path: Path,
) -> None:
    frames = [cut(encoded(part, RLELossless), 2) for part in PARTS]
    value = codestreams.encapsulated(list(chain(*frames)))
    with pytest.raises(DataError, match="3 frames in 6 fragments, and nothing tells which"):
        read_series(save(tmp_path, value, syntax=RLELossless, of=PARTS))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_single_frame_takes_all_fragments_and_empty_ones_count_for_nothing(
    tmp_path: Path, syntax: str
) -> None:
    parts = cut(encoded(PARTS[0], syntax), 5)
    value = codestreams.encapsulated([*parts[:2], b"", *parts[2:], b""])
    found = first(save(tmp_path, value, syntax=syntax, of=PARTS[:1]))
    np.testing.assert_array_equal(found, PARTS[:1])


def test_a_missing_delimiter_and_bytes_behind_it_do_no_harm(tmp_path: Path) -> None:
    frames = [encoded(part, JPEG2000Lossless) for part in PARTS]
    for name, end in (("missing", b""), ("more", codestreams.END + bytes(64))):
        value = codestreams.encapsulated(frames, end=end)
        found = first(save(tmp_path / name, value, syntax=JPEG2000Lossless, of=PARTS))
        np.testing.assert_array_equal(found, PARTS)


def test_an_extended_table_of_offsets_changes_nothing(tmp_path: Path) -> None:
    frames = [encoded(part, JPEG2000Lossless) for part in PARTS]
    image = enhanced.image(PARTS, enhanced.stack(3), **TWELVE)
    image.PixelData = codestreams.encapsulated(frames)
    image["PixelData"].is_undefined_length = True
    places = codestreams.offsets([[frame] for frame in frames])
    image.ExtendedOffsetTable = np.array(places, "<u8").tobytes()
    image.ExtendedOffsetTableLengths = np.array(list(map(len, frames)), "<u8").tobytes()
    found = first(slices.save([image], tmp_path, syntax=JPEG2000Lossless))
    np.testing.assert_array_equal(found, PARTS)


def test_fewer_fragments_than_frames_are_called_truncated(tmp_path: Path) -> None:
    frames = [encoded(part, JPEG2000Lossless) for part in PARTS[:2]]
    value = codestreams.encapsulated(frames)
    with pytest.raises(DataError, match="truncated: 2 of 3 compressed frames"):
        read_series(save(tmp_path, value, syntax=JPEG2000Lossless, of=PARTS))


@pytest.mark.parametrize(
    ("name", "syntax"), [("predictor 1", JPEGLosslessSV1), ("htj2k", HTJ2KLossless)]
)
def test_values_beyond_the_stated_bits_are_refused_and_never_cut(
    tmp_path: Path, name: str, syntax: str
) -> None:
    image = enhanced.image(IMAGE[None], enhanced.stack(1), BitsStored=10, HighBit=9)
    image.PixelData = codestreams.encapsulated([CODESTREAMS[name]])
    image["PixelData"].is_undefined_length = True
    text = f"holds values from {IMAGE.min()} to {IMAGE.max()}, beyond the 10 bits"
    with pytest.raises(DataError, match=text):
        read_series(slices.save([image], tmp_path, syntax=syntax))


def test_a_codestream_of_fewer_bits_than_the_header_states_is_read(tmp_path: Path) -> None:
    """A JPEG of 8 bits in a file that states 12 of 16."""
    grey = (PARTS[0] >> 4).astype(np.uint8)
    packed = BytesIO()
    Image.fromarray(grey).save(packed, "jpeg", quality=100)
    value = codestreams.encapsulated([packed.getvalue()])
    found = first(save(tmp_path, value, syntax=JPEGBaseline8Bit, of=PARTS[:1]))
    np.testing.assert_array_equal(found[0], np.asarray(Image.open(packed)))


def test_negative_values_of_12_bits_survive_a_codestream_that_knows_no_sign(
    tmp_path: Path,
) -> None:
    """Lossless JPEG has unsigned samples alone (PS3.5, 8.2.1): the header says what they mean."""
    common = {**TWELVE, "PixelRepresentation": 1}
    image = enhanced.image(IMAGE[None], enhanced.stack(1), **common)
    image.PixelData = codestreams.encapsulated([CODESTREAMS["predictor 1"]])
    image["PixelData"].is_undefined_length = True
    found = first(slices.save([image], tmp_path, syntax=JPEGLosslessSV1))[0]
    np.testing.assert_array_equal(found, np.where(IMAGE > 2047, IMAGE.astype(int) - 4096, IMAGE))
