"""Walking over the elements of a data set without making objects of them.

element  tag, kind of value (VR), length and value (PS3.5, 7.1); a tag is one number, 0x00100020
odd      what the walk does not follow: the file may be well, but pydicom is the one to say

A walk reads the stream forward in steps, so that a file costs its header and no more. Nothing is
copied but the values asked for, and no length that a file states is trusted beyond the limit.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import BinaryIO

from pydicom.datadict import dictionary_has_tag

from mmmed.readers.dicom.tag import name_of

UNDEFINED = 0xFFFFFFFF
"""The length of a value that goes on until a delimiter."""

MOST_ELEMENTS = 50_000
"""Elements at the top level that are looked at; real headers have a few hundred."""

MOST_NESTED = 3_000_000
"""Elements in sequences that are walked over: twenty thousand frames, each with 150; two seconds of
work."""

FIRST_STEP = 1 << 14
"""Bytes read first; the header of most files fits."""

_IMPLICIT = struct.Struct("<HHI").unpack_from
_DELIMITERS = 0xFFFE
_ENDS = frozenset({0xFFFEE00D, 0xFFFEE0DD})
"""What ends an item and a sequence of undefined length."""

_UNKNOWN, _CUT = -1, -2
"""Instead of a length: the kind of value is not known; the bytes end before the length."""

_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""Kinds whose length has two bytes."""

