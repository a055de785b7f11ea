"""Compressed frames: taken out of their fragments, held against the header, decoded by pydicom.

fragment    a piece of the encapsulated pixel data (PS3.5, A.4); a frame may take several
codestream  one compressed frame; JPEG, JPEG-LS and JPEG 2000 state their own size, which is what a
            decoder takes memory for, so it is compared with the header's first

Decoders are pydicom's plugins: openjpeg, pyjpegls, GDCM, and GDCM itself for JPEG of 12 bits; all
under permissive licences.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
from pydicom.config import IGNORE
from pydicom.encaps import (
    encapsulate,
    generate_fragments,
    generate_frames,
    parse_basic_offsets,
)
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000MC,
    UID,
    JPEG2000MCLossless,
    JPEG2000TransferSyntaxes,
    JPEGExtended12Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
    UncompressedTransferSyntaxes,
)

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom import jpeg12
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.frame import Stored
from mmmed.readers.dicom.line import one_line
from mmmed.readers.silence import silent

ROOM = 64 << 10
"""Bytes that a codestream may take beyond twice its native size: headers, tables, incompressible
noise."""


DECODED = frozenset(
    {
        *UncompressedTransferSyntaxes,
        *JPEGTransferSyntaxes,
        *JPEGLSTransferSyntaxes,
        *JPEG2000TransferSyntaxes,
        RLELossless,
    }
) - {JPEG2000MC, JPEG2000MCLossless}
"""Transfer syntaxes that pydicom has a decoder for: of JPEG 2000 not its second part."""

_UNDECODABLE: tuple[type[Exception], ...] = (MemoryError, *DAMAGED)

_ITEM = b"\xfe\xff\x00\xe0"
_NO_TABLE = _ITEM + bytes(4)
"""How a fragment begins, and an empty table of offsets (PS3.5, A.4)."""

_SIZE = b"\xff\x4f\xff\x51"
"""How a JPEG 2000 codestream begins: SOC, SIZ (ISO/IEC 15444-1, A.4 and A.5)."""

_JPEG_START = b"\xff\xd8"
"""SOI (ITU-T T.81, B.1)."""

_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
"""The markers of JPEG (ITU-T T.81, B.1) and JPEG-LS (T.87) that state the size of a frame."""


def check_syntax(stored: Stored) -> None:
    """The transfer syntax is one that is decoded.

    Raises:
        SeriesError: it is not.
    """
    uid = _uid(stored)
    if uid not in DECODED:
        raise SeriesError(
            f"{stored.elements.path}: its transfer syntax (0002,0010), "
            f"{one_line(uid.name, longest=80)!r}, is not read; export it uncompressed"
        )


def split(stored: Stored, value: bytes) -> list[bytes]:
    """The codestreams in the encapsulated pixel data `value`, one per frame of the file.

    As many fragments as frames are the frames, whatever the table of offsets says. Where a frame
    takes several, the table counts if it leads to codestreams, and else their end markers.

    Raises:
        DataError: damaged, fewer than the header states, or one of another size.
    """
    path, count = stored.elements.path, stored.frames
    if not value.startswith(_ITEM):
        raise DataError(
            f"{path}: its pixels are not in fragments, its head says that they are compressed "
            f"({_uid(stored).name}); export it again"
        )
    try:
        with silent():
            start, fragments = _fragments(value)
            frames = fragments if count > 1 else [b"".join(fragments)]
            if len(frames) > count:
                frames = _by_table(value, count) or _by_table(_NO_TABLE + value[start:], count)
    except _UNDECODABLE as error:
        raise DataError(f"{path}: damaged fragments ({_line(error)}); copy it again") from error
    if len(fragments) < count:
        raise DataError(
            f"{path}: truncated: {len(fragments)} of {count} compressed frames; copy it again"
        )
    if not frames:
        raise DataError(
            f"{path}: {count} frames in {len(fragments)} fragments, and nothing tells which belong "
            "together; export it again"
        )
    for place, frame in enumerate(frames):
        _check(stored, frame, place=place)
    return frames


def _fragments(value: bytes) -> tuple[int, list[bytes]]:
    """Where the fragments begin, and those that are not empty."""
    buffer = BytesIO(value)
    parse_basic_offsets(buffer)
    return buffer.tell(), [one for one in generate_fragments(buffer) if one]


def _by_table(value: bytes, count: int) -> list[bytes]:
    """The frames by the table of offsets, or their end markers where it is empty; [] if neither."""
    frames = list(generate_frames(value, number_of_frames=count))[:count]
    whole = len(frames) == count and all(map(_begins, frames))
    return frames if whole else []


def _begins(frame: bytes) -> bool:
    """Whether a codestream begins here; of RLE, a count of segments (PS3.5, G.5)."""
    return stated_size(frame) is not None or 1 <= int.from_bytes(frame[:4], "little") <= 15


def decode(stored: Stored, frame: bytes) -> np.ndarray:
    """One codestream as (rows, columns) integers, of the kind that the header says.

    Where the codestream has fewer bits than the header, negative values are not yet negative.

    Raises:
        DataError: damaged, or no decoder for its transfer syntax.
    """
    path, syntax = stored.elements.path, _uid(stored)
    precision = _precision(frame)
    if syntax == JPEGExtended12Bit and precision == jpeg12.BITS:
        return jpeg12.decode(
            frame,
            rows=stored.rows,
            columns=stored.columns,
            signed=stored.signed,
            where=str(path),
        )
    try:
        with silent():
            decoder: Any = get_decoder(syntax)  # its options carry no usable types
            array: np.ndarray = decoder.as_array(
                encapsulate([frame], has_bot=False),
                rows=stored.rows,
                columns=stored.columns,
                number_of_frames=1,
                samples_per_pixel=1,
                photometric_interpretation=stored.photometric,
                bits_allocated=8 if precision is not None and precision <= 8 else stored.allocated,
                bits_stored=precision or stored.bits,
                pixel_representation=int(stored.signed),
                pixel_keyword="PixelData",
                correct_unused_bits=False,
            )[0]
    except _UNDECODABLE as error:
        raise DataError(f"{path}: cannot be decoded from {syntax.name} ({_line(error)})") from error
    if array.shape != (stored.rows, stored.columns):
        raise DataError(f"{path}: decodes to {array.shape}, its header states otherwise")
    return array


def stated_size(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns that a codestream states of itself; None for one that states none (RLE)."""
    if frame.startswith(_JPEG_START):
        return _jpeg_size(frame)
    place = frame.find(_SIZE, 0, 1 << 12)
    if place < 0 or len(frame) < place + 24:
        return None
    columns, rows, left, top = struct.unpack_from(">4I", frame, place + 8)
    return rows - top, columns - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    place = _jpeg_frame(frame)
    if place is None:
        return None
    rows, columns = struct.unpack_from(">2H", frame, place + 5)
    return rows, columns


