"""Sets: the tiles of a location agree with tiles read alone, in order, whatever the threads do."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from slides import block_means, landscape, write_tiff

from mmmed.errors import SlideError
from mmmed.readers.slide.sets import AHEAD, read_tiles, tile_sets
from mmmed.readers.slide.slide import Slide, open_slide
from mmmed.readers.slide.tile import Tile

IMAGE = landscape(512, 640)
PLACES = [(x, y) for y in range(64, 512, 96) for x in range(64, 640, 96)]


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Slide:
    return open_slide(write_tiff(tmp_path_factory.mktemp("slides") / "one.tif", IMAGE))


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide with one tile of its finest level, at 0, 0, that cannot be unpacked."""
    path = tmp_path_factory.mktemp("slides") / "damaged.tif"
    write_tiff(path, IMAGE, factors=(1, 2), compression="zlib")
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[place : place + 300] = bytes(300)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_of_a_set_are_centred_on_its_location(slide: Slide, threads: int) -> None:
    sets = list(tile_sets(slide, PLACES, mpps=(0.5, 1.0), pixels=32, threads=threads))
    assert [one.location for one in sets] == PLACES
    half = block_means(IMAGE, 2)
    for one in sets:
        x, y = one.location
        fine = IMAGE[y - 16 : y + 16, x - 16 : x + 16].transpose(2, 0, 1) / 255
        wide = half[y // 2 - 16 : y // 2 + 16, x // 2 - 16 : x // 2 + 16].transpose(2, 0, 1) / 255
        np.testing.assert_allclose(one.tiles[0.5], fine, atol=1e-6)
        np.testing.assert_allclose(one.tiles[1.0], wide, atol=1e-6)


def test_a_magnification_that_the_slide_has_not_is_absent_without_a_fault(slide: Slide) -> None:
    (one,) = tile_sets(slide, [(320, 256)], mpps=(0.25, 0.5), pixels=32)
    assert set(one.tiles) == {0.5}
    assert not one.faults


@pytest.mark.parametrize("threads", [1, 3])
def test_a_damaged_tile_costs_itself_alone(damaged: Path, threads: int) -> None:
    places = [(32, 32), *PLACES[1:], (32, 32), (600, 400)]
    with open_slide(damaged) as slide:
        sets = list(tile_sets(slide, places, mpps=(0.5, 1.0), pixels=32, threads=threads))
    broken = [one for one in sets if one.location == (32, 32)]
    assert len(broken) == 2
    assert all("damaged at 16, 16 of level 0" in one.faults[0.5] for one in broken)
    assert all(set(one.tiles) == {1.0} for one in broken)
    assert all(set(one.tiles) == {0.5, 1.0} for one in sets if one not in broken)


def test_no_more_tiles_are_read_than_the_look_ahead(slide: Slide) -> None:
    taken = []

    def orders() -> list[Tile]:
        for number in range(1000):
            taken.append(number)
            yield Tile(100, 100, 0.5, 16)

    read = read_tiles(slide, orders(), threads=2)
    next(read)
    assert len(taken) == 2 * AHEAD
    read.close()


def test_a_closed_slide_is_told(tmp_path: Path) -> None:
    with open_slide(write_tiff(tmp_path / "one.tif", IMAGE)) as slide:
        pass
    (fault,) = read_tiles(slide, [Tile(100, 100, 0.5, 16)])
    assert isinstance(fault, SlideError)
    assert "is closed" in str(fault)
