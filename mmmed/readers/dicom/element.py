"""The top level of a DICOM dataset, read straight from its bytes.

element   tag, length and value, as PS3.5 section 7.1 writes them
odd       anything that a plain little-endian dataset would not hold: unknown VR, tags that do not
          ascend, a value of undefined length that is no sequence; pydicom reads such files

Nothing is copied but the values asked for, and no length that a file states is allocated: a value
lies inside the bytes at hand, or more bytes are asked for.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from enum import Enum
from struct import Struct

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DELIMITERS = (_ITEM, _ITEM_END, _SEQUENCE_END)
_ODD = -1

_SHORT = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)  # fmt: skip
"""VRs whose length has two bytes."""

_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""VRs whose length has four bytes, behind two that are reserved."""

_EXPLICIT = Struct("<HH2sH").unpack_from
_IMPLICIT = Struct("<HHI").unpack_from
_LENGTH = Struct("<I").unpack_from


class Outcome(Enum):
    """How a walk ended."""

    COMPLETE = "past the last tag asked for, or at the end of the dataset"
    SHORT = "the bytes ended first; the walk can start again with more of them"
    ODD = "not a plain dataset"


@dataclass
class Walk:
    """What was found: tag -> value as it stands in the file."""

    outcome: Outcome = Outcome.COMPLETE
    values: dict[int, bytes] = field(default_factory=dict)


def walk(data: bytes, start: int, *, explicit: bool, wanted: Set[int]) -> Walk:
    """The wanted elements of the top level of a little-endian dataset.

    Args:
        data: the file, or its beginning.
        start: where the dataset begins.
        explicit: whether elements state their VR.
        wanted: tags as `group << 16 | element`; the walk ends behind the highest.
    """
    found = Walk()
    read = _explicit if explicit else _implicit
    last, previous, depth, place, end = max(wanted), 0, 0, start, len(data)
    while place + 12 <= end:
        tag, value, length = read(data, place)
        if tag == _ODD or (depth == 0 and (tag <= previous or tag >= _ITEM)):
            found.outcome = Outcome.ODD
            return found
        if tag >= _ITEM:
            depth, place = _delimited(tag, depth=depth, value=value, length=length)
            continue
        if depth == 0 and tag > last:
            return found
        if length == _UNDEFINED:
            depth, place = depth + 1, value
            continue
        place = value + length
        if depth == 0:
            previous = tag
            if tag in wanted and place <= end:
                found.values[tag] = data[value:place]
    found.outcome = Outcome.SHORT if place != end or depth else Outcome.COMPLETE
    return found


def _explicit(data: bytes, place: int) -> tuple[int, int, int]:
    """Tag, where the value begins, and its length; the tag `_ODD` for what is odd."""
    group, number, vr, length = _EXPLICIT(data, place)
    tag = group << 16 | number
    if vr in _SHORT:
        return tag, place + 8, length
    if vr in _LONG:
        (length,) = _LENGTH(data, place + 8)
        odd = length == _UNDEFINED and vr != b"SQ"
        return _ODD if odd else tag, place + 12, length
    if tag in _DELIMITERS:
        return tag, place + 8, _LENGTH(data, place + 4)[0]
    return _ODD, place, 0


def _implicit(data: bytes, place: int) -> tuple[int, int, int]:
    group, number, length = _IMPLICIT(data, place)
    return group << 16 | number, place + 8, length


def _delimited(tag: int, *, depth: int, value: int, length: int) -> tuple[int, int]:
    """Depth and place behind the beginning or end of an item, or the end of a sequence."""
    if tag == _SEQUENCE_END:
        return depth - 1, value
    if tag == _ITEM and length != _UNDEFINED:
        return depth, value + length
    return depth, value
