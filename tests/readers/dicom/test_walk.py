"""What the walk over the elements follows, how far it reads, and what it keeps."""

from __future__ import annotations

import io
import struct

import pytest

from mmmed.readers.dicom.walk import MOST_ELEMENTS, Odd, Short, Walk

ROWS, COLUMNS, SPACING = 0x00280010, 0x00280011, 0x00280030
UNDEFINED = b"\xff\xff\xff\xff"
ITEM, ITEM_END, SEQUENCE_END = (
    struct.pack("<HH", 0xFFFE, number) for number in (0xE000, 0xE00D, 0xE0DD)
)


def element(tag: int, kind: bytes, value: bytes) -> bytes:
    """One explicit element as PS3.5 section 7.1.2 writes it."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + kind
    if kind in (b"OB", b"SQ", b"UN"):
        return head + struct.pack("<2xI", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def sequence(inner: bytes) -> bytes:
    """A sequence of one item, both of undefined length."""
    start = struct.pack("<HH", 0x0008, 0x1140) + b"SQ\0\0" + UNDEFINED
    return start + ITEM + UNDEFINED + inner + ITEM_END + bytes(4) + SEQUENCE_END + bytes(4)


def walk(data: bytes, *, limit: int = 1 << 20) -> Walk:
    return Walk(io.BytesIO(data), explicit=True, limit=limit)


TWO = element(ROWS, b"US", b"\x08\0") + element(COLUMNS, b"US", b"\x0a\0")


def test_it_stands_where_it_is_told_to_end() -> None:
    one = walk(TWO)
    assert one.values({ROWS, COLUMNS}, until=COLUMNS) == {ROWS: b"\x08\0"}
    assert one.place == 10


def test_it_goes_on_from_bytes_that_are_read_already() -> None:
    stream = io.BytesIO(b"before" + TWO)
    one = Walk(stream, explicit=True, limit=64, data=stream.read(9), place=6)
    assert one.values({COLUMNS}, until=SPACING) == {COLUMNS: b"\x0a\0"}


def test_what_stands_in_a_sequence_is_passed() -> None:
    data = sequence(sequence(element(ROWS, b"US", b"\x01\0"))) + TWO
    assert walk(data).values({ROWS}, until=SPACING) == {ROWS: b"\x08\0"}


@pytest.mark.parametrize("depth", [1, 3, 100_000])
def test_a_sequence_of_unknown_kind_is_passed_and_is_implicit_within(depth: int) -> None:
    """PS3.5, 6.2.2: a value of the kind UN and of undefined length is implicit."""
    start = struct.pack("<HH", 0x0040, 0xA730) + UNDEFINED + ITEM + UNDEFINED
    end = ITEM_END + bytes(4) + SEQUENCE_END + bytes(4)
    rows = struct.pack("<HHI", 0x0028, 0x0010, 2) + b"\x01\0"
    whole = struct.pack("<HH", 0x0009, 0x1001) + b"UN\0\0" + UNDEFINED + ITEM + UNDEFINED
    whole += start * (depth - 1) + rows + end * depth
    assert walk(whole + TWO, limit=1 << 23).values({ROWS}, until=SPACING) == {ROWS: b"\x08\0"}


@pytest.mark.parametrize("lost", range(1, 10))
def test_a_header_that_is_cut_off_leaves_what_was_found(lost: int) -> None:
    one = walk(TWO[:-lost])
    with pytest.raises(Short):
        one.values({ROWS, COLUMNS}, until=SPACING)
    assert one.found == {ROWS: b"\x08\0"}


def test_a_length_cut_in_two_is_short_and_not_odd() -> None:
    one = walk(TWO + element(SPACING, b"UN", b"")[:10])
    with pytest.raises(Short):
        one.values({ROWS}, until=SPACING + 1)


def test_a_sequence_that_does_not_end_is_short() -> None:
    with pytest.raises(Short, match="does not end"):
        walk(sequence(b"")[:-8]).values({ROWS}, until=SPACING)


def test_a_length_beyond_the_limit_is_not_read() -> None:
    stream = io.BytesIO(element(0x00090010, b"OB", bytes(1 << 16)) + TWO)
    with pytest.raises(Short, match="beyond 20000 bytes"):
        Walk(stream, explicit=True, limit=20_000).values({ROWS}, until=SPACING)
    assert stream.tell() <= 20_000


def test_no_more_is_read_than_the_first_step_where_that_is_enough() -> None:
    stream = io.BytesIO(TWO + element(0x7FE00010, b"OB", bytes(1 << 20)))
    Walk(stream, explicit=True, limit=1 << 30).values({ROWS}, until=0x7FE00010)
    assert stream.tell() == 1 << 14


@pytest.mark.parametrize(
    "data",
    [
        element(COLUMNS, b"US", b"\x0a\0") + element(ROWS, b"US", b"\x08\0"),
        element(ROWS, b"??", b"\x08\0") + bytes(8),
        element(ROWS, b"US", b"\x08\0") + element(ROWS, b"US", b"\x08\0"),
    ],
    ids=["out of order", "unknown kind", "twice"],
)
def test_what_is_not_plain_is_odd(data: bytes) -> None:
    with pytest.raises(Odd) as caught:
        walk(data).values({ROWS}, until=SPACING)
    assert not isinstance(caught.value, Short)


def test_more_elements_than_a_header_has_are_not_walked() -> None:
    one = b"\x09\0\x01\0LO\0\0"
    many = b"".join(
        one.replace(b"\x09\0\x01\0", tag.to_bytes(2, "little") + b"\x11\0", 1)
        for tag in range(9, MOST_ELEMENTS + 20)
    )
    with pytest.raises(Odd, match="more than"):
        walk(many, limit=1 << 22).values(set(), until=1 << 33)


def test_what_follows_an_item_without_its_end_is_taken_for_a_part_of_it() -> None:
    lost = sequence(b"").replace(ITEM_END + bytes(4), element(0x00080000, b"LO", b""), 1)
    one = walk(lost + TWO)
    with pytest.raises(Short, match="does not end"):
        one.values({ROWS}, until=SPACING)
    assert one.found == {}
