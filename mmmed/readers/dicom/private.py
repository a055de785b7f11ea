"""Private elements at the top level of a header.

block    256 elements of an odd group that a creator reserves by writing its name into the element
         (gggg,00bb); they are then (gggg,bb00) to (gggg,bbff) (PS3.5, 7.8.1)

Vendors ask for block 10, and get it; where somebody added elements of his own before them, or a
copy was sorted anew, it is a later one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mmmed.readers.dicom.elements import Elements

BLOCKS = range(0x10, 0x18)
"""Blocks that are looked into."""


@dataclass(frozen=True)
class Private:
    """One private element.

    Attributes:
        creator: who reserves its block.
        group: an odd number.
        element: within the block, 00 to ff.
    """

    creator: str
    group: int
    element: int

    @property
    def tags(self) -> frozenset[int]:
        """Every tag that it, or its creator, may have."""
        return frozenset(tag for pair in self._pairs for tag in pair)

    def value(self, elements: Elements) -> bytes:
        """Its value in a file, empty where the file has none."""
        values = elements.values
        for creator, tag in self._pairs:
            if tag in values and values.get(creator, b"").strip(b" \0") == self.creator.encode():
                return values[tag]
        return b""

    @cached_property
    def _pairs(self) -> tuple[tuple[int, int], ...]:
        """The tags of the creator and of the element, by block."""
        group = self.group << 16
        return tuple((group | block, group | block << 8 | self.element) for block in BLOCKS)
