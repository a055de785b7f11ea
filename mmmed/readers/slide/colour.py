"""Colours as OpenSlide stores them, on a background where a slide holds nothing.

`openslide.OpenSlide.read_region` makes a Pillow image, which costs a twelfth of decoding once more
when it becomes an array. The same two calls beneath it are made here on memory that is an array
from the start; a test compares both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ctypes import POINTER, c_uint32

import numpy as np
from openslide import PROPERTY_NAME_BACKGROUND_COLOR, OpenSlide
from openslide._convert import argb2rgba
from openslide.lowlevel import _read_region

WHITE = (255, 255, 255)

SOLID = 0xFF000000
"""The smallest R G B A, read as one little-endian number, that hides all behind it."""


def background(properties: Mapping[str, str]) -> tuple[int, int, int]:
    """What shows where a slide holds nothing: (R, G, B), white where the file does not say."""
    text = properties.get(PROPERTY_NAME_BACKGROUND_COLOR, "")
    if not re.fullmatch("[0-9A-Fa-f]{6}", text):
        return WHITE
    red, green, blue = bytes.fromhex(text)
    return red, green, blue


def region(
    handle: OpenSlide, place: tuple[int, int], *, level: int, size: tuple[int, int]
) -> np.ndarray:
    """Pixels of a level: (rows, columns, 4) uint8, R G B A.

    Args:
        handle: open.
        place: of the upper left corner, in pixels of the finest level.
        level: its number.
        size: columns and rows.

    Raises:
        openslide.OpenSlideError: the file is damaged there; the handle is of no more use.
    """
    width, height = size
    memory = np.empty((height, width), np.uint32)
    start = memory.ctypes.data_as(POINTER(c_uint32))
    _read_region(handle._osr, start, *place, level, width, height)  # noqa: SLF001  # see above
    argb2rgba(memory.data)
    return memory.view(np.uint8).reshape(height, width, 4)


def opaque(stored: np.ndarray, behind: tuple[int, int, int]) -> np.ndarray:
    """R G B A as it looks on a colour; the same array where it hides all of it."""
    if stored.view("<u4").min() >= SOLID:
        return stored
    share = stored[..., 3:] / np.float32(0xFF)
    shown = np.full_like(stored, 0xFF)
    shown[..., :3] = np.rint(stored[..., :3] * share + np.array(behind, np.float32) * (1 - share))
    return shown


def as_shares(colours: np.ndarray) -> np.ndarray:
    """Colours (rows, columns, 3) uint8 as images are: (3, rows, columns) float32 in 0..1."""
    shares = colours.transpose(2, 0, 1).astype(np.float32, order="C")
    shares /= np.float32(0xFF)
    return shares
