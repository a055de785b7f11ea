"""Bytes of a file that may be DICOM, inflated where they are compressed, never more than a bound.

window   the most of a file that its header may take; beyond it a file is refused
syntax   how the dataset is written: where it begins, explicit or implicit, little or big, deflated
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, cast

from isal import igzip, isal_zlib

from mmmed.readers.dicom.element import walk
from mmmed.readers.dicom.header import uid

FIRST = 16 << 10
"""Bytes read first; the header of most files fits."""

WINDOW = 64 << 20
"""Bytes that may stand before and between what is wanted: private tags of 10 MB are met."""

BROKEN: tuple[type[Exception], ...] = (
    EOFError,
    OSError,
    zlib.error,
    isal_zlib.error,  # type: ignore[assignment]  # its stub declares an instance
)
"""What reading raises over damaged or vanished content."""

_GZIP = b"\x1f\x8b"
_PREAMBLE = 128
_MEDIA_CLASS, _SYNTAX = 0x00020002, 0x00020010
_META = frozenset({_MEDIA_CLASS, _SYNTAX})
_IMPLICIT, _DEFLATED, _BIG = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
)
_GROUPS = (0x0002, 0x0004, 0x0008)
"""Groups that a dataset may begin with."""


@dataclass(frozen=True)
class Syntax:
    """How a dataset is written.

    Attributes:
        start: where it begins.
        explicit: elements state their VR.
        plain: little-endian and not deflated, by all that is known.
        deflated: deflated from `start` on.
        media_class: the SOP class that the file meta information states, or empty.
    """

    start: int
    explicit: bool
    plain: bool
    deflated: bool
    media_class: str


class Beginning:
    """The first bytes of a file, as many as are asked for and not more than `WINDOW`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.data = file.read(FIRST)
        self.ended = False
        if self.data.startswith(_GZIP):
            file.seek(0)
            self._file = cast("BinaryIO", igzip.GzipFile(fileobj=file))  # type: ignore[no-untyped-call]  # isal has no types here
            self.data = b""
            self.grow(FIRST)

    def grow(self, count: int) -> None:
        """Have `count` bytes, or all there are."""
        lacking = min(count, WINDOW) - len(self.data)
        parts = [self.data]
        while lacking > 0 and not self.ended:
            part = self._file.read(lacking)
            self.ended = not part
            parts.append(part)
            lacking -= len(part)
        self.data = b"".join(parts)

    def inflate(self, start: int) -> None:
        """Take what is deflated from `start` on for the file."""
        rest = _Inflated(self._file, self.data[start:])
        self._file, self.data, self.ended = cast("BinaryIO", BufferedReader(rest)), b"", False
        self.grow(FIRST)


def syntax(data: bytes) -> Syntax | None:
    """How the dataset in a file is written, by its first bytes; None where it is no DICOM."""
    if data[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return _by_meta(data, _PREAMBLE + 4)
    if data[:4] == b"\x02\0\0\0" and data[4:6] == b"UL":
        return _by_meta(data, 0)
    return _bare(data)


def _by_meta(data: bytes, start: int) -> Syntax:
    """By the file meta information (PS3.10 section 7.1): group 2, explicit, little-endian."""
    stop, begun = start, data
    if data[start : start + 6] == b"\x02\0\0\0UL":
        stop = start + 12 + int.from_bytes(data[start + 8 : start + 12], "little")
        begun = data[:stop]
    found = walk(begun, start, explicit=True, wanted=_META).values
    transfer = uid(found.get(_SYNTAX, b""))
    return Syntax(
        start=stop,
        explicit=transfer != _IMPLICIT,
        plain=bool(transfer) and transfer != _BIG and start < stop <= len(data),
        deflated=transfer == _DEFLATED,
        media_class=uid(found.get(_MEDIA_CLASS, b"")),
    )


def _bare(data: bytes) -> Syntax | None:
    """A dataset without preamble, where it plausibly is one."""
    if len(data) < 16:
        return None
    little, big = (int.from_bytes(data[:2], order) for order in ("little", "big"))
    number = int.from_bytes(data[2:4], "little")
    explicit = data[4:6].isalpha() and data[4:6].isupper()
    if little in _GROUPS:
        sane = explicit or int.from_bytes(data[4:8], "little") <= 1024
        return Syntax(0, explicit, number < 0x2000, False, "") if sane else None
    return Syntax(0, explicit, False, False, "") if big in _GROUPS and explicit else None


class _Inflated(RawIOBase):
    """What a deflated dataset (PS3.5 annex A.5) holds, inflated as it is read."""

    def __init__(self, file: BinaryIO, begun: bytes) -> None:
        self._file = file
        self._left = begun
        self._inflater: Any = isal_zlib.decompressobj(-15)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, or a part of it; 0 at the end."""
        while not self._inflater.eof:
            given = self._left or self._file.read(FIRST)
            made = self._inflater.decompress(given, len(buffer))
            self._left = self._inflater.unconsumed_tail
            if made:
                buffer[: len(made)] = made
                return len(made)
            if not given:
                break
        return 0
