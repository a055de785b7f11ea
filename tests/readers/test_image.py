from __future__ import annotations

import io
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import picture
import pytest
from PIL import Image

from mmmed.errors import DataError, GeometryError
from mmmed.readers import image as reading
from mmmed.readers.image import read_image

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREY = COLOUR[..., 0].copy()
DEEP = RANDOM.integers(0, 65536, (6, 9, 3), dtype=np.uint16)


def expected(pixels, greatest=255):
    channels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return (channels / greatest).astype(np.float32)


def save(folder, name, pixels, **options):
    path = folder / name
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **options)
    return path


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


def encoded(pixels, kind, **options):
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(
        file, kind, **options
    )
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.tif", "a.tiff"])
@pytest.mark.parametrize("pixels", [COLOUR, GREY], ids=["rgb", "grey"])
def test_values_are_shares_of_the_greatest_and_channels_come_first(tmp_path, name, pixels):
    read = read_image(save(tmp_path, name, pixels))
    assert (read.dtype, read.flags.c_contiguous) == (np.float32, True)
    np.testing.assert_allclose(read, expected(pixels), rtol=1e-6)


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg"])
def test_a_jpeg_is_read_as_pillow_decodes_it(tmp_path, name):
    path = save(tmp_path, name, COLOUR)
    np.testing.assert_allclose(read_image(path), expected(np.asarray(Image.open(path))), rtol=1e-6)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiffs_are_read(tmp_path, compression):
    path = save(tmp_path, "a.tif", COLOUR, compression=compression)
    np.testing.assert_allclose(read_image(path), expected(COLOUR), rtol=1e-6)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_grey_of_16_bits_keeps_them(tmp_path, name):
    path = save(tmp_path, name, DEEP[..., 0])
    np.testing.assert_allclose(read_image(path), expected(DEEP[..., 0], 65535), rtol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_of_16_bits_is_read_in_either_byte_order(tmp_path, order):
    path = write(tmp_path, "a.tif", picture.tiff(DEEP[..., 0], order=order))
    np.testing.assert_allclose(read_image(path), expected(DEEP[..., 0], 65535), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", picture.png(DEEP)),
        ("a.tif", picture.tiff(DEEP)),
        ("a.tif", picture.tiff(DEEP, order=">")),
        ("a.tif", picture.tiff(DEEP, packed=True)),
        ("a.tif", picture.tiff(DEEP, order=">", packed=True)),
    ],
    ids=["png", "tiff", "tiff-big", "deflate", "deflate-big"],
)
def test_colour_of_16_bits_keeps_them(tmp_path, name, content):
    read = read_image(write(tmp_path, name, content))
    np.testing.assert_array_equal(np.round(read * 65535), expected(DEEP, 1))


def test_a_bilevel_image_is_grey(tmp_path):
    path = save(tmp_path, "a.png", Image.fromarray(GREY).convert("1", dither=0))
    np.testing.assert_array_equal(read_image(path), expected(np.where(GREY > 127, 255, 0)))


def test_a_palette_becomes_the_colours_it_stands_for(tmp_path):
    indexed = Image.fromarray(COLOUR).quantize(16)
    path = save(tmp_path, "a.png", indexed)
    np.testing.assert_allclose(
        read_image(path), expected(np.asarray(indexed.convert("RGB"))), rtol=1e-6
    )


@pytest.mark.parametrize("pixels", [COLOUR, GREY], ids=["rgb", "grey"])
def test_an_alpha_channel_that_hides_nothing_is_dropped(tmp_path, pixels):
    whole = Image.fromarray(pixels)
    whole.putalpha(255)
    np.testing.assert_allclose(
        read_image(save(tmp_path, "a.png", whole)), expected(pixels), rtol=1e-6
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_the_orientation_that_a_camera_states_is_applied(tmp_path, name, orientation):
    """The tag's meaning by EXIF 2.3, table 6: where row 0 and column 0 are looked at."""
    smooth = np.add.outer(np.arange(16) * 4, np.arange(24) * 8).astype(np.uint8)
    turns = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).T,
        8: np.rot90,
    }
    exif = Image.Exif()
    exif[274] = orientation
    read = read_image(save(tmp_path, name, smooth, exif=exif))
    np.testing.assert_allclose(read, expected(turns[orientation](smooth)), atol=0.02)


def transparent():
    shown = Image.fromarray(COLOUR)
    shown.putalpha(Image.fromarray(GREY))
    return shown


def floats():
    return Image.fromarray(GREY.astype(np.float32))


def answer(path):
    """What is read, or the reason it is not."""
    try:
        return read_image(path)
    except DataError as error:
        return str(error)


