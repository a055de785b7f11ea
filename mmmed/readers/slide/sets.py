"""Multi-magnification sets: the tiles of one location, as many as the slide offers.

Threads read: OpenSlide decodes without Python's lock, and an array made by a thread is not copied,
where a process would send it back. At most `AHEAD` tiles per thread are read before they are asked
for, so that memory does not grow with the number of tiles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from mmmed.errors import SlideError
from mmmed.readers.slide.slide import Slide, offers
from mmmed.readers.slide.tile import Tile

AHEAD = 4


@dataclass(frozen=True, eq=False)
class TileSet:
    """The tiles of one location.

    Attributes:
        location: (x, y) of their common centre, in pixels of the slide's finest level.
        tiles: um per pixel -> (3, pixels, pixels) float32 in 0..1; no key for what is not there.
        faults: um per pixel -> why a tile that the slide should have cannot be read.
    """

    location: tuple[int, int]
    tiles: Mapping[float, np.ndarray]
    faults: Mapping[float, str]


def tile_sets(
    slide: Slide,
    locations: Iterable[tuple[int, int]],
    *,
    mpps: Sequence[float],
    pixels: int,
    threads: int = 1,
) -> Iterator[TileSet]:
    """The set of each location, in their order, read as they are asked for.

    Args:
        slide: open, until the last set is taken.
        locations: centres, in pixels of the finest level.
        mpps: magnifications, um per pixel; those that the slide has not are left out.
        pixels: along a tile's side.
        threads: that read.
    """
    places = list(locations)
    offered = [mpp for mpp in mpps if offers(slide, mpp)]
    orders = (Tile(x, y, mpp, pixels) for x, y in places for mpp in offered)
    read = read_tiles(slide, orders, threads=threads)
    for place in places:
        found = dict(zip(offered, islice(read, len(offered)), strict=True))
        yield TileSet(
            location=place,
            tiles={mpp: one for mpp, one in found.items() if isinstance(one, np.ndarray)},
            faults={mpp: str(one) for mpp, one in found.items() if isinstance(one, SlideError)},
        )


def read_tiles(
    slide: Slide, tiles: Iterable[Tile], *, threads: int = 1
) -> Iterator[np.ndarray | SlideError]:
    """Each tile as `Slide.read` gives it, or why it cannot be read, in the order given.

    Args:
        slide: open, until the last tile is taken.
        tiles: any number.
        threads: that read; with 1 each tile is read when it is asked for.
    """
    if threads == 1:
        yield from (_read(slide, tile) for tile in tiles)
        return
    waiting: deque[Future[np.ndarray | SlideError]] = deque()
    orders = iter(tiles)
    with ThreadPoolExecutor(threads) as pool:
        try:
            for tile in orders:
                waiting.append(pool.submit(_read, slide, tile))
                if len(waiting) >= AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def _read(slide: Slide, tile: Tile) -> np.ndarray | SlideError:
    try:
        return slide.read(tile)
    except SlideError as error:
        return error
