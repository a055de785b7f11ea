"""Data sets that the walk does not follow, or that are wanted whole, by pydicom.

pydicom forgives more: big-endian and mislabelled files, values out of order. What it reads is
bounded first, in bytes, reads and items, so that a file costs what a large header costs and not
what it states. What the walk says of the same bytes is the reason where something is missing then.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID

from mmmed.errors import DataError
from mmmed.readers.dicom.line import one_line
from mmmed.readers.dicom.stream import LARGEST_HEADER, Content
from mmmed.readers.dicom.syntax import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from mmmed.readers.dicom.tag import name_of
from mmmed.readers.dicom.walk import MOST_ELEMENTS, Odd, Unordered, Walk
from mmmed.readers.silence import silent

READS = 4_000_000
"""Reads that a header may take, three or four per element: ten thousand frames, each with a hundred
elements, or half a minute of work."""

ITEMS = 250_000
"""Items of sequences that a header may have; each takes a kilobyte of memory."""

LARGEST_FIRST = 1 << 10
"""Bytes that the first value of a data set may have to be taken for implicit."""

LARGEST_VALUE = 256 << 10
"""Bytes of a value that is kept; only sequences may be larger."""

_PIXELS = 0x7FE00008
"""The first tag of those that hold pixels."""

_ITEM = b"\xfe\xff\x00\xe0"
_ITEMS = (_ITEM, b"\xff\xfe\xe0\x00")
_TOO_MANY = "its sequences hold more elements than are read"


@dataclass(frozen=True)
class Parsed:
    """What pydicom made of a data set.

    Attributes:
        data_set: the elements before the place asked for, without large values.
        syntax: of how it is written in truth; what compresses its pixels is as stated.
        implicit: whether elements do not name the kind of their value.
        place: where it stopped, from the beginning of the data set.
        start: the bytes there.
        fault: what is unusual about how the data set is written; '' where nothing is known.
    """

    data_set: Dataset
    syntax: str
    implicit: bool
    place: int
    start: bytes
    fault: str


def parsed(
    content: Content,
    *,
    until: int,
    wanted: AbstractSet[int] = frozenset(),
    reads: int = READS,
) -> Parsed:
    """The elements of a data set before the tag `until`.

    Args:
        content: stands at the beginning of the data set.
        until: where to stop, as `group << 16 | element`.
        wanted: tags that are kept, none of which may stand twice; all where it is empty.
        reads: that may be taken.

    Raises:
        DataError: it cannot be parsed; the text is the reason, without the file.
    """
    data = content.stream.read(LARGEST_HEADER)
    if not data:
        raise DataError("it ends where its data set should begin")
    syntax = _written(content.syntax, data[:8])
    fault, fatal = _walked(data, syntax)
    if content.syntax not in ("", syntax):
        fault = f"it is written in {UID(syntax).name}, other than its transfer syntax says"
    stream = _Bounded(data, reads=reads)
    try:
        with silent():
            data_set = read_dataset(
                stream,
                is_implicit_VR=syntax == IMPLICIT_LITTLE,
                is_little_endian=syntax != EXPLICIT_BIG,
                stop_when=_at(until, wanted),
                specific_tags=[BaseTag(tag) for tag in wanted] or None,
            )
    except Exception as error:  # damaged files make pydicom raise anything
        raise DataError(fault if fatal else _reason(error)) from error
    implicit = bool(data_set.original_encoding[0])
    place = stream.tell()
    start = data[place : place + 12]
    if any(data.count(one, 0, place) > ITEMS for one in _ITEMS):
        raise DataError(_TOO_MANY)
    if len(start) >= 4 and place == 0:
        group, number = struct.unpack_from(">HH" if syntax == EXPLICIT_BIG else "<HH", start)
        fault = f"its data set begins with {name_of(group << 16 | number)}"
    _drop_large(data_set)
    return Parsed(data_set, syntax, implicit, place, start, fault)


def stored(data_set: Dataset, tag: int) -> bytes:
    """The bytes of a value; of a sequence that pydicom has made objects of, the tag of an item."""
    element = data_set.get_item(BaseTag(tag), keep_deferred=True)
    value = element.value
    if isinstance(value, bytes):
        return value
    if isinstance(value, Sequence):
        return _ITEM if len(value) else b""
    if value is None:
        return b""
    parts = value if isinstance(value, MultiValue) else [value]
    return "\\".join(map(str, parts)).encode("latin-1", "replace")


class _Bounded(io.BytesIO):
    """Bytes that can be read so many times, with so many items in them."""

    def __init__(self, data: bytes, *, reads: int) -> None:
        super().__init__(data)
        self._reads = reads
        self._items = ITEMS

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self._reads -= 1
        self._items -= found.startswith(_ITEMS)
        if self._reads < 0 or self._items < 0:
            raise ValueError(_TOO_MANY)
        return found


def _written(stated: str, start: bytes) -> str:
    """The transfer syntax of a data set that begins so, where it is not stated or cannot be."""
    little = start[:1] != b"\0"
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    known = stated not in ("", IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG)
    damaged = not explicit and stated and int.from_bytes(start[4:8], "little") > LARGEST_FIRST
    if known or damaged:
        return stated
    if not explicit:
        return IMPLICIT_LITTLE
    return EXPLICIT_LITTLE if little else EXPLICIT_BIG


def _walked(data: bytes, syntax: str) -> tuple[str, bool]:
    """What the walk finds odd in the data set, and whether that is more than its order."""
    big, explicit = syntax == EXPLICIT_BIG, syntax != IMPLICIT_LITTLE
    walk = Walk(io.BytesIO(data), explicit=explicit, big=big, limit=LARGEST_HEADER)
    try:
        walk.values(set(), until=_PIXELS)
    except Odd as error:
        return str(error), not isinstance(error, Unordered)
    last = data[walk.place : walk.place + 8]
    if len(last) == 8 and not _is_element(last, explicit=explicit, big=big):
        return f"what stands at byte {walk.place} of its data set is no element", True
    return "", False


def _is_element(start: bytes, *, explicit: bool, big: bool) -> bool:
    """Whether an element may begin so: of a known tag or a private one."""
    if explicit and not (start[4:6].isalpha() and start[4:6].isupper()):
        return False
    group, number = struct.unpack_from(">HH" if big else "<HH", start)
    return bool(group % 2) or dictionary_has_tag(group << 16 | number)


def _at(until: int, wanted: AbstractSet[int]) -> Callable[[BaseTag, str | None, int], bool]:
    """Whether an element is the first not to be read."""
    left = iter(range(MOST_ELEMENTS))
    met: set[int] = set()

    def stop(tag: BaseTag, _kind: str | None, _length: int) -> bool:
        if next(left, None) is None:
            raise ValueError(f"it has more than {MOST_ELEMENTS} elements")
        if tag in met:
            raise ValueError(f"{name_of(tag)} stands twice")
        if tag in wanted:
            met.add(tag)
        return int(tag) >= until

    return stop


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "its sequences are nested too deep"
    if "No tag to read" in str(error):
        return "a sequence in it does not end"
    return one_line(str(error) or type(error).__name__)


def _drop_large(data_set: Dataset) -> None:
    for tag in list(data_set.keys()):
        element: Any = data_set.get_item(tag, keep_deferred=True)
        if isinstance(element, RawDataElement) and len(element.value or b"") > LARGEST_VALUE:
            known = element.VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "")
            if known != "SQ":
                del data_set[tag]
