"""Tissue: where a slide shows something stained, on a coarse grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from mmmed.errors import SlideError
from mmmed.readers.slide.slide import Slide
from mmmed.readers.slide.window import Window

DETAIL_UM = 8.0
"""um per pixel of a mask."""

FEWEST, MOST = 512, 4096
"""Pixels along a mask's longer side: small slides have a finer mask, large ones a coarser."""

FAINTEST = 0.05
"""Difference of the largest and smallest colour from which a pixel is stained."""


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
    """Where a slide shows tissue.

    Raises:
        SlideError: nowhere, or the slide cannot be read.
    """
    longest = max(slide.size) * slide.mpp
    mpp = max(min(DETAIL_UM, longest / FEWEST), longest / MOST, slide.mpp)
    width, height = (math.ceil(side * slide.mpp / mpp) for side in slide.size)
    pixels = slide.window(Window(0.0, 0.0, mpp, (height, width)))
    stained = np.ptp(pixels, axis=2) > 255 * FAINTEST
    mask = ndimage.binary_opening(stained)
    if not mask.any():
        raise SlideError(f"{slide.path}: shows no tissue; leave it out")
    return Tissue(mask=mask, mpp=mpp)
