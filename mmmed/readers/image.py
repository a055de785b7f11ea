"""PNG, JPEG and TIFF files as images, strictly.

image     one picture, grey or in colour; rows run down, columns to the right, as it is looked at:
          the orientation that a camera states is applied
value     a share of the greatest one that its bits can state, so that black is 0 and white 1
colour    as stored; profiles are not applied

Read are grey of 1 to 8 and 16 bits, RGB of 8 and 16 bits, palettes (as the colours they stand for),
and these with an alpha channel that hides nothing, which is dropped. Everything else is refused
with its reason, and a size beyond `LARGEST` before memory is taken for it.
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ImageOps
from PIL.Image import Image as Picture
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from mmmed.errors import DataError, GeometryError
from mmmed.readers.opening import impostor, opened
from mmmed.readers.silence import silent

LARGEST = 64 << 20
"""Pixels of the largest image read, 8192 x 8192; what is larger is a slide."""


@dataclass(frozen=True)
class _Format:
    """A kind of file: how its content begins, how its name may end, and who reads it."""

    name: str
    starts: tuple[bytes, ...]
    endings: tuple[str, ...]
    reader: type[ImageFile]


_FORMATS = (
    _Format("PNG", (b"\x89PNG\r\n\x1a\n",), (".png",), PngImageFile),
    _Format("JPEG", (b"\xff\xd8\xff",), (".jpg", ".jpeg"), JpegImageFile),
    _Format(
        "TIFF",
        (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        (".tif", ".tiff"),
        TiffImageFile,
    ),
)

_OTHER_ORDER: Mapping[str, str] = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B" if sys.byteorder == "little" else "RGB;16L",
}
"""Colour of 16 bits as Pillow calls it -> the same in the other order of bytes."""

_PHOTOMETRIC, _TILE_WIDTH, _TILE_LENGTH = 262, 322, 323
"""Tags of TIFF 6.0: whether 0 is white (0) or black (1), and the pixels of a tile."""

_BROKEN: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow raises over damaged files, beside OSError."""


def read_image(path: Path) -> np.ndarray:
    """The image in a PNG, JPEG or TIFF file: (C, H, W) float32 in 0..1, C order, C 1 or 3.

    Raises:
        DataError: the file is not there, empty, not what its name says, truncated or damaged,
            transparent, of several pages, or its values are neither grey nor RGB.
        GeometryError: more pixels than `LARGEST`, or fewer than two along an axis.
    """
    with opened(path, broken=_BROKEN) as (file, _):
        found = _format(path, file)
        image = _begun(path, file, found)
        stored, greatest = _deep(path, file, image, found) or _plain(path, image)
    values = stored.astype(np.float32)
    values /= np.float32(greatest)
    channels = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    return np.ascontiguousarray(channels)


def _format(path: Path, file: BinaryIO) -> _Format:
    """What a file is by its content, where its name agrees."""
    start = file.read(256)
    file.seek(0)
    found = next((one for one in _FORMATS if start.startswith(one.starts)), None)
    if found is None:
        other = f"is no PNG, JPEG or TIFF (it begins with {start[:12]!r}); export it as PNG"
        raise DataError(f"{path}: {impostor(start) or other}")
    if not path.name.lower().endswith(found.endings):
        raise DataError(
            f"{path}: is a {found.name} by its content, but its name does not end in "
            f"{found.endings[0]}; rename it"
        )
    return found


def _begun(path: Path, file: BinaryIO, found: _Format) -> ImageFile:
    """The image before its pixels are decoded, what its header states being well."""
    if found.name == "PNG":
        _header(file, found).verify()
    image = _header(file, found)
    width, height = max(image.size, _tile(image), key=math.prod)
    if width * height > LARGEST:
        raise GeometryError(
            f"{path}: states {width} x {height} pixels; at most {LARGEST >> 20} x 1024 x 1024 "
            "are read: cut it into tiles, or export it smaller"
        )
    width, height = image.size
    if min(width, height) < 2:
        raise GeometryError(f"{path}: is {width} x {height} pixels; an image has two axes")
    if getattr(image, "is_animated", False):
        raise DataError(f"{path}: holds several pages; one image is expected: export each alone")
    if not image.tile:
        raise DataError(f"{path}: truncated before its pixels; copy the file again")
    return image


def _header(file: BinaryIO, found: _Format) -> ImageFile:
    """The image as its header states it; no pixel is decoded."""
    file.seek(0)
    with silent():
        return found.reader(file)


def _tile(image: ImageFile) -> tuple[int, int]:
    """Width and height of one tile of a TIFF, which may be larger than the image; 0 elsewhere."""
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    return int(tags.get(_TILE_WIDTH, 0)), int(tags.get(_TILE_LENGTH, 0))


def _deep(
    path: Path, file: BinaryIO, image: ImageFile, found: _Format
) -> tuple[np.ndarray, int] | None:
    """Values of 16 bits, (H, W) or (H, W, 3), and the greatest; None for fewer bits.

    Pillow keeps the upper eight bits of a colour. Told that the bytes stand in the other order it
    keeps the lower ones, so the file is decoded twice.
    """
    stored = _stored_as(image)
    if ";16" not in stored and not image.mode.startswith("I"):
        return None
    if image.has_transparency_data:
        raise DataError(
            f"{path}: has transparency beside values of 16 bits; export it without an alpha channel"
        )
    if image.mode.startswith("I;16") and stored.startswith("I;16") and not _white_is_zero(image):
        return np.asarray(_upright(image)), 0xFFFF
    if image.mode != "RGB" or stored not in _OTHER_ORDER:
        white = ", white as 0" if _white_is_zero(image) else ""
        raise DataError(f"{path}: its values are {stored}{white}; {_READ}")
    lower = _header(file, found)
    lower.tile = [one._replace(args=_with(one.args, _OTHER_ORDER[stored])) for one in lower.tile]
    file.seek(0)
    low = np.asarray(_upright(lower)).astype(np.uint16)
    file.seek(0)
    high = np.asarray(_upright(image)).astype(np.uint16)
    return high * 256 + low, 0xFFFF


_READ = "grey or RGB of 8 or 16 bits are read: export it so"


def _plain(path: Path, image: ImageFile) -> tuple[np.ndarray, int]:
    """Values of at most 8 bits, (H, W) or (H, W, 3), and the greatest."""
    grey = image.mode in ("1", "L", "LA")
    if not (grey or image.mode in ("P", "PA", "RGB", "RGBA")):
        raise DataError(f"{path}: its values are {image.mode}; {_READ}")
    upright = _upright(image)
    if image.has_transparency_data:
        alpha = upright.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise DataError(
                f"{path}: is transparent in places, so its colours depend on what lies behind; "
                "flatten it"
            )
    return np.asarray(upright.convert("L" if grey else "RGB")), 0xFF


def _upright(image: ImageFile) -> Picture:
    """The decoded image as a camera says it is looked at."""
    with silent() if image.format == "TIFF" else nullcontext():
        image.load()
    with silent():
        return ImageOps.exif_transpose(image)


def _stored_as(image: ImageFile) -> str:
    """Pillow's word for how the values lie in the file: `RGB`, `I;16B`, ..."""
    arguments = image.tile[0].args
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _with(arguments: Any, stored: str) -> Any:
    return (stored, *arguments[1:]) if isinstance(arguments, tuple) else stored


def _white_is_zero(image: ImageFile) -> bool:
    return isinstance(image, TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == 0
