"""Slides: what is opened and refused; tiles against the image that the file was made of."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from encoded_slides import APERIO, write_dicom, write_svs
from hypothesis import given, settings
from hypothesis import strategies as st
from openslide import OpenSlide
from slides import block_means, landscape, write_tiff

from mmmed.errors import SlideError
from mmmed.readers.slide.slide import Slide, offers, open_slide
from mmmed.readers.slide.tile import Tile

IMAGE = landscape(512, 640)
DESCRIPTION = APERIO.format(width=640, height=512, mpp=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slides")


@pytest.fixture(scope="module")
def pyramid(folder: Path) -> Path:
    return write_tiff(folder / "pyramid.tif", IMAGE)


@pytest.fixture(scope="module")
def slide(pyramid: Path) -> Slide:
    return open_slide(pyramid)


@pytest.fixture(scope="module")
def one_level(folder: Path) -> Slide:
    return open_slide(write_tiff(folder / "one-level.tif", IMAGE, factors=(1,)))


def window(image: np.ndarray, tile: Tile, factor: int) -> np.ndarray:
    """What a tile is of an image that was made coarser by a factor."""
    row, column = tile.y // factor - tile.pixels // 2, tile.x // factor - tile.pixels // 2
    return image[row : row + tile.pixels, column : column + tile.pixels]


def triangle(image: np.ndarray, tile: Tile, factor: float) -> np.ndarray:
    """A tile by weights written down: 1 - distance / factor, of pixels nearer than the factor."""
    steps = (np.arange(tile.pixels) + 0.5 - tile.pixels / 2) * factor
    weights = []
    for centre, size in ((tile.y, image.shape[0]), (tile.x, image.shape[1])):
        apart = np.abs((centre + steps)[:, None] - (np.arange(size) + 0.5)[None])
        weight = np.maximum(0, 1 - apart / factor)
        weights.append(weight / weight.sum(axis=1, keepdims=True))
    rows = np.tensordot(weights[0], image.astype(float), axes=1)
    return np.einsum("rjc,sj->rsc", rows, weights[1])


def test_a_slide_tells_its_magnification_and_size(slide: Slide) -> None:
    assert slide.mpp == pytest.approx(0.5, rel=1e-6)
    assert slide.size == (640, 512)


@pytest.mark.parametrize(("mpp", "factor"), [(0.5, 1), (1.0, 2), (2.0, 4)])
def test_a_tile_of_a_level_is_its_pixels(slide: Slide, mpp: float, factor: int) -> None:
    tile = Tile(320, 256, mpp, 64)
    values = slide.read(tile)
    expected = window(block_means(IMAGE, factor), tile, factor).transpose(2, 0, 1) / 255
    assert values.dtype == np.float32
    assert values.flags.c_contiguous
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_within_the_tolerance_pixels_of_a_level_are_the_tiles(slide: Slide) -> None:
    exact = slide.pixels(Tile(320, 256, 1.0, 64))
    for mpp in (0.96, 1.04):
        np.testing.assert_array_equal(slide.pixels(Tile(320, 256, mpp, 64)), exact)


@settings(max_examples=12, deadline=None)
@given(mpp=st.floats(0.54, 2.0), x=st.integers(200, 400), y=st.integers(200, 300))
def test_between_levels_a_tile_is_averaged_down_to_exactly_what_is_asked(
    one_level: Slide, mpp: float, x: int, y: int
) -> None:
    tile = Tile(x, y, mpp, 20)
    expected = triangle(IMAGE, tile, mpp / 0.5)
    assert np.abs(one_level.pixels(tile) - expected).max() <= 2


def test_the_nearest_finer_level_is_read(folder: Path) -> None:
    """The levels differ in colour here, so that each tells where a tile came from."""
    path = folder / "coloured.tif"
    with tifffile.TiffWriter(path) as file:
        for factor in (1, 2, 4):
            level = np.full((512 // factor, 640 // factor, 3), 50 * factor, np.uint8)
            tags = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
            file.write(level, tile=(64, 64), photometric="rgb", subfiletype=int(factor > 1), **tags)
    with open_slide(path) as slide:
        asked = (0.5, 0.94, 0.96, 1.5, 1.95, 3.0)
        colours = [int(slide.pixels(Tile(320, 256, mpp, 8)).mean()) for mpp in asked]
    assert colours == [50, 50, 100, 100, 200, 200]


def test_a_large_region_is_read_in_blocks_that_fit_together(
    one_level: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiles = [Tile(320, 256, 1.7, 120), Tile(320, 256, 0.5, 400)]
    at_once = [one_level.pixels(tile) for tile in tiles]
    monkeypatch.setattr("mmmed.readers.slide.window.BLOCK", 100)
    for tile, whole in zip(tiles, at_once, strict=True):
        assert np.abs(one_level.pixels(tile).astype(int) - whole).max() <= 1


def test_a_pyramid_without_levels_for_a_magnification_is_refused_before_reading(
    one_level: Slide,
) -> None:
    with pytest.raises(SlideError, match="levels are too far apart: 8192 x 8192 pixels of 50 um"):
        one_level.pixels(Tile(320, 256, 50.0, 8192))


def test_outside_the_slide_is_white(slide: Slide) -> None:
    corner = slide.pixels(Tile(0, 0, 0.5, 64))
    assert (corner[:32] == 255).all()
    assert (corner[:, :32] == 255).all()
    np.testing.assert_array_equal(corner[32:, 32:], IMAGE[:32, :32])


def test_a_tile_is_what_openslides_own_call_gives(slide: Slide) -> None:
    raw = np.asarray(slide._handle.read_region((100, 90), 0, (80, 80)).convert("RGB"))
    np.testing.assert_array_equal(slide.pixels(Tile(140, 130, 0.5, 80)), raw)


def test_a_finer_magnification_is_not_made_up(slide: Slide) -> None:
    assert not offers(slide, 0.25)
    assert not offers(slide, 0.47)
    assert offers(slide, 0.48)
    with pytest.raises(SlideError, match="a magnification that the slide has not"):
        slide.read(Tile(320, 256, 0.25, 64))


@pytest.mark.parametrize(
    ("mpp", "why"),
    [
        (None, "states no um per pixel; give its um per pixel in a table wsi,mpp"),
        ((0.5, 0.6), r"its pixels are 0\.5 x 0\.6 um, not square"),
        (352.8, "352.8 um per pixel cannot be"),
        (0.0005, "0.0005 um per pixel cannot be"),
    ],
)
def test_a_slide_without_a_usable_magnification_is_refused(
    tmp_path: Path, mpp: float | tuple[float, float] | None, why: str
) -> None:
    path = write_tiff(tmp_path / "one.tif", IMAGE[:64, :64], mpp=mpp, factors=(1,))
    with pytest.raises(SlideError, match=why):
        open_slide(path)
    with open_slide(path, mpp=0.25) as slide:
        assert slide.mpp == 0.25


@pytest.mark.parametrize("mpp", [0.0, -0.5, float("nan"), 1e6, 250.0])
def test_a_magnification_given_that_cannot_be_is_refused(pyramid: Path, mpp: float) -> None:
    with pytest.raises(SlideError, match="look whether it is in mm or nm"):
        open_slide(pyramid, mpp=mpp)


def test_the_power_of_an_objective_is_not_taken_for_it(tmp_path: Path) -> None:
    text = DESCRIPTION.replace("|MPP = 0.5", "")
    path = write_svs(tmp_path / "one.svs", IMAGE, codec="jpeg", description=text)
    with pytest.raises(SlideError, match=r"an objective of 20x is no measure"):
        open_slide(path)


@pytest.mark.parametrize(
    ("codec", "off"), [("jpeg", 8), ("jpeg-2000", 0)], ids=["jpeg", "jpeg-2000"]
)
def test_an_aperio_slide_is_read_and_its_label_is_not(
    tmp_path: Path, codec: str, off: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = np.zeros((100, 200, 3), np.uint8)
    path = tmp_path / "one.svs"
    write_svs(path, IMAGE, codec=codec, description=DESCRIPTION, label=label)
    assert "label" in OpenSlide(path).associated_images
    monkeypatch.delattr(OpenSlide, "associated_images")
    with open_slide(path) as slide:
        assert slide.mpp == 0.5
        tile = Tile(320, 256, 1.0, 128)
        expected = window(block_means(IMAGE, 2), tile, 2).astype(int)
        assert np.abs(slide.pixels(tile) - expected).max() <= off


def test_an_image_of_another_shape_among_the_levels_is_no_level(tmp_path: Path) -> None:
    path = tmp_path / "one.tif"
    tags = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
    with tifffile.TiffWriter(path) as file:
        file.write(IMAGE, tile=(64, 64), photometric="rgb", **tags)
        label = np.zeros((200, 200, 3), np.uint8)
        file.write(label, tile=(64, 64), photometric="rgb", subfiletype=1)
    assert OpenSlide(path).level_count == 2
    with open_slide(path) as slide:
        assert slide.pixels(Tile(320, 256, 2.0, 32)).min() > 0


@pytest.mark.parametrize("codec", ["jpeg", "jpeg-2000", "plain"])
def test_a_slide_in_dicom_is_read_from_any_of_its_files(tmp_path: Path, codec: str) -> None:
    for factor in (1, 2):
        level = IMAGE if factor == 1 else block_means(IMAGE, factor)
        write_dicom(tmp_path / f"{factor}.dcm", level, mpp=0.5 * factor, codec=codec)
    write_dicom(tmp_path / "label", IMAGE[:64, :64], mpp=0.5, flavor="LABEL")
    tile = Tile(320, 256, 1.0, 64)
    expected = window(block_means(IMAGE, 2), tile, 2).astype(int)
    for name in ("1.dcm", "2.dcm", "label"):
        with open_slide(tmp_path / name) as slide:
            assert slide.mpp == pytest.approx(0.5)
            assert np.abs(slide.pixels(tile) - expected).max() <= 8


def test_dicom_of_a_label_alone_is_refused(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "label.dcm", IMAGE[:64, :64], mpp=0.5, flavor="LABEL")
    with pytest.raises(SlideError, match="No pyramid levels found"):
        open_slide(path)


def test_of_dicom_without_its_finest_level_the_next_one_tells_the_magnification(
    tmp_path: Path,
) -> None:
    path = write_dicom(tmp_path / "2.dcm", block_means(IMAGE, 2), mpp=1.0)
    with open_slide(path) as slide:
        assert slide.mpp == pytest.approx(1.0)
        assert not offers(slide, 0.5)


def test_two_slides_in_dicom_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    first = write_dicom(tmp_path / "one", IMAGE, mpp=0.5, codec="plain")
    write_dicom(tmp_path / "two", 255 - IMAGE, mpp=0.5, codec="plain", series="1.2.3")
    with open_slide(first) as slide:
        tile = Tile(320, 256, 0.5, 64)
        np.testing.assert_array_equal(slide.pixels(tile), window(IMAGE, tile, 1))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"II*\0" + bytes(100), "or a TIFF that is cut off; copy it again"),
        (b"<html>not found</html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    ],
    ids=["empty", "header-only", "web-page", "pointer"],
)
def test_what_is_no_slide_is_refused_with_its_reason(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "one.svs"
    path.write_bytes(content)
    with pytest.raises(SlideError, match=why):
        open_slide(path)


def test_a_path_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match="is not there"):
        open_slide(tmp_path / "absent.svs")
    with pytest.raises(SlideError, match="is a folder"):
        open_slide(tmp_path)


def test_a_slide_cut_off_costs_the_tiles_that_are_gone(tmp_path: Path) -> None:
    path = write_svs(tmp_path / "one.svs", IMAGE, codec="jpeg", description=DESCRIPTION)
    content = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        start, length = file.pages[0].dataoffsets[-1], file.pages[0].databytecounts[-1]
    path.write_bytes(content[:start] + bytes(length) + content[start + length :])
    with open_slide(path) as slide:
        with pytest.raises(SlideError, match="damaged at 576, 448 of level 0"):
            slide.pixels(Tile(608, 480, 0.5, 64))
        assert slide.pixels(Tile(320, 256, 0.5, 64)).any()

    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SlideError, match="is no slide that OpenSlide reads"):
        open_slide(path)


def test_a_slide_that_is_lost_while_it_is_read_costs_the_tile(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "one.tif", IMAGE, compression="zlib", factors=(1,))
    with open_slide(path) as slide:
        path.write_bytes(bytes(path.stat().st_size))
        with pytest.raises(SlideError, match="damaged at 288, 224 of level 0"):
            slide.pixels(Tile(320, 256, 0.5, 64))


@pytest.mark.parametrize(("mpp", "pixels"), [(0.0, 8), (float("inf"), 8), (0.5, 0), (0.5, 9000)])
def test_a_tile_that_cannot_be_is_refused(mpp: float, pixels: int) -> None:
    with pytest.raises(SlideError, match="a tile of"):
        Tile(0, 0, mpp, pixels)


@pytest.mark.shared
def test_a_real_svs_is_read_as_openslide_reads_it(data: Path) -> None:
    path = data / "wsi-svs" / "cmu-1-small-region.svs"
    with open_slide(path) as slide:
        assert slide.mpp == 0.499
        raw = np.asarray(OpenSlide(path).read_region((1000, 1200), 0, (256, 256)).convert("RGB"))
        np.testing.assert_array_equal(slide.pixels(Tile(1128, 1328, 0.5, 256)), raw)
