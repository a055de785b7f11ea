"""Pictures of a whole slide, made of the pyramid alone, never of the images beside it.

An overview is small and shows the tissue and nothing else: what is no tissue is blank, so that no
writing on the glass comes along.
"""

from __future__ import annotations

import numpy as np

from mmmed.errors import SlideError
from mmmed.readers.image import LARGEST
from mmmed.readers.slide.colour import WHITE, as_shares
from mmmed.readers.slide.slide import Slide
from mmmed.readers.slide.tissue import Tissue
from mmmed.readers.slide.window import Window


def overview(slide: Slide, *, side: int, tissue: Tissue) -> np.ndarray:
    """The tissue of a slide on white: (rows, columns, 3) uint8.

    Args:
        slide: to show.
        side: pixels of the longer side within a twentieth; fewer where the slide has fewer.
        tissue: of the slide.

    Raises:
        SlideError: the slide cannot be read.
    """
    longest = max(slide.size)
    mpp = slide.settled(slide.mpp * max(1.0, longest / side))
    width, height = (max(1, round(one * slide.mpp / mpp)) for one in slide.size)
    picture = slide.window(Window(0.0, 0.0, mpp, (height, width))).copy()
    picture[~_shown(tissue, mpp, (height, width))] = WHITE
    return picture


def whole(slide: Slide, *, mpp: float) -> np.ndarray:
    """All of a slide at a magnification, settled: (3, rows, columns) float32 in 0..1.

    Raises:
        SlideError: the slide has not the magnification, cannot be read, or has more pixels then
            than an image may have.
    """
    mpp = slide.settled(mpp)
    columns, rows = (max(1, round(one * slide.mpp / mpp)) for one in slide.size)
    if rows * columns > LARGEST:
        raise SlideError(
            f"{slide.path}: is {columns} x {rows} pixels at {mpp:g} um; at most "
            f"{LARGEST >> 20} x 1024 x 1024 are read at once: take it coarser, or tiles of it"
        )
    return as_shares(slide.window(Window(0.0, 0.0, mpp, (rows, columns))))


def _shown(tissue: Tissue, mpp: float, shape: tuple[int, int]) -> np.ndarray:
    """The mask on the grid of the overview, by nearest pixels."""
    rows, columns = (
        np.minimum(((np.arange(count) + 0.5) * mpp / tissue.mpp).astype(int), size - 1)
        for count, size in zip(shape, tissue.mask.shape, strict=True)
    )
    return np.asarray(tissue.mask[np.ix_(rows, columns)])
