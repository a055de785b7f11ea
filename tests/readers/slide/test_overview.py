"""Overviews: tissue from the pyramid, everything else blank."""

from pathlib import Path

import numpy as np
import pytest
from slides import island, write_tiff

from mmmed.readers.slide.overview import overview
from mmmed.readers.slide.slide import open_slide
from mmmed.readers.slide.tissue import tissue


@pytest.mark.parametrize("side", [100, 287, 310])
def test_an_overview_shows_the_tissue_where_it_lies_and_no_writing(
    tmp_path: Path, side: int
) -> None:
    image = island(800, 1200, (200, 300, 600, 900))
    image[20:160, 20:1100] = 20
    with open_slide(write_tiff(tmp_path / "one.tif", image, factors=(1, 2, 4))) as slide:
        picture = overview(slide, side=side, tissue=tissue(slide))
    assert max(picture.shape) == pytest.approx(side, rel=0.05)
    rows, columns = picture.shape[:2]
    top, left, bottom, right = rows / 4, columns / 4, rows * 3 / 4, columns * 3 / 4
    shown = np.argwhere((picture != 255).any(axis=2))
    assert np.abs(shown.min(axis=0) - (top, left)).max() <= 2
    assert np.abs(shown.max(axis=0) - (bottom, right)).max() <= 2
    inside = picture[round(top) + 3 : round(bottom) - 3, round(left) + 3 : round(right) - 3]
    assert np.abs(inside.mean(axis=(0, 1)) - (200, 90, 160)).max() < 3