def _precision(frame: bytes) -> int | None:
    """Bits of a sample that a codestream of JPEG or JPEG-LS states; None for any other."""
    place = _jpeg_frame(frame) if frame.startswith(_JPEG_START) else None
    return None if place is None else frame[place + 4]


def _jpeg_frame(frame: bytes) -> int | None:
    """Where the header of a JPEG frame begins."""
    place = 2
    while place + 9 <= len(frame):
        if frame[place] != 0xFF:
            return None
        marker = frame[place + 1]
        if marker in _JPEG_FRAMES:
            return place
        alone = marker in (0x01, 0xFF) or 0xD0 <= marker <= 0xD8
        place += 1 if marker == 0xFF else 2 if alone else 2 + _length(frame, place + 2)
    return None


def _length(frame: bytes, place: int) -> int:
    return int.from_bytes(frame[place : place + 2], "big")


def _check(stored: Stored, frame: bytes, *, place: int) -> None:
    path = stored.elements.path
    native = stored.rows * stored.columns * (stored.allocated // 8)
    if len(frame) > 2 * native + ROOM:
        raise DataError(
            f"{path}: compressed frame {place + 1} takes {len(frame)} bytes, uncompressed it would "
            f"take {native}; export it again"
        )
    size = stated_size(frame)
    if size is None and stored.elements.syntax != RLELossless:
        raise DataError(f"{path}: compressed frame {place + 1} is damaged; copy it again")
    if size is not None and size != (stored.rows, stored.columns):
        raise DataError(
            f"{path}: compressed frame {place + 1} is {size[0]} x {size[1]}, the header states "
            f"{stored.rows} x {stored.columns}; export it again"
        )


def _uid(stored: Stored) -> UID:
    return UID(stored.elements.syntax, validation_mode=IGNORE)


def _line(error: BaseException) -> str:
    if "all available plugins" in str(error):
        return "no decoder makes sense of it"
    return " ".join(str(error).split())[:200] or type(error).__name__
