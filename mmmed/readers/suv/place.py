"""One data set that may state a value, and what it states.

place   the header of a file, or one item of the functional groups of an enhanced file, shared or of
        one frame
text    a value as it is written: what is not ASCII or not printable is replaced by `?`, and nothing
        is converted
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.suv.element import tag_of

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")

_SEQUENCES = ("SQ", "UN", None)
"""How the VR of a sequence may be stated: not at all where it is implicit."""

_BINARY = ("FD", "FL", "SL", "SS", "SV", "UL", "US", "UV")
"""VR of numbers that are not written as text (DICOM PS3.5 6.2)."""


def places_of(header: Dataset) -> Iterator[Dataset]:
    """The header, and below it every item of the macros of its functional groups."""
    yield header
    for group in GROUPS:
        for frame in items_of(header, group):
            for tag in list(frame.keys()):
                if frame.get_item(tag).VR in _SEQUENCES:
                    yield from _items_at(frame, tag)


def text_of(place: Dataset, keyword: str) -> str:
    """The one text that a place states; "" where it states none."""
    return single(stated(place, tag_of(keyword))) or ""


def items_of(place: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence of a place; none where it is not there or damaged."""
    return _items_at(place, tag_of(keyword))


def stated(place: Dataset, tag: BaseTag) -> list[tuple[str, ...]]:
    """The value that a place states, as one tuple of texts; empty where it states none."""
    if tag not in place:
        return []
    parts = tuple(_plain(one) for one in _parts(_value(place, tag)))
    return [parts] if any(parts) else []


def _value(place: Dataset, tag: BaseTag) -> object:
    """The value as it is written, or the numbers of a binary one; None where it is damaged."""
    element = place.get_item(tag)
    if isinstance(element.value, bytes) and _vr(element.VR, tag) in _BINARY:
        try:
            return place[tag].value
        except DAMAGED:
            return None
    return element.value


def _vr(written: str | None, tag: BaseTag) -> str:
    if written not in (None, "UN"):
        return str(written)
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"


def single(found: Counter[tuple[str, ...]] | list[tuple[str, ...]]) -> str | None:
    """The one value; None where there is none or several."""
    return "\\".join(next(iter(found))) if len(found) == 1 else None


def private_tag(place: Dataset, creator: str, group: int, element: int) -> BaseTag | None:
    """The tag of an element of a private block (DICOM PS3.5 7.8.1); None where there is none."""
    for reserved in [tag for tag in place.keys() if tag.group == group]:  # noqa: SIM118 - a Dataset iterates over elements
        tag = Tag(group, (reserved.element << 8 & 0xFF00) + element)
        is_block = 0x10 <= reserved.element < 0x100 and stated(place, reserved) == [(creator,)]
        if is_block and tag in place:
            return tag
    return None


def _items_at(place: Dataset, tag: BaseTag) -> Sequence[Dataset]:
    """The items of a sequence; none where it is not there, no sequence, or damaged."""
    if tag not in place:
        return ()
    try:
        value = place[tag].value
    except DAMAGED:
        return ()
    return [item for item in value if isinstance(item, Dataset)] if _listed(value) else ()


def _listed(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _parts(value: object) -> Sequence[object]:
    if value is None:
        return ()
    if isinstance(value, bytes):
        return value.decode("ascii", errors="replace").split("\\")
    if isinstance(value, str):
        return value.split("\\")
    return value if isinstance(value, Sequence) else [value]


def _plain(value: object) -> str:
    text = str(value).strip(" \0")
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in text)
