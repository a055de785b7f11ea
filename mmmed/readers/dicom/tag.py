"""A tag as people write it; as a number it is `group << 16 | element`."""

from __future__ import annotations

from pydicom.datadict import keyword_for_tag

PHOTOMETRIC = 0x00280004
BITS = 0x00280101
HIGH = 0x00280102
SIGNED = 0x00280103
"""How a pixel is stored: what says so is read, and what is unusual about it is told."""


def name_of(tag: int) -> str:
    """`PixelSpacing (0028,0030)`; a private one has no keyword."""
    return f"{keyword_for_tag(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X})".lstrip()
