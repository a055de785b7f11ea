"""The bytes of a DICOM file as a stream, whatever they are packed in.

head      what stands before the data set: 128 bytes, `DICM` and group 0002 (PS3.10, 7.1); old
          files may have none of it
data set  the elements from group 0008 on
packed    a file may be gzip'd as a whole, and its data set deflated (PS3.5, A.5)

A stream is read forward and only as far as it is asked: nothing is inflated that nobody wants.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from isal import igzip, isal_zlib

from mmmed.errors import DataError
from mmmed.readers.dicom.syntax import DEFLATED, LARGEST_HEAD, TRANSFER_SYNTAX
from mmmed.readers.dicom.walk import FIRST_STEP, Odd, Walk
from mmmed.readers.opening import impostor, opened

LARGEST_HEADER = 64 << 20
"""Bytes that may stand before the pixels; a private element of 10 MB is seen in the field."""

_DATA_SET = 0x00030000
_GZIP = b"\x1f\x8b"
_PREAMBLE, _MAGIC_END = 128, 132
_STEP = 1 << 16
_WITHOUT_HEAD = (b"\x02\0", b"\x04\0", b"\x08\0", b"\0\x08")
"""How a file without `DICM` begins: group 0002, 0004 or 0008, the last in either order of bytes."""

BROKEN: tuple[type[Exception], ...] = (
    EOFError,
    OSError,
    zlib.error,
    isal_zlib.error,  # type: ignore[assignment]  # its stub declares an instance
)
"""What reading raises over damaged or vanished content."""


@dataclass(frozen=True)
class Content:
    """A data set that can be read.

    Attributes:
        stream: stands at the first element; a deflated one cannot be sought in.
        syntax: the UID of the transfer syntax; '' where the file does not say it.
        start: where the data set begins in the stream; 0 in a deflated one.
        size: bytes of the file as it lies on the disk.
        packed: whether the bytes on the disk are others than those of the stream.
    """

    stream: BinaryIO
    syntax: str
    start: int
    size: int
    packed: bool


@contextmanager
def opened_content(path: Path) -> Iterator[Content]:
    """The data set of a file, inflated as it is read.

    Raises:
        DataError: no such file, empty, not DICOM; or, also inside the block, truncated or damaged.
    """
    with opened(path, broken=BROKEN) as (file, size):
        packed = _is_gzip(file.read(_MAGIC_END))
        file.seek(0)
        stream = _unzipped(file) if packed else file
        yield _begun(path, stream, size=size, packed=packed)


def beginning(file: BinaryIO) -> tuple[BinaryIO, bytes]:
    """A file that may be gzip'd as a stream, and the first bytes, behind which it stands."""
    data = file.read(FIRST_STEP)
    if not _is_gzip(data):
        return file, data
    file.seek(0)
    stream = _unzipped(file)
    return stream, stream.read(FIRST_STEP)


def inflated(packed: BinaryIO, *, begun: bytes = b"", whole: bool = True) -> BinaryIO:
    """A deflated data set (PS3.5, A.5), inflated as it is read.

    Args:
        packed: stands at its beginning, or behind `begun`.
        begun: what has been read of it already.
        whole: one that ends too early raises EOFError; else it ends there.
    """
    raw = _Inflating(packed, begun=begun, whole=whole)
    return cast("BinaryIO", io.BufferedReader(raw, _STEP))


def skip(stream: BinaryIO, count: int) -> None:
    """Goes `count` bytes forward in a stream of any kind; a shorter one stands at its end then."""
    if stream.seekable():
        stream.seek(count, os.SEEK_CUR)
        return
    while count > 0 and (got := len(stream.read(min(count, _STEP)))):
        count -= got


def foreign(start: bytes) -> str:
    """What a file that begins so, once unzipped, is instead of DICOM."""
    if _is_gzip(start):
        return "is gzip'd twice; unpack it once"
    return impostor(start) or "is no DICOM file"


def _is_gzip(start: bytes) -> bool:
    """Whether a file that begins so is gzip'd; before `DICM` may stand anything (PS3.10, 7.1)."""
    return start.startswith(_GZIP) and start[_PREAMBLE:_MAGIC_END] != b"DICM"


def _unzipped(file: BinaryIO) -> BinaryIO:
    stream: Any = igzip.GzipFile(fileobj=file)  # type: ignore[no-untyped-call]  # isal: no types
    return cast("BinaryIO", stream)


def _begun(path: Path, stream: BinaryIO, *, size: int, packed: bool) -> Content:
    """The content behind the head."""
    start = stream.read(_MAGIC_END)
    begin = _MAGIC_END if start[_PREAMBLE:] == b"DICM" else 0
    if not begin and start[:2] not in _WITHOUT_HEAD:
        raise DataError(f"{path}: {foreign(start)}; leave it out")
    stream.seek(begin)
    syntax = ""
    if begin or start.startswith(b"\x02\0"):
        walk = Walk(stream, explicit=True, limit=LARGEST_HEAD)
        try:
            found = walk.values({TRANSFER_SYNTAX}, until=_DATA_SET)
        except Odd as error:
            raise DataError(f"{path}: unreadable head: {error}; export it again") from error
        syntax = found.get(TRANSFER_SYNTAX, b"").strip(b"\0 ").decode("ascii", "replace")
        begin += walk.place
        stream.seek(begin)
    if syntax != DEFLATED:
        return Content(stream, syntax, begin, size, packed)
    return Content(inflated(stream), syntax, 0, size, packed=True)


class _Inflating(io.RawIOBase):
    """A raw deflate stream, inflated as it is read."""

    def __init__(self, packed: BinaryIO, *, begun: bytes, whole: bool) -> None:
        self._packed = packed
        self._left = begun
        self._whole = whole
        self._inflater: Any = isal_zlib.decompressobj(-zlib.MAX_WBITS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        while not self._inflater.eof:
            more = self._left or self._packed.read(_STEP)
            try:
                got = self._inflater.decompress(more, len(view))
            except BROKEN as error:
                raise zlib.error("its data set is not deflated as its head says") from error
            self._left = self._inflater.unconsumed_tail
            if got:
                view[: len(got)] = got
                return len(got)
            if not more and self._whole:
                raise EOFError("the deflated data set ends too early")
            if not more:
                break
        return 0
