"""The few elements of one file that make its geometry and pixels, as they are stored.

Plain files are walked over; what the walk does not follow is read by pydicom, which forgives more.
Values stay bytes until someone asks for them, so that a malformed one harms who needs it alone.
"""

from __future__ import annotations

import dataclasses
import io
import math
import struct
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_dataset as read_bare
from pydicom.tag import BaseTag

from mmmed.errors import DataError, SeriesError
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.stream import LARGEST_HEADER, Content, opened_content
from mmmed.readers.dicom.syntax import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from mmmed.readers.dicom.walk import MOST_ELEMENTS, UNDEFINED, Odd, Walk
from mmmed.readers.silence import silent

PIXELS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
"""The elements that hold pixels, as pydicom names them."""


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
            asked = "numbers" if count is None else f"{count} finite numbers"
            raise SeriesError(f"{self.path}: {name_of(tag)} is {text[:80]!r}, not {asked}")
        return values

    def whole(self, tag: int) -> int | None:
        """A number stored in two bytes, None where it is absent or empty."""
        value = self.values.get(tag, b"")
        if len(value) < 2:
            return None
        return int.from_bytes(value[:2], "big" if self.syntax == EXPLICIT_BIG else "little")


def name_of(tag: int) -> str:
    """A tag as people write it: `PixelSpacing (0028,0030)`."""
    return f"{keyword_for_tag(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X})".lstrip()


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
        return _data_set(path, content)[0]


def _walked(path: Path, content: Content, wanted: AbstractSet[int]) -> Elements:
    explicit = content.syntax != IMPLICIT_LITTLE
    walk = Walk(content.stream, explicit=explicit, limit=LARGEST_HEADER)
    values = walk.values(wanted, until=min(PIXELS))
    start = walk.data[walk.place : walk.place + 12]
    return _located(path, content, values, start=start, place=walk.place)


def _parsed(path: Path, content: Content, wanted: AbstractSet[int]) -> Elements:
    """The same by pydicom."""
    data_set, syntax, rest = _data_set(path, content)
    place = rest.tell()
    known = dataclasses.replace(content, syntax=syntax)
    values = {tag: _stored(data_set.get_item(tag)) for tag in wanted if tag in data_set}
    return _located(path, known, values, start=rest.read(12), place=place)


def _data_set(path: Path, content: Content) -> tuple[pydicom.Dataset, str, io.BytesIO]:
    """The data set, its transfer syntax, and its bytes, which stand where the pixels begin."""
    header = io.BytesIO(content.stream.read(LARGEST_HEADER))
    syntax = content.syntax or _guessed(header.getvalue()[:6])
    try:
        with silent():
            data_set = read_bare(
                header,
                is_implicit_VR=syntax == IMPLICIT_LITTLE,
                is_little_endian=syntax != EXPLICIT_BIG,
                stop_when=_at_pixels(),
            )
    except DAMAGED as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: unreadable header ({why}); export it again") from error
    return data_set, syntax, header


def _at_pixels() -> Callable[[BaseTag, str | None, int], bool]:
    """Whether an element is the first of the pixels; too many before them are an error."""
    left = iter(range(MOST_ELEMENTS))

    def stop(tag: BaseTag, _kind: str | None, _length: int) -> bool:
        if next(left, None) is None:
            raise ValueError(f"more than {MOST_ELEMENTS} elements")
        return int(tag) >= min(PIXELS)

    return stop


def _guessed(start: bytes) -> str:
    """The transfer syntax of a data set that begins so, where the file does not say it."""
    if not start[4:6].isalpha() or not start[4:6].isupper():
        return IMPLICIT_LITTLE
    return EXPLICIT_BIG if start[0] == 0 else EXPLICIT_LITTLE


def _located(
    path: Path, content: Content, values: Mapping[int, bytes], *, start: bytes, place: int
) -> Elements:
    """The elements, with the pixels that begin with the bytes `start` at `place`."""
    order = ">" if content.syntax == EXPLICIT_BIG else "<"
    implicit = content.syntax == IMPLICIT_LITTLE
    pixels, offset, length = 0, 0, None
    if len(start) >= 8:
        group, number = struct.unpack_from(f"{order}HH", start)
        pixels = group << 16 | number
        long = not implicit and start[4:6] in _LONG_KINDS
        at, width = (8, 12) if long else (4, 8) if implicit else (6, 8)
        kind = f"{order}I" if long or implicit else f"{order}H"
        stated = struct.unpack_from(kind, start.ljust(12, b"\0"), at)[0]
        offset, length = content.start + place + width, None if stated == UNDEFINED else stated
    if pixels not in PIXELS:
        pixels, offset, length = 0, 0, None
    return Elements(
        path=path,
        syntax=content.syntax,
        values=values,
        pixels=pixels,
        offset=offset,
        length=length,
        size=content.size,
        packed=content.packed,
        words=not implicit and start[4:6] == b"OW",
    )


_LONG_KINDS = (b"OB", b"OW", b"OF", b"OD", b"UN")
"""The kinds that pixels are stored as; all state their length in four bytes."""


def _stored(element: RawDataElement | pydicom.DataElement) -> bytes:
    """The bytes of a value that pydicom has not turned into objects; empty for a sequence."""
    value = element.value
    return value if isinstance(value, bytes) else str(value or "").encode("latin-1", "replace")
