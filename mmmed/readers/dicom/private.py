"""Private elements at the top level of a header.

block    256 elements of an odd group that a creator reserves by writing its name into the element
         (gggg,00bb); they are then (gggg,bb00) to (gggg,bbff) (PS3.5, 7.8.1)

Vendors ask for block 10, and get it; where somebody added elements of his own before them, or a
copy was sorted anew, it is a later one.
"""

from __future__ import annotations

from dataclasses import dataclass

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
        return frozenset(self._creator(block) for block in BLOCKS) | frozenset(
            self._tag(block) for block in BLOCKS
        )

    def value(self, elements: Elements) -> bytes:
        """Its value in a file, empty where the file has none."""
        for block in BLOCKS:
            owner = elements.values.get(self._creator(block))
            if owner is not None and owner.strip(b" \0") == self.creator.encode():
                return elements.values.get(self._tag(block), b"")
        return b""

    def _creator(self, block: int) -> int:
        return self.group << 16 | block

    def _tag(self, block: int) -> int:
        return self.group << 16 | block << 8 | self.element
