"""How the data set of a file is written, by the first bytes of the file.

syntax   where it begins, explicit or implicit, little or big, deflated (PS3.5, annex A)
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass

from mmmed.readers.dicom.header import uid
from mmmed.readers.dicom.walk import Odd, Walk

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

TRANSFER_SYNTAX = 0x00020010
"""The element of the file meta information that names the syntax."""

LARGEST_HEAD = 1 << 20
"""Bytes that the file meta information, group 0002, may take."""

_PREAMBLE = 128
_MEDIA_CLASS = 0x00020002
_META = frozenset({_MEDIA_CLASS, TRANSFER_SYNTAX})
_GROUPS = (0x0002, 0x0004, 0x0008)
"""Groups that a data set may begin with."""


@dataclass(frozen=True)
class Syntax:
    """How a data set is written.

    Attributes:
        start: where it begins.
        explicit: elements state their VR.
        plain: little-endian, by all that is known; a deflated one is so inflated.
        deflated: deflated from `start` on.
        media_class: the SOP class that the file meta information states, or empty.
    """

    start: int
    explicit: bool
    plain: bool
    deflated: bool
    media_class: str


def syntax(data: bytes) -> Syntax | None:
    """How the data set in a file is written, by its first bytes; None where it is no DICOM."""
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
    walk = Walk(io.BytesIO(), explicit=True, limit=LARGEST_HEAD, data=begun, place=start)
    with suppress(Odd):
        walk.values(_META, until=TRANSFER_SYNTAX + 1)
    transfer = uid(walk.found.get(TRANSFER_SYNTAX, b""))
    return Syntax(
        start=stop,
        explicit=transfer != IMPLICIT_LITTLE,
        plain=bool(transfer) and transfer != EXPLICIT_BIG and start < stop <= len(data),
        deflated=transfer == DEFLATED,
        media_class=uid(walk.found.get(_MEDIA_CLASS, b"")),
    )


def _bare(data: bytes) -> Syntax | None:
    """A data set without preamble, where it plausibly is one."""
    if len(data) < 16:
        return None
    little, big = (int.from_bytes(data[:2], order) for order in ("little", "big"))
    number = int.from_bytes(data[2:4], "little")
    explicit = data[4:6].isalpha() and data[4:6].isupper()
    if little in _GROUPS:
        sane = explicit or int.from_bytes(data[4:8], "little") <= 1024
        return Syntax(0, explicit, number < 0x2000, False, "") if sane else None
    return Syntax(0, explicit, False, False, "") if big in _GROUPS and explicit else None
