"""Tiles of slides as items: read when asked for, named by content and place, never on disk."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from slides import landscape, write_tiff

from mmmed.errors import DataError
from mmmed.readers.slide.tile import Tile
from mmmed.readers.source import Source
from mmmed.transforms import tiles
from mmmed.transforms.chain import Chain
from mmmed.transforms.picture import picture
from mmmed.transforms.prepare import load, prepare
from mmmed.transforms.prepared import Prepared, Refused
from mmmed.transforms.tiles import load_tiles, read_ahead

NORMALISE = {"kind": "normalise", "mean": [0.5, 0.4, 0.3], "sd": [0.25, 0.2, 0.1]}
CHAIN = Chain.model_validate({"item": "image", "prepare": [NORMALISE]})
PLACES = [(x, y) for y in (32, 96, 160) for x in (32, 96, 160, 224)]


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return write_tiff(tmp_path / "a.tif", landscape(192, 256), mpp=0.5, factors=(1, 2))


def sources(slide: Path, *, mpp: float = 0.5, pixels: int = 32) -> list[Source]:
    return [Source(slide, tile=Tile(x, y, mpp, pixels)) for x, y in PLACES]


def ready(found: list[Prepared | Refused]) -> list[Prepared]:
    assert all(isinstance(one, Prepared) for one in found), found
    return [one for one in found if isinstance(one, Prepared)]


def made(slide: Path, cache: Path, *, chain: Chain = CHAIN, mpp: float = 0.5) -> list[Prepared]:
    return ready(prepare(sources(slide, mpp=mpp), chain, kind="image", cache=cache))


def test_a_tile_is_its_pixels_after_the_chain(slide: Path, tmp_path: Path) -> None:
    """Against OpenSlide's own region and the formula of `normalise`."""
    items = made(slide, tmp_path / "kept")
    with openslide.OpenSlide(slide) as opened:
        for item, (x, y) in zip(items, PLACES, strict=True):
            region = opened.read_region((x - 16, y - 16), 0, (32, 32)).convert("RGB")
            pixels = np.asarray(region)
            values = (pixels / 255 - [0.5, 0.4, 0.3]) / [0.25, 0.2, 0.1]
            np.testing.assert_allclose(load(item), values.transpose(2, 0, 1), atol=1e-5)
            np.testing.assert_array_equal(picture(item), pixels)
            assert item.shape == (3, 32, 32)


def test_no_pixel_is_written_to_disk(slide: Path, tmp_path: Path) -> None:
    for item in made(slide, tmp_path / "kept"):
        load(item)
    written = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert [path.suffix for path in written] == [".json"]


def test_what_was_looked_at_is_not_looked_at_again(slide: Path, tmp_path: Path) -> None:
    """The facts of the first time are trusted: one that is altered shows in the second."""
    first = made(slide, tmp_path / "kept")
    (facts,) = (tmp_path / "kept").rglob("*.json")
    assert made(slide, tmp_path / "kept") == first
    facts.write_text(facts.read_text().replace("by the stated mean", "as told"))
    assert {one.record[0] for one in made(slide, tmp_path / "kept")} == {
        "normalise: as told and sd"
    }
    facts.write_text("{")
    assert made(slide, tmp_path / "kept") == first


def test_the_digest_is_the_file_s_and_the_identity_the_tile_s(slide: Path, tmp_path: Path) -> None:
    items = made(slide, tmp_path / "kept")
    assert {one.digest for one in items} == {hashlib.sha256(slide.read_bytes()).hexdigest()}
    other = Chain.model_validate({"item": "image", "prepare": [NORMALISE, {"kind": "clip"}]})
    copy = slide.with_name("b.tif")
    copy.write_bytes(slide.read_bytes())
    coarse = made(slide, tmp_path / "kept", mpp=1.0)
    clipped = made(slide, tmp_path / "kept", chain=other)
    names = [one.identity for one in (*items, *coarse, *clipped)]
    assert len(set(names)) == 3 * len(PLACES)
    assert [one.identity for one in made(copy, tmp_path / "kept")] == names[: len(PLACES)]


def test_a_slide_that_changed_since_it_was_looked_at_is_not_read(
    slide: Path, tmp_path: Path
) -> None:
    item = made(slide, tmp_path / "kept")[0]
    write_tiff(slide, landscape(192, 256, seed=5), mpp=0.5, factors=(1, 2))
    os.utime(slide, ns=(1, 1))
    with pytest.raises(DataError, match=r"a\.tif: changed since"):
        picture(Prepared(item.source, None, "", item.shape, lazy=aged(item)))


def aged(item: Prepared) -> tiles.Lazy:
    assert item.lazy is not None
    return tiles.Lazy(chain=item.lazy.chain, key="other", state=((2, 2),))


def test_a_damaged_tile_in_the_middle_costs_itself_alone(tmp_path: Path) -> None:
    """One deflated tile of 64 pixels is overwritten; its neighbours are read."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        landscape(192, 256),
        tile=(64, 64),
        compression="deflate",
        photometric="rgb",
        resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER",
    )
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        start, length = page.dataoffsets[5], page.databytecounts[5]
    content = bytearray(path.read_bytes())
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    found = prepare(sources(path), CHAIN, kind="image", cache=tmp_path / "kept")
    assert [isinstance(one, Refused) for one in found] == [place == (96, 96) for place in PLACES]
    (reason,) = [one.reason for one in found if isinstance(one, Refused)]
    assert reason.startswith(f"{path}: damaged")
    assert "\n" not in reason


def test_many_damaged_tiles_of_a_slide_are_one_reason(slide: Path, tmp_path: Path) -> None:
    found = prepare(sources(slide, mpp=0.25), CHAIN, kind="image", cache=tmp_path / "kept")
    reasons = {one.reason for one in found if isinstance(one, Refused)}
    assert len(reasons) == 1
    assert reasons.pop().endswith("12 of 12 tiles are left out")


def test_threads_read_what_one_reads(slide: Path, tmp_path: Path) -> None:
    items = made(slide, tmp_path / "kept")
    read_ahead(items)
    many = load_tiles(items)
    for one, item in zip(many, items, strict=True):
        np.testing.assert_array_equal(one, load(item))
        one[:] = 0
    assert load(items[0]).any()


def test_memory_does_not_grow_with_tiles(tmp_path: Path) -> None:
    """Peak of looking at 4 tiles and at 60, by tracemalloc; one is 196 kB as floats."""
    slide = write_tiff(tmp_path / "a.tif", landscape(640, 768), mpp=0.5, factors=(1,))
    places = [(64 + 64 * x, 64 + 64 * y) for x in range(10) for y in range(6)]
    peaks = []
    for number in (4, 60):
        wanted = [Source(slide, tile=Tile(x, y, 0.5, 128)) for x, y in places[:number]]
        prepare(wanted[:1], CHAIN, kind="image", cache=tmp_path / "first")
        tracemalloc.start()
        prepare(wanted, CHAIN, kind="image", cache=tmp_path / str(number))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 400_000


def test_arrays_in_memory_are_forgotten_beyond_a_bound() -> None:
    kept = tiles._Ready(1000)
    for key in "abc":
        kept.keep(key, np.zeros(100, np.float32))
    assert kept.find("a") is None
    assert kept.find("b") is not None
    kept.keep("d", np.zeros(100, np.float32))
    assert kept.find("c") is None
    assert kept.find("b") is not None
