"""Locations: on tissue, spread, bounded, and of one slide and one seed always the same."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slides import island, write_tiff

from mmmed.errors import SlideError
from mmmed.readers.slide import sampling
from mmmed.readers.slide.sampling import locations
from mmmed.readers.slide.slide import Slide, open_slide
from mmmed.readers.slide.tissue import Tissue, tissue

TOP, LEFT, BOTTOM, RIGHT = BOX = (150, 300, 700, 1100)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiff(tmp_path_factory.mktemp("slides") / "one.tif", island(800, 1200, BOX))


@pytest.fixture(scope="module")
def slide(path: Path) -> Slide:
    return open_slide(path)


@pytest.fixture(scope="module")
def mask(slide: Slide) -> Tissue:
    return tissue(slide)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), most=st.integers(1, 300))
def test_locations_are_bounded_apart_and_on_tissue(
    slide: Slide, mask: Tissue, seed: int, most: int
) -> None:
    found = np.array(locations(slide, mask, mpps=(0.5, 2.0), pixels=32, most=most, seed=seed))
    assert len(found) <= most
    assert ((found >= (LEFT - 4, TOP - 4)) & (found <= (RIGHT + 4, BOTTOM + 4))).all()
    apart = np.abs(found[:, None] - found[None]).max(axis=2)
    np.fill_diagonal(apart, 1000)
    assert apart.min() >= 31


def test_few_locations_do_not_overlap_at_the_coarsest_magnification(
    slide: Slide, mask: Tissue
) -> None:
    found = np.array(locations(slide, mask, mpps=(0.5, 2.0), pixels=32, most=10, seed=3))
    apart = np.abs(found[:, None] - found[None]).max(axis=2)
    np.fill_diagonal(apart, 1000)
    assert len(found) == 10
    assert apart.min() >= 127


def test_a_slide_and_a_seed_give_the_same_locations_wherever_the_file_lies(
    path: Path, slide: Slide, mask: Tissue, tmp_path: Path
) -> None:
    copied = shutil.copy(path, tmp_path / "another-name.tif")
    with open_slide(copied) as other:
        again = locations(other, tissue(other), mpps=(0.5,), pixels=32, most=9, seed=5)
    assert again == locations(slide, mask, mpps=(0.5,), pixels=32, most=9, seed=5)
    assert again != locations(slide, mask, mpps=(0.5,), pixels=32, most=9, seed=6)


def test_more_locations_begin_with_fewer(slide: Slide, mask: Tissue) -> None:
    many = locations(slide, mask, mpps=(0.5, 1.0), pixels=32, most=50, seed=0)
    assert many[:7] == locations(slide, mask, mpps=(0.5, 1.0), pixels=32, most=7, seed=0)


def test_small_tissue_gives_fewer_locations(slide: Slide, mask: Tissue) -> None:
    found = locations(slide, mask, mpps=(0.5,), pixels=256, most=500, seed=0)
    assert 1 <= len(found) <= 3 * 5


def test_a_magnification_that_the_slide_has_not_does_not_count(slide: Slide, mask: Tissue) -> None:
    with_it = locations(slide, mask, mpps=(0.25, 0.5, 2.0), pixels=32, most=9, seed=0)
    assert with_it == locations(slide, mask, mpps=(0.5, 2.0), pixels=32, most=9, seed=0)
    with pytest.raises(SlideError, match=r"none of the magnifications 0\.1, 0\.25"):
        locations(slide, mask, mpps=(0.1, 0.25), pixels=32, most=9, seed=0)


def test_a_grid_of_tiny_tiles_is_bounded(
    slide: Slide, mask: Tissue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(locations(slide, mask, mpps=(0.5,), pixels=4, most=5000, seed=0)) == 5000
    monkeypatch.setattr(sampling, "MOST_STEPS", 16)
    few = locations(slide, mask, mpps=(0.5,), pixels=4, most=5000, seed=0)
    assert 50 < len(few) <= 16 * 16


def test_a_slide_without_a_pyramid_is_keyed_by_its_content(tmp_path: Path) -> None:
    """OpenSlide makes no digest where the coarsest level has more than 5 MiB."""
    grain = np.random.default_rng(0).integers(0, 255, (1536, 1536, 3), dtype=np.uint8)
    one = write_tiff(tmp_path / "one.tif", grain, factors=(1,))
    same = shutil.copy(one, tmp_path / "same.tif")
    grain[-1, -1] = 255 - grain[-1, -1]
    other = write_tiff(tmp_path / "other.tif", grain, factors=(1,))
    keys = [open_slide(path).key for path in (one, same, other)]
    assert keys[0] == keys[1] != keys[2]
