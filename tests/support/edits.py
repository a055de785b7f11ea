"""Changes to the bytes of a DICOM file in Explicit VR Little Endian (PS3.5 section 7.1.2)."""

from __future__ import annotations

import struct
from collections.abc import Callable

Edit = Callable[[bytes], bytes]

LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT")
UNDEFINED = 0xFFFFFFFF
PIXELS = 0x7FE00010


def tag_bytes(tag: int) -> bytes:
    """A tag as it stands in a file."""
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF)


def element(tag: int, kind: bytes, value: bytes = b"", *, length: int | None = None) -> bytes:
    """One element; `length` is what it states, whatever its value has."""
    stated = len(value) if length is None else length
    form = "<2s2xI" if kind in LONG else "<2sH"
    return tag_bytes(tag) + struct.pack(form, kind, stated) + value


def head_length(data: bytes) -> int:
    """Bytes before the data set."""
    return 144 + int.from_bytes(data[140:144], "little")


def place(data: bytes, tag: int) -> tuple[int, int]:
    """Where the first element of this tag begins and ends; no value may look like it."""
    begin = data.index(tag_bytes(tag))
    long = data[begin + 4 : begin + 6] in LONG
    form, at, width = ("<I", 8, 12) if long else ("<H", 6, 8)
    return begin, begin + width + struct.unpack_from(form, data, begin + at)[0]


def put(tag: int, kind: bytes, value: bytes = b"", *, length: int | None = None) -> Edit:
    """Another element instead of that of the same tag."""

    def edit(data: bytes) -> bytes:
        begin, end = place(data, tag)
        return data[:begin] + element(tag, kind, value, length=length) + data[end:]

    return edit


def named(tag: int, kind: bytes) -> Edit:
    """Another kind of value (VR) for an element, nothing else."""

    def edit(data: bytes) -> bytes:
        begin, _ = place(data, tag)
        return data[: begin + 4] + kind + data[begin + 6 :]

    return edit


def before(tag: int, more: bytes) -> Edit:
    """Bytes before an element."""
    return lambda data: data[: place(data, tag)[0]] + more + data[place(data, tag)[0] :]


def without(tag: int) -> Edit:
    """An element less."""
    return lambda data: data[: place(data, tag)[0]] + data[place(data, tag)[1] :]


def syntax(uid: bytes) -> Edit:
    """Another transfer syntax in the head; the data set as it was."""

    def edit(data: bytes) -> bytes:
        start = head_length(data)
        head = put(0x00020010, b"UI", uid)(data[:start])
        return head[:140] + struct.pack("<I", len(head) - 144) + head[144:] + data[start:]

    return edit


def elements(data: bytes) -> tuple[bytes, list[bytes]]:
    """The head, and the elements of the data set; there is no sequence among them."""
    start = head_length(data)
    head, rest, found = data[:start], data[start:], []
    while rest:
        group, number = struct.unpack_from("<HH", rest)
        _, end = place(rest, group << 16 | number)
        found.append(rest[:end])
        rest = rest[end:]
    return head, found


def fragments(*items: bytes, offsets: bytes = b"", delimiter: bool = True) -> Edit:
    """Pixels in fragments (PS3.5, A.4)."""
    parts = [offsets, *items]
    value = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(one)) + one for one in parts)
    end = b"\xfe\xff\xdd\xe0" + bytes(4) if delimiter else b""
    return put(PIXELS, b"OB", value + end, length=UNDEFINED)
