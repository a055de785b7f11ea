"""A tile: a square of a slide at a magnification, by its centre."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mmmed.errors import SlideError

LARGEST = 8192
"""Pixels along the side of the largest tile: 64 mebipixels, as of the largest image."""


@dataclass(frozen=True, order=True)
class Tile:
    """A square of a slide.

    Attributes:
        x: of its centre, to the right, in pixels of the slide's finest level.
        y: of its centre, downwards.
        mpp: um per pixel of the tile.
        pixels: along its side, at that magnification.

    Raises:
        SlideError: a magnification that is no positive number, or a side out of 1 to `LARGEST`.
    """

    x: int
    y: int
    mpp: float
    pixels: int

    def __post_init__(self) -> None:
        if not (self.mpp > 0 and math.isfinite(self.mpp)):
            raise SlideError(f"a tile of {self.mpp:g} um per pixel; give a positive number")
        if not 1 <= self.pixels <= LARGEST:
            raise SlideError(f"a tile of {self.pixels} pixels; a side has 1 to {LARGEST}")
