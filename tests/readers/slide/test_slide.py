"""Slides: what is opened and refused; tiles against the image that the file was made of."""

from pathlib import Path

import numpy as np
import pytest
from slides import block_means, landscape, write_tiff

from mmmed.errors import SlideError
from mmmed.readers.slide.slide import offers, open_slide
from mmmed.readers.slide.tile import Tile

IMAGE = landscape(512, 640)


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiff(tmp_path_factory.mktemp("slide") / "one.tif", IMAGE)


def test_a_slide_tells_its_magnification_and_size(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        assert slide.mpp == pytest.approx(0.5, rel=1e-6)
        assert slide.size == (640, 512)


@pytest.mark.parametrize(("mpp", "factor"), [(0.5, 1), (1.0, 2), (2.0, 4)])
def test_a_tile_of_a_level_is_its_pixels(pyramid: Path, mpp: float, factor: int) -> None:
    with open_slide(pyramid) as slide:
        values = slide.read(Tile(320, 256, mpp, 64))
    middle = block_means(IMAGE, factor)
    row, column = 256 // factor - 32, 320 // factor - 32
    expected = middle[row : row + 64, column : column + 64].transpose(2, 0, 1) / 255
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_a_finer_magnification_is_not_made_up(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        assert not offers(slide, 0.25)
        assert offers(slide, 0.48)
        with pytest.raises(SlideError, match="a magnification that the slide has not"):
            slide.read(Tile(320, 256, 0.25, 64))