SMALL = Image.new("L", (8, 8))
OTHER = {
    "jpeg-named-png": ("a.png", encoded(COLOUR, "JPEG"), "is a JPEG by its content.*rename it"),
    "png-named-jpg": ("a.jpg", encoded(COLOUR, "PNG"), "is a PNG by its content.*rename it"),
    "png-without-name": ("a", encoded(COLOUR, "PNG"), "does not end in .png; rename it"),
    "tiff-named-png": ("a.png", encoded(COLOUR, "TIFF"), "is a TIFF by its content"),
    "html": ("a.png", b"\n<!DOCTYPE html><p>404", r"is a web page \(HTML\)"),
    "lfs": ("a.png", b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
    "gif": ("a.gif", encoded(GREY, "GIF"), "is no PNG, JPEG or TIFF.*GIF8.*export it as PNG"),
    "bmp": ("a.png", encoded(GREY, "BMP"), "is no PNG, JPEG or TIFF"),
    "empty": ("a.png", b"", "is empty"),
    "truncated-png": ("a.png", encoded(COLOUR, "PNG")[:-60], "truncated"),
    "png-without-end": ("a.png", encoded(COLOUR, "PNG")[:-12], "truncated"),
    "png-header-alone": ("a.png", encoded(COLOUR, "PNG")[:33], "truncated"),
    "truncated-jpeg": ("a.jpg", encoded(COLOUR, "JPEG")[:-60], "truncated"),
    "truncated-tiff": ("a.tif", encoded(COLOUR, "TIFF")[:-60], "truncated"),
    "tiff-cut-before-tags": (
        "a.tif", encoded(COLOUR, "TIFF", compression="tiff_lzw")[:-60], "truncated or damaged"
    ),
    "rgba": ("a.png", encoded(transparent(), "PNG"), "is transparent in places.*flatten it"),
    "colour-key": ("a.png", encoded(GREY, "PNG", transparency=int(GREY[0, 0])), "transparent"),
    "cmyk-jpeg": ("a.jpg", encoded(Image.new("CMYK", (8, 8)), "JPEG"), "its values are CMYK"),
    "cmyk-tiff": ("a.tif", encoded(Image.new("CMYK", (8, 8)), "TIFF"), "its values are CMYK"),
    "lab": ("a.tif", encoded(Image.new("LAB", (8, 8)), "TIFF"), "its values are LAB"),
    "floats": ("a.tif", encoded(floats(), "TIFF"), "its values are F"),
    "whole-numbers": ("a.tif", encoded(Image.new("I", (8, 8)), "TIFF"), "its values are I;32"),
    "white-is-zero": (
        "a.tif", picture.tiff(DEEP[..., 0], photometric=0), "its values are I;16, white as 0"
    ),
    "pages": (
        "a.tif", encoded(SMALL, "TIFF", save_all=True, append_images=[SMALL]), "holds several pages"
    ),
    "animated": (
        "a.png",
        encoded(SMALL, "PNG", save_all=True, append_images=[Image.new("L", (8, 8), 9)]),
        "holds several pages",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHER, ids=str)
def test_anything_else_is_refused_in_one_line(tmp_path, case):
    name, content, reason = OTHER[case]
    path = write(tmp_path, name, content)
    with pytest.raises(DataError, match=reason) as caught:
        read_image(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.exists, "is not there"),
        (Path.mkdir, "is a folder, not a file"),
        (lambda path: path.symlink_to("nowhere"), "is a broken link"),
    ],
)
def test_no_file_is_refused(tmp_path, make, reason):
    path = tmp_path / "a.png"
    make(path)
    with pytest.raises(DataError, match=reason):
        read_image(path)


@pytest.mark.parametrize(("width", "height"), [(1, 9), (9, 1)])
def test_a_line_is_no_image(tmp_path, width, height):
    with pytest.raises(GeometryError, match=f"is {width} x {height} pixels"):
        read_image(save(tmp_path, "a.png", Image.new("L", (width, height))))


@pytest.mark.parametrize("size", [(8193, 8192), (60000, 60000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_before_memory_is_taken(tmp_path, size):
    path = write(tmp_path, "a.png", picture.stating(*size))
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + (128 << 20), before[1]))
    try:
        with pytest.raises(GeometryError, match=f"states {size[0]} x {size[1]} pixels; at most 64"):
            read_image(path)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_a_tiff_of_a_small_image_in_a_huge_tile_is_refused(tmp_path):
    path = write(tmp_path, "a.tif", picture.tiff(DEEP, tile=65536))
    with pytest.raises(GeometryError, match="states 65536 x 65536 pixels"):
        read_image(path)


def test_the_largest_image_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST", 54)
    assert read_image(save(tmp_path, "a.png", GREY)).shape == (1, 6, 9)
    monkeypatch.setattr(reading, "LARGEST", 53)
    with pytest.raises(GeometryError):
        read_image(save(tmp_path, "a.png", GREY))


@pytest.mark.parametrize(
    ("kind", "name", "options"),
    [
        ("PNG", "a.png", {}),
        ("JPEG", "a.jpg", {}),
        ("TIFF", "a.tif", {}),
        ("TIFF", "a.tif", {"compression": "tiff_adobe_deflate"}),
    ],
    ids=["png", "jpeg", "tiff", "deflate"],
)
def test_damage_anywhere_is_an_image_or_one_line(tmp_path, monkeypatch, kind, name, options):
    """Whatever bit flips and wherever a file ends; of a PNG every pixel is checked."""
    monkeypatch.setattr(reading, "LARGEST", 1 << 16)
    whole = encoded(COLOUR, kind, **options)
    sound = read_image(write(tmp_path, name, whole))
    random = np.random.default_rng(1)
    for round_ in range(200):
        content = bytearray(whole)
        if round_ % 2:
            del content[random.integers(1, len(content)) :]
        else:
            content[random.integers(len(content))] ^= 1 << int(random.integers(8))
        read = answer(write(tmp_path, name, bytes(content)))
        if isinstance(read, str):
            assert "\n" not in read
        elif kind == "PNG":
            np.testing.assert_array_equal(read, sound)


def test_threads_read_what_one_reads(tmp_path):
    paths = [save(tmp_path, f"{number}.tif", COLOUR + np.uint8(number)) for number in range(8)] * 8
    alone = [read_image(path) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(read_image, paths))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.shared
def test_real_tissue_is_read_as_pillow_reads_it(data):
    paths = sorted((data / "breakhis").glob("*.png"))
    assert len(paths) == 11
    for path in paths:
        read = read_image(path)
        assert read.shape == (3, 460, 700)
        np.testing.assert_allclose(
            read, expected(np.asarray(Image.open(path).convert("RGB"))), rtol=1e-6
        )
