"""Overviews of slides: their tiles, and no pixel of what stands beside the tissue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw
from slides import PINK, WHITE, landscape

from mmmed.readers.slide.tile import Tile
from mmmed.readers.source import Source
from mmmed.transforms.overviews import COLOURS, drawn, sampled, write

MAKER = "Aperio Image Library v11.2.1\r\n"
MARK = (210, 40, 40)
"""A colour that no tissue here has: of the planted names."""


def named(height: int, width: int, background: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGB", (width, height), background)
    ImageDraw.Draw(image).text((4, 4), "DOE JANE", fill=MARK)
    return image


def slide(path: Path) -> Path:
    """Tissue in the middle; a name in the label, the macro, and a corner of the main image."""
    image = named(512, 512, WHITE)
    ground = np.array(image)
    tint = landscape(256, 320).astype(int) // 8 + PINK
    ground[128:384, 160:480] = tint.astype(np.uint8)
    with tifffile.TiffWriter(path) as file:
        about = f"{MAKER}512x512 [0,0 512x512] (64x64)|AppMag = 20|MPP = 0.5"
        file.write(ground, tile=(64, 64), photometric="rgb", description=about, metadata=None)
        for kind, name in ((1, "label"), (9, "macro")):
            beside = np.array(named(100, 120, (250, 250, 250)))
            about = f"{MAKER}{name} 120x100"
            file.write(
                beside, photometric="rgb", subfiletype=kind, description=about, metadata=None
            )
    return path


def owned(path: Path) -> list[tuple[str, str, tuple[Source, ...]]]:
    places = [(200, 200), (400, 300)]
    return [
        ("P-1", name, tuple(Source(path, tile=Tile(x, y, mpp, 32)) for x, y in places))
        for name, mpp in (("x10", 1.0), ("x20", 0.5))
    ]


def marked(picture: np.ndarray) -> np.ndarray:
    """Pixels of the names: less blue than any tissue (160 and more) or glass here."""
    return picture[..., 2] < 150


def test_no_pixel_of_a_planted_name_gets_out(tmp_path: Path) -> None:
    path = slide(tmp_path / "a.svs")
    with tifffile.TiffFile(path) as file:
        assert marked(file.pages[0].asarray()).sum() > 50
    (one,) = sampled(owned(path))
    picture = drawn(one)[:512]
    outlined = np.zeros(picture.shape[:2], dtype=bool)
    for colour in COLOURS:
        ink = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        outlined |= (picture == ink).all(axis=2)
    assert not marked(picture)[~outlined].any()
    assert (picture[:100] == 255).all()
    assert (picture[:, :140] == 255).all()
    assert (picture[200:300, 250:350] != 255).any(axis=2).mean() > 0.9


def test_every_tile_is_outlined_where_it_was_taken(tmp_path: Path) -> None:
    """A tile of 32 pixels of 1 um lies on 64 pixels of 0.5 um around its centre."""
    (one,) = sampled(owned(slide(tmp_path / "a.svs")))
    picture = drawn(one)
    ink = tuple(int(COLOURS[0][place : place + 2], 16) for place in (1, 3, 5))
    for x, y in ((200, 200), (400, 300)):
        assert tuple(picture[y - 32, x]) == ink
        assert tuple(picture[y, x + 32]) == ink
        assert tuple(picture[y, x]) != ink


def test_pictures_are_named_by_case_and_a_slide_that_is_gone_is_passed_over(
    tmp_path: Path,
) -> None:
    path = slide(tmp_path / "DOE JANE.svs")
    gone = tmp_path / "gone.svs"
    slides = sampled([*owned(path), ("P-2", "x20", (Source(gone, tile=Tile(9, 9, 0.5, 8)),))])
    write(slides, tmp_path / "out")
    written = [str(one.relative_to(tmp_path / "out")) for one in (tmp_path / "out").rglob("*.png")]
    assert written == ["qc/P-1_slide-1_tiles.png"]


@pytest.mark.parametrize("case", ["../../P-1", "a/b", "..", "/P-1", "P" * 300])
def test_a_case_with_a_path_for_a_name_is_drawn_below_the_folder(tmp_path: Path, case: str) -> None:
    path = slide(tmp_path / "a.svs")
    out = tmp_path / "runs" / "out"
    write(sampled((case, name, tiles) for _, name, tiles in owned(path)), out)
    (picture,) = tmp_path.rglob("*.png")
    assert picture.parent == out / "qc"
