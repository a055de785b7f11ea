"""Walking over the elements of a data set without making objects of them.

element  tag, kind of value (VR), length and value (PS3.5, 7.1); a tag is one number, 0x00100020
odd      what the walk does not follow: the file may be well, but pydicom is the one to say

A walk reads the stream forward in steps, so that a file costs its header and no more.
"""

from __future__ import annotations

import struct
from collections.abc import Set as AbstractSet
from typing import BinaryIO

UNDEFINED = 0xFFFFFFFF
"""The length of a value that goes on until a delimiter."""

DEEPEST = 64
"""Sequences and items within one another that are followed."""

MOST_ELEMENTS = 50_000
"""Elements at the top level that are looked at; real headers have a few hundred."""

_FIRST_STEP = 1 << 14
_EXPLICIT = struct.Struct("<HH2sH")
_LENGTH = struct.Struct("<I")
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_DELIMITERS = 0xFFFE
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


class Odd(Exception):
    """The walk does not follow this file."""


class Walk:
    """A stream, the bytes read of it so far, and the place reached in them.

    Attributes:
        data: the bytes from where the stream stood.
        place: where the next element begins in `data`, or behind it.
    """

    def __init__(self, stream: BinaryIO, *, explicit: bool, limit: int) -> None:
        """Begins at the first element of a little-endian data set.

        Args:
            stream: stands there.
            explicit: whether elements name the kind of their value.
            limit: bytes that may be read.
        """
        self.data = b""
        self.place = 0
        self._stream = stream
        self._explicit = explicit
        self._limit = limit

    def values(self, wanted: AbstractSet[int], *, until: int) -> dict[int, bytes]:
        """Tag -> value of the wanted elements before the tag `until`, where the walk then stands.

        Raises:
            Odd: tags out of order, a header beyond the limit, or one that ends too early.
        """
        found: dict[int, bytes] = {}
        previous = -1
        for _ in range(MOST_ELEMENTS):
            tag, length, begin = self._start(until)
            if not begin or tag >= until:
                return found
            if tag <= previous:
                raise Odd(f"tag {tag:08X} out of order")
            previous = tag
            end = self._behind(begin) if length == UNDEFINED else begin + length
            if tag in wanted:
                if not self._grown(end):
                    raise Odd("ends inside a value")
                found[tag] = self.data[begin:end]
            self.place = end
        raise Odd(f"more than {MOST_ELEMENTS} elements")

    def _start(self, until: int = 1 << 32) -> tuple[int, int, int]:
        """Tag, length and where the value begins, of the element reached; zeros at the end.

        From the tag `until` on the length is not looked at.
        """
        here = self.place
        if here + 12 > len(self.data) and not self._grown(here + 12) and not self._grown(here + 8):
            if here < len(self.data):
                raise Odd("ends inside an element")
            return 0, 0, 0
        group, number, kind, length = _EXPLICIT.unpack_from(self.data, here)
        tag = group << 16 | number
        if tag >= until:
            return tag, 0, here + 8
        if not self._explicit or group == _DELIMITERS:
            return tag, _LENGTH.unpack_from(self.data, here + 4)[0], here + 8
        if kind in _SHORT:
            return tag, length, here + 8
        if kind not in _LONG or here + 12 > len(self.data):
            raise Odd(f"a value of the kind {kind!r}")
        length = _LENGTH.unpack_from(self.data, here + 8)[0]
        if kind == b"UN" and length == UNDEFINED:
            raise Odd("a value of unknown kind and length")
        return tag, length, here + 12

    def _behind(self, begin: int) -> int:
        """The end of the value of undefined length that begins there."""
        depth = 1
        self.place = begin
        while depth:
            tag, length, begin = self._start()
            if not begin or depth > DEEPEST:
                raise Odd("a sequence that does not end" if not begin else "nested too deep")
            if tag in (_ITEM_END, _SEQUENCE_END):
                depth -= 1
                length = 0
            elif length == UNDEFINED:
                depth += 1
                length = 0
            self.place = begin + length
        return self.place

    def _grown(self, end: int) -> bool:
        """Whether the bytes up to `end` are there, read now if need be."""
        if end > self._limit:
            raise Odd(f"a header beyond {self._limit} bytes")
        if end > len(self.data):
            aim = max(end, _FIRST_STEP, 2 * len(self.data))
            self.data += self._stream.read(min(aim, self._limit) - len(self.data))
        return end <= len(self.data)
