"""Compressed frames: taken out of their fragments, held against the header, decoded by pydicom.

fragment    a piece of the encapsulated pixel data (PS3.5, A.4); a frame may take several
codestream  one compressed frame; JPEG, JPEG-LS and JPEG 2000 state their own size, which is what a
            decoder takes memory for, so it is compared with the header's first

Decoders are pydicom's plugins: openjpeg, pyjpegls, GDCM, all under permissive licences.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, RLELossless

from mmmed.errors import DataError
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.frame import Stored
from mmmed.readers.silence import silent

ROOM = 64 << 10
"""Bytes that a codestream may take beyond twice its native size: headers, tables, incompressible
noise."""


_UNDECODABLE: tuple[type[Exception], ...] = (MemoryError, *DAMAGED)

_SIZE = b"\xff\x4f\xff\x51"
"""How a JPEG 2000 codestream begins: SOC, SIZ (ISO/IEC 15444-1, A.4 and A.5)."""

_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
"""The markers of JPEG (ITU-T T.81, B.1) and JPEG-LS (T.87) that state the size of a frame."""


def split(stored: Stored, value: bytes) -> list[bytes]:
    """The codestreams in the encapsulated pixel data `value`, one per frame of the file.

    Raises:
        DataError: damaged, fewer than the header states, or one of another size.
    """
    path = stored.elements.path
    try:
        with silent():
            frames = list(generate_frames(value, number_of_frames=stored.frames))
    except _UNDECODABLE as error:
        raise DataError(f"{path}: damaged fragments ({_line(error)}); copy it again") from error
    if len(frames) < stored.frames:
        raise DataError(
            f"{path}: truncated: {len(frames)} of {stored.frames} compressed frames; copy it again"
        )
    for place, frame in enumerate(frames[: stored.frames]):
        _check(stored, frame, place=place)
    return frames[: stored.frames]


def decode(stored: Stored, frame: bytes) -> np.ndarray:
    """One codestream as (rows, columns) integers, signed as the header says.

    Raises:
        DataError: damaged, or no decoder for its transfer syntax.
    """
    path, syntax = stored.elements.path, UID(stored.elements.syntax)
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
                bits_allocated=stored.allocated,
                bits_stored=stored.bits,
                pixel_representation=int(stored.signed),
                pixel_keyword="PixelData",
                correct_unused_bits=syntax != RLELossless,
            )[0]
    except _UNDECODABLE as error:
        raise DataError(f"{path}: cannot be decoded from {syntax.name} ({_line(error)})") from error
    if array.shape != (stored.rows, stored.columns):
        raise DataError(f"{path}: decodes to {array.shape}, its header states otherwise")
    return array


def stated_size(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns that a codestream states of itself; None for one that states none (RLE)."""
    if frame.startswith(b"\xff\xd8"):
        return _jpeg_size(frame)
    place = frame.find(_SIZE, 0, 1 << 12)
    if place < 0 or len(frame) < place + 24:
        return None
    columns, rows, left, top = struct.unpack_from(">4I", frame, place + 8)
    return rows - top, columns - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(frame):
        if frame[place] != 0xFF:
            return None
        marker = frame[place + 1]
        if marker in _JPEG_FRAMES:
            rows, columns = struct.unpack_from(">2H", frame, place + 5)
            return rows, columns
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


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
