"""Tissue: where a slide shows something stained, on a coarse grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mmmed.errors import SlideError
from mmmed.readers.slide.slide import Slide
from mmmed.readers.slide.stain import stained
from mmmed.readers.slide.window import Window

DETAIL_UM = 8.0
"""um per pixel of a mask."""

FEWEST, MOST = 512, 2048
"""Pixels along a mask's longer side: small slides have a finer mask, large ones a coarser."""

SMALLEST_UM = 50.0
"""Side of the square whose area a piece and a hole have at least: about a tile of 40x. Smaller
pieces are dropped, smaller holes closed."""

_AROUND = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True, eq=False)
class Tissue:
    """Where a slide shows tissue.

    Attributes:
        mask: (rows, columns) bool.
        mpp: um per pixel of the mask, whose upper left corner is the slide's.
    """

    mask: np.ndarray
    mpp: float


def tissue(slide: Slide) -> Tissue:
    """Where a slide shows tissue, at most `MOST` x `MOST` pixels.

    Raises:
        SlideError: nowhere, or the slide cannot be read as a whole.
    """
    longest = max(slide.size) * slide.mpp
    wanted = max(min(DETAIL_UM, longest / FEWEST), longest / MOST)
    mpp = slide.settled(max(wanted, slide.mpp))
    width, height = (math.ceil(side * slide.mpp / mpp) for side in slide.size)
    stain, ink = stained(slide.window(Window(0.0, 0.0, mpp, (height, width))))
    mask = cleaned(stain & ~ink, mpp) & ~ink
    if not mask.any():
        raise SlideError(f"{slide.path}: shows no tissue, only background; leave it out")
    return Tissue(mask=mask, mpp=mpp)


def cleaned(mask: np.ndarray, mpp: float) -> np.ndarray:
    """A mask (rows, columns) of `mpp` um per pixel without specks and without small holes."""
    closed = ndimage.binary_closing(np.pad(mask, 1), _AROUND)[1:-1, 1:-1] | mask
    least = (SMALLEST_UM / mpp) ** 2
    filled = ~_larger(~closed, least)
    return _larger(ndimage.binary_opening(filled, _AROUND), least)


def _larger(mask: np.ndarray, area: float) -> np.ndarray:
    """The connected pieces of a mask that have at least an area, in pixels."""
    pieces, _ = ndimage.label(mask)
    kept = np.bincount(pieces.ravel()) >= area
    kept[0] = False
    return np.asarray(kept[pieces])
