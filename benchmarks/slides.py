"""Tiles per second of a slide, beside raw calls of `openslide.read_region` on the same regions.

`python -m benchmarks slides` takes 300 tiles of 256 pixels of the finest level, anywhere, in turns

raw      `read_region` of OpenSlide's Python package: a Pillow image, RGBA
pixels   `Slide.pixels`: (256, 256, 3) uint8
read     `Slide.read`: (3, 256, 256) float32, as models take them

with one thread and with two, from slides whose tiles are JPEG and JPEG 2000, built here, and from
the real SVS where the folder of real files is there. OpenSlide's cache of decoded tiles is off: a
small slide fits into it and is copied under Python's lock instead of decoded, while a slide of
gigabytes is decoded. Processor time is beside the wall's: it hardly feels other loads. Memory is
what a process that reads N and 10 N tiles through `read_tiles` holds at most.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from openslide import OpenSlide, OpenSlideCache

from mmmed.readers.slide.slide import Slide, open_slide
from mmmed.readers.slide.tile import Tile

ROOT = Path(__file__).resolve().parent.parent
REAL = ROOT.parent / "shared" / "data" / "wsi-svs" / "cmu-1-small-region.svs"
SIDE = 2048
PIXELS = 256
TURNS = 5
TILES = 300
FEW = 200

sys.path.append(str(ROOT / "tests" / "support"))

Read = Callable[[Tile], object]
Turn = Mapping[tuple[str, int], tuple[float, float]]


def measure() -> dict[str, Any]:
    """Medians over turns: tiles per second of each way, and ratios to raw within a turn."""
    with tempfile.TemporaryDirectory() as folder:
        slides = {codec: _built(Path(folder), codec) for codec in ("jpeg", "jpeg-2000-lossy")}
        if REAL.is_file():
            slides["real SVS, JPEG"] = REAL
        found = {name: _compared(path) for name, path in slides.items()}
        grown = _grown(slides["jpeg"])
    return {
        **found,
        "most memory, MiB": grown,
        "asked": "pixels over raw >= 0.95, two threads >= 1.8 x raw with one; memory flat",
    }


def _built(folder: Path, codec: str) -> Path:
    from encoded_slides import APERIO, write_svs

    random = np.random.default_rng(0)
    image = random.integers(90, 230, (SIDE // 16, SIDE // 16, 3), dtype=np.uint8)
    image = image.repeat(16, axis=0).repeat(16, axis=1)
    image += random.integers(0, 4, image.shape, dtype=np.uint8)
    text = APERIO.format(width=SIDE, height=SIDE, mpp=0.5)
    path = folder / f"{codec}.svs"
    return write_svs(path, image, codec=codec, factors=(1,), side=PIXELS, description=text)


def _compared(path: Path) -> dict[str, str]:
    ways: dict[str, Callable[[], Read]] = {
        "raw": lambda: partial(_raw, _uncached(OpenSlide(path))),
        "pixels": lambda: _opened(path).pixels,
        "read": lambda: _opened(path).read,
    }
    tiles = _tiles(path)
    turns = [
        {
            (name, threads): _timed(way(), tiles, threads)
            for name, way in ways.items()
            for threads in (1, 2)
        }
        for _ in range(TURNS)
    ]
    return {
        f"{name}, {threads}": _told(turns, name, threads, len(tiles))
        for name in ways
        for threads in (1, 2)
    }


def _told(turns: Sequence[Turn], name: str, threads: int, tiles: int) -> str:
    speed, wall, processor = (
        statistics.median(values)
        for values in (
            [tiles / turn[name, threads][0] for turn in turns],
            [turn["raw", 1][0] / turn[name, threads][0] for turn in turns],
            [turn["raw", 1][1] / turn[name, threads][1] for turn in turns],
        )
    )
    return f"{speed:.0f} per s, {wall:.2f} x raw, {processor:.2f} by processor time"


def _tiles(path: Path) -> list[Tile]:
    """Tiles that lie anywhere on the slide."""
    random = np.random.default_rng(0)
    half = PIXELS // 2
    with open_slide(path) as slide:
        corners = random.integers(0, np.array(slide.size) - PIXELS, (TILES, 2)).tolist()
        return [Tile(x + half, y + half, slide.mpp, PIXELS) for x, y in corners]


def _opened(path: Path) -> Slide:
    slide = open_slide(path)
    _uncached(slide._handle)  # noqa: SLF001 - no user wants a slide without its cache
    return slide


def _uncached(handle: OpenSlide) -> OpenSlide:
    handle.set_cache(OpenSlideCache(0))
    return handle


def _raw(slide: OpenSlide, tile: Tile) -> object:
    corner = tile.x - PIXELS // 2, tile.y - PIXELS // 2
    return slide.read_region(corner, 0, (PIXELS, PIXELS))


def _timed(read: Read, tiles: Sequence[Tile], threads: int) -> tuple[float, float]:
    """Seconds of the wall and of the processor."""
    begun, spent = time.perf_counter(), time.process_time()
    if threads == 1:
        for tile in tiles:
            read(tile)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(read, tiles):
                pass
    return time.perf_counter() - begun, time.process_time() - spent


def _grown(path: Path) -> list[str]:
    """Largest resident memory of processes that read few and ten times as many tiles."""
    code = (
        "import resource, sys; from itertools import cycle, islice; from pathlib import Path\n"
        "from benchmarks.slides import _tiles\n"
        "from mmmed.readers.slide.sets import read_tiles\n"
        "from mmmed.readers.slide.slide import open_slide\n"
        "path, count = Path(sys.argv[1]), int(sys.argv[2])\n"
        "tiles = islice(cycle(_tiles(path)), count)\n"
        "for _ in read_tiles(open_slide(path), tiles, threads=2): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    return [
        f"{count} tiles: {float(done.stdout):.0f}"
        for count in (FEW, 10 * FEW)
        for done in [
            subprocess.run(
                [sys.executable, "-c", code, str(path), str(count)],
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
            )
        ]
    ]
