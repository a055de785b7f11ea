"""The few elements of one file that make its geometry and pixels, as they are stored.

Plain files are walked over; what the walk does not follow is read by pydicom, which forgives more.
Values stay bytes until someone asks for them, so that a malformed one harms who needs it alone.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import pydicom

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom import odd
from mmmed.readers.dicom.stream import LARGEST_HEADER, Content, opened_content
from mmmed.readers.dicom.syntax import EXPLICIT_BIG, IMPLICIT_LITTLE
from mmmed.readers.dicom.tag import name_of
from mmmed.readers.dicom.walk import UNDEFINED, Odd, Walk

PIXELS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
"""The elements that hold pixels, as pydicom names them."""

_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
"""What ends a sequence of undefined length."""

FLOATS = {0x7FE00008: 32, 0x7FE00009: 64}
"""Those that hold floating-point numbers, and the bits of each (PS3.3, C.7.6.24 and C.7.6.25)."""


@dataclass(frozen=True, eq=False)
class Elements:
    """What was asked of one file.

    Attributes:
        path: of the file.
        syntax: the UID of the transfer syntax.
        values: tag -> bytes; elements that the file lacks are no key.
        pixels: the tag of the element that holds pixels, 0 where there is none.
        offset: where its value begins: in the file, inflated if gzip'd; in a deflated data set.
        length: bytes of that value as stated; None where it ends with a delimiter.
        size: bytes of the file on the disk.
        packed: whether the file is gzip'd or deflated.
        words: whether the pixels are stated to be words of two bytes (OW).
        fault: what is unusual about how the file is written; '' where nothing is.
    """

    path: Path
    syntax: str
    values: Mapping[int, bytes]
    pixels: int
    offset: int
    length: int | None
    size: int
    packed: bool
    words: bool = False
    fault: str = ""

    def text(self, tag: int) -> str:
        """A value as text, '' where it is absent or empty."""
        return self.values.get(tag, b"").decode("latin-1").strip(" \0")

    def numbers(self, tag: int, *, count: int | None = None) -> tuple[float, ...]:
        """Decimal numbers, () where the element is absent or empty.

        Raises:
            SeriesError: not numbers, not finite, or not `count` of them.
        """
        text = self.text(tag)
        if not text:
            return ()
        try:
            values = tuple(float(part) for part in text.replace("_", "?").split("\\"))
        except ValueError:
            values = (math.nan,)
        if not all(map(math.isfinite, values)) or count not in (None, len(values)):
            asked = "finite numbers" if count is None else f"{count} finite numbers"
            asked = "a finite number" if count == 1 else asked
            raise SeriesError(f"{self.path}: {name_of(tag)} is {text[:80]!r}, not {asked}")
        return values

    def whole(self, tag: int) -> int | None:
        """A number stored in two bytes, None where it is absent or empty."""
        value = self.values.get(tag, b"")
        if len(value) < 2:
            return None
        return int.from_bytes(value[:2], "big" if self.syntax == EXPLICIT_BIG else "little")

    def has_items(self, tag: int) -> bool:
        """Whether a sequence is there and not empty; an empty one may state its end alone."""
        return bool(self.values.get(tag, b"").removeprefix(_END))


def read_elements(path: Path, wanted: AbstractSet[int]) -> Elements:
    """The wanted elements of a file and where its pixels are; nothing else is kept.

    Raises:
        DataError: the file cannot be read as DICOM.
    """
    with opened_content(path) as content:
        if content.syntax not in ("", EXPLICIT_BIG):
            try:
                return _walked(path, content, wanted)
            except Odd:
                pass
    with opened_content(path) as content:
        return _parsed(path, content, wanted)


def read_data_set(path: Path) -> pydicom.Dataset:
    """Everything a file states of itself, without its pixels.

    Raises:
        DataError: the file cannot be read as DICOM.
    """
    with opened_content(path) as content:
        return _parse(path, content, frozenset()).data_set


def _walked(path: Path, content: Content, wanted: AbstractSet[int]) -> Elements:
    implicit = content.syntax == IMPLICIT_LITTLE
    walk = Walk(content.stream, explicit=not implicit, limit=LARGEST_HEADER)
    values = walk.values(wanted, until=min(PIXELS))
    start = walk.data[walk.place : walk.place + 12]
    found = _described(path, content, values)
    return _located(found, start, begin=content.start + walk.place, implicit=implicit)


def _parsed(path: Path, content: Content, wanted: AbstractSet[int]) -> Elements:
    """The same by pydicom."""
    found = _parse(path, content, wanted)
    values = {tag: odd.stored(found.data_set, tag) for tag in wanted if tag in found.data_set}
    known = dataclasses.replace(content, syntax=found.syntax)
    described = dataclasses.replace(_described(path, known, values), fault=found.fault)
    begin = content.start + found.place
    return _located(described, found.start, begin=begin, implicit=found.implicit)


def _parse(path: Path, content: Content, wanted: AbstractSet[int]) -> odd.Parsed:
    try:
        return odd.parsed(content, until=min(PIXELS), wanted=wanted)
    except DataError as error:
        raise DataError(f"{path}: unreadable header: {error}; export it again") from error


def _described(path: Path, content: Content, values: Mapping[int, bytes]) -> Elements:
    """The elements, without pixels."""
    return Elements(
        path=path,
        syntax=content.syntax,
        values=values,
        pixels=0,
        offset=0,
        length=None,
        size=content.size,
        packed=content.packed,
    )


def _located(elements: Elements, start: bytes, *, begin: int, implicit: bool) -> Elements:
    """The elements with their pixels, where the bytes `start` at `begin` are those of pixels.

    Raises:
        DataError: they are, and are of a kind that pixels cannot be.
    """
    order = ">" if elements.syntax == EXPLICIT_BIG else "<"
    group, number = struct.unpack_from(f"{order}HH", start.ljust(12, b"\0"))
    pixels = group << 16 | number
    if pixels not in PIXELS or len(start) < 8:
        return elements
    kind = start[4:6]
    if not implicit and kind not in _KINDS:
        raise DataError(
            f"{elements.path}: {name_of(pixels)} has {kind.decode('latin-1')!r} for its kind of "
            "value (VR), which no pixels have; export it again"
        )
    at, width = (4, 8) if implicit else (8, 12)
    (stated,) = struct.unpack_from(f"{order}I", start.ljust(12, b"\0"), at)
    return dataclasses.replace(
        elements,
        pixels=pixels,
        offset=begin + width,
        length=None if stated == UNDEFINED else stated,
        words=not implicit and kind == b"OW",
    )


_KINDS = (b"OB", b"OW", b"OF", b"OD", b"UN")
"""The kinds that pixels are stored as; all state their length in four bytes."""
