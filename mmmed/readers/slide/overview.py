"""Overview: a small picture of a slide that shows its tissue and nothing else.

It is made of the pyramid alone, never of the images beside it, and what is no tissue is blank, so
that no writing on the glass comes along.
"""

from __future__ import annotations

import numpy as np

from mmmed.readers.slide.colour import WHITE
from mmmed.readers.slide.slide import Slide
from mmmed.readers.slide.tissue import Tissue
from mmmed.readers.slide.window import Window


def overview(slide: Slide, *, side: int, tissue: Tissue) -> np.ndarray:
    """The tissue of a slide on white: (rows, columns, 3) uint8.

    Args:
        slide: to show.
        side: pixels of the longer side; fewer where the slide itself has fewer.
        tissue: of the slide.

    Raises:
        SlideError: the slide cannot be read.
    """
    longest = max(slide.size)
    mpp = slide.mpp * max(1.0, longest / side)
    width, height = (max(1, round(one * slide.mpp / mpp)) for one in slide.size)
    picture = slide.window(Window(0.0, 0.0, mpp, (height, width))).copy()
    picture[~_shown(tissue, mpp, (height, width))] = WHITE
    return picture


def _shown(tissue: Tissue, mpp: float, shape: tuple[int, int]) -> np.ndarray:
    """The mask on the grid of the overview, by nearest pixels."""
    rows, columns = (
        np.minimum(((np.arange(count) + 0.5) * mpp / tissue.mpp).astype(int), size - 1)
        for count, size in zip(shape, tissue.mask.shape, strict=True)
    )
    return np.asarray(tissue.mask[np.ix_(rows, columns)])
