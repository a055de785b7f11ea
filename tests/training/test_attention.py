"""What an item is called where its share is told."""

from __future__ import annotations

from pathlib import Path

from mmmed.readers.slide.tile import Tile
from mmmed.readers.source import Source
from mmmed.training.attention import item_name

TILE = Tile(1200, 340, 0.5, 64)


def test_an_image_is_called_by_its_file_and_a_tile_by_its_place_as_well() -> None:
    assert item_name(Source(Path("a/b/SOB-40-001.png"))) == "SOB-40-001.png"
    told = item_name(Source(Path("a/slide.svs"), tile=TILE))
    assert told == "slide.svs at 1200, 340 (0.5 um per pixel)"


def test_no_name_of_a_file_of_dicom_is_told() -> None:
    files = (Path("DOE^JANE/1.dcm"), Path("DOE^JANE/2.dcm"))
    told = item_name(Source(files[0], files=files, tile=TILE))
    assert told == "2 DICOM files at 1200, 340 (0.5 um per pixel)"
