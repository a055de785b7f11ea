"""Tissue against rectangles that are drawn: what is stained is found, everything else is not."""

from pathlib import Path

import numpy as np
import pytest
from slides import island, write_tiff

from mmmed.errors import SlideError
from mmmed.readers.slide.slide import open_slide
from mmmed.readers.slide.tissue import Tissue, cleaned, tissue

BOX = (200, 300, 600, 900)
SHAPE = (800, 1200)
INKS = {
    "blue": (40, 70, 180),
    "green": (30, 140, 80),
    "black": (25, 22, 28),
    "red": (210, 25, 40),
    "grey": (140, 140, 140),
    "yellow label": (250, 220, 60),
}


def found(path: Path, image: np.ndarray) -> Tissue:
    with open_slide(write_tiff(path / "one.tif", image)) as slide:
        return tissue(slide)


def share(one: Tissue, box: tuple[int, int, int, int]) -> float:
    """Of a box (top, left, bottom, right) in pixels of 0.5 um, how much is tissue."""
    top, left, bottom, right = (round(side * 0.5 / one.mpp) for side in box)
    return float(one.mask[top:bottom, left:right].mean())


def test_the_stained_rectangle_is_the_tissue(tmp_path: Path) -> None:
    one = found(tmp_path, island(*SHAPE, BOX))
    assert share(one, BOX) > 0.99
    assert one.mask.mean() == pytest.approx(400 * 600 / (800 * 1200), rel=0.02)


@pytest.mark.parametrize("name", INKS)
def test_ink_and_labels_are_no_tissue(tmp_path: Path, name: str) -> None:
    image = island(*SHAPE, BOX)
    image[100:700, 1000:1150] = INKS[name]
    image[250:350, 400:700] = INKS[name]
    one = found(tmp_path, image)
    assert share(one, (100, 1000, 700, 1150)) == 0
    assert share(one, (250, 400, 350, 700)) < 0.02
    assert share(one, (400, 320, 580, 880)) > 0.99


def test_a_pale_stain_is_tissue(tmp_path: Path) -> None:
    image = island(*SHAPE, BOX)
    image[200:600, 300:900] = (240, 220, 233)
    assert share(found(tmp_path, image), BOX) > 0.99


def test_a_yellowish_glass_is_no_tissue(tmp_path: Path) -> None:
    image = island(*SHAPE, BOX)
    glass = image.min(axis=2) > 200
    image[glass] = (245, 240, 222)
    one = found(tmp_path, image)
    assert share(one, BOX) > 0.99
    assert share(one, (0, 0, 150, 1200)) == 0


def test_tissue_from_edge_to_edge_is_tissue(tmp_path: Path) -> None:
    one = found(tmp_path, island(*SHAPE, (0, 0, *SHAPE)))
    assert one.mask.all()


def test_a_slide_of_background_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match="no tissue"):
        found(tmp_path, island(*SHAPE, (0, 0, 0, 0)))


def test_specks_are_dropped_and_small_holes_closed_but_a_large_hole_stays() -> None:
    mask = np.zeros((200, 200), dtype=bool)
    mask[50:150, 50:150] = True
    mask[60:64, 60:64] = False  # 32 um
    mask[90:120, 90:120] = False
    mask[10:14, 10:14] = True
    clean = cleaned(mask, 8.0)
    assert clean[60:64, 60:64].all()
    assert not clean[92:118, 92:118].any()
    assert not clean[:40].any()
    assert clean[60:80, 70:140].all()