_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Kinds whose length has four bytes, behind two that are reserved."""


_Read = Callable[[bytes, int], tuple[int, int, int]]
"""Bytes and a place in them -> tag, where the value begins, and its length or why there is none."""


class Odd(Exception):
    """The walk does not follow this file."""


class Short(Odd):
    """The bytes end before the walk does: those of the file, or those that may be read."""


class Unordered(Odd):
    """Elements stand in another order than that of their tags, or twice."""


class Walk:
    """A stream, the bytes read of it so far, and the place reached in them.

    Attributes:
        data: the bytes read.
        place: where the next element begins in `data`, or behind it.
        found: tag -> value, as far as the walk came.
    """

    def __init__(
        self,
        stream: BinaryIO,
        *,
        explicit: bool,
        limit: int,
        big: bool = False,
        data: bytes = b"",
        place: int = 0,
    ) -> None:
        """Begins at the first element of a data set.

        Args:
            stream: stands there, or behind `data`.
            explicit: whether elements name the kind of their value.
            limit: bytes that may be read, `data` among them.
            big: whether it is big-endian, and explicit.
            data: what has been read already.
            place: where the first element begins in it.
        """
        self.data = data
        self.place = place
        self.found: dict[int, bytes] = {}
        self._stream = stream
        self._read = _explicit_big if big else _explicit if explicit else _implicit
        self._limit = limit
        self._nested = MOST_NESTED

    def values(self, wanted: AbstractSet[int], *, until: int) -> dict[int, bytes]:
        """Tag -> value of the wanted elements before the tag `until`, where the walk then stands.

        Raises:
            Short: a header beyond the limit, or one that ends too early.
            Odd: tags out of order, or what the walk does not know.
        """
        read, previous, length = self._read, -1, 0
        for _ in range(MOST_ELEMENTS):
            place, data = self.place, self.data
            if place + 12 > len(data):
                reached, data = self._reached(place), self.data
                if place > len(data):
                    raise _beyond(previous, length)
                if not reached:
                    return self.found
            tag, begin, length = read(data, place)
            if tag >= until:
                return self.found
            if tag <= previous:
                raise _unordered(tag, previous)
            if length < 0:
                raise self._unfollowed(place, tag, length, behind=previous)
            previous = tag
            end = self._behind(place, begin, tag) if length == UNDEFINED else begin + length
            if tag in wanted:
                if end > len(data) and not self._grown(end):
                    raise _beyond(tag, length)
                self.found[tag] = self.data[begin:end]
            self.place = end
        raise Odd(f"it has more than {MOST_ELEMENTS} elements")

    def _behind(self, place: int, begin: int, tag: int) -> int:
        """The end of the value of undefined length that begins there, of the element at `place`."""
        read, data = self._inner(self._read, place), self.data
        outer: list[_Read] = []
        place = begin
        for count in range(self._nested):
            if place + 12 > len(data):
                if not self._reached(place):
                    raise Short(f"the sequence {name_of(tag)} does not end")
                data = self.data
            inner, begin, length = read(data, place)
            if length < 0:
                raise self._unfollowed(place, inner, length, behind=tag)
            if inner in _ENDS:
                if not outer:
                    self._nested -= count
                    return begin
                read = outer.pop()
            elif length == UNDEFINED:
                outer.append(read)
                read = self._inner(read, place)
            else:
                begin += length
            place = begin
        raise Odd(f"its sequences hold more than {MOST_NESTED} elements")

    def _inner(self, read: _Read, place: int) -> _Read:
        """How what stands in the sequence at `place` is written: implicit in UN (PS3.5, 6.2.2)."""
        unknown = read is not _implicit and self.data[place + 4 : place + 6] == b"UN"
        return _implicit if unknown else read

    def _reached(self, place: int) -> bool:
        """Whether an element begins there; twelve bytes of it are read, where there are."""
        if self._grown(place + 12) or place + 8 <= len(self.data):
            return True
        if place < len(self.data):
            raise Short("it ends inside an element")
        return False

    def _grown(self, end: int) -> bool:
        """Whether the bytes up to `end` are there, read now if need be."""
        if end > len(self.data):
            self._grow(min(max(end, FIRST_STEP, 2 * len(self.data)), self._limit))
        if end > self._limit <= len(self.data):
            raise Short(f"its header is beyond {self._limit} bytes")
        return end <= len(self.data)

    def _grow(self, count: int) -> None:
        """Have `count` bytes, or all there are."""
        lacking, parts = count - len(self.data), [self.data]
        while lacking > 0 and (part := self._stream.read(lacking)):
            parts.append(part)
            lacking -= len(part)
        self.data = b"".join(parts)

    def _unfollowed(self, place: int, tag: int, length: int, *, behind: int) -> Odd:
        if length == _CUT:
            return Short("it ends inside an element")
        if behind > 0 and not dictionary_has_tag(tag):
            return Odd(f"what stands behind the beginning of {name_of(behind)} is no element")
        kind = self.data[place + 4 : place + 6].decode("latin-1")
        return Odd(f"{name_of(tag)} has {kind!r} for its kind of value (VR)")


def _beyond(tag: int, length: int) -> Short:
    return Short(f"{name_of(tag)} states {length} bytes, more than the file has")


def _unordered(tag: int, previous: int) -> Unordered:
    if tag == previous:
        return Unordered(f"{name_of(tag)} stands twice")
    return Unordered(f"{name_of(tag)} stands behind {name_of(previous)}, out of order")


def _explicit_in(order: str) -> _Read:
    """How explicit elements are read in an order of bytes, `<` or `>`."""
    head, long = struct.Struct(f"{order}HH2sH").unpack_from, struct.Struct(f"{order}I").unpack_from

    def read(data: bytes, place: int) -> tuple[int, int, int]:
        """Tag, where the value begins, and its length, or why there is none."""
        group, number, kind, length = head(data, place)
        tag = group << 16 | number
        if group == _DELIMITERS:
            return tag, place + 8, long(data, place + 4)[0]
        if kind in _SHORT:
            return tag, place + 8, length
        if kind not in _LONG:
            return tag, place + 8, _UNKNOWN
        if place + 12 > len(data):
            return tag, place + 8, _CUT
        return tag, place + 12, long(data, place + 8)[0]

    return read


_explicit, _explicit_big = _explicit_in("<"), _explicit_in(">")


def _implicit(data: bytes, place: int) -> tuple[int, int, int]:
    group, number, length = _IMPLICIT(data, place)
    return group << 16 | number, place + 8, length
