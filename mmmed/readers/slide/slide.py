"""A slide: a pyramid of images of one glass, as OpenSlide reads it.

size        of the finest level, in pixels; places on a slide are in its pixels, from the upper left
background  white, or what the file says it is: there where a file holds nothing (outside the scan,
            holes of MIRAX), and behind what is transparent

Colours are as stored: an ICC profile is not applied. Images beside the pyramid (label, macro,
thumbnail) may carry a name and are never read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType

import numpy as np
import openslide
from openslide import OpenSlide, OpenSlideError
from PIL import Image

from mmmed.errors import DataError, SlideError
from mmmed.readers.dicom.line import one_line
from mmmed.readers.opening import impostor, opened
from mmmed.readers.slide.colour import as_shares, background, opaque, region
from mmmed.readers.slide.magnification import checked_mpp, offered, stated_mpp
from mmmed.readers.slide.tile import Tile
from mmmed.readers.slide.window import Block, Level, Window, blocks, level_for, settled

SKEW = 0.05
"""By what share the sides of a level may be off the finest level's; what is more is no level of it
(a label written among them)."""


TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How a TIFF (TIFF 6.0, section 2) and a BigTIFF begin."""

ENDS = 1 << 20
"""Bytes from each end of a file that name it where OpenSlide does not."""


class Slide:
    """An open slide; `open_slide` makes it. It may be read by several threads, not after a fork.

    Attributes:
        path: of the file.
        mpp: um per pixel of its finest level.
        size: width and height of its finest level.
        key: what names its content, wherever the file lies.
        background: (R, G, B), 0 to 255.
    """

    def __init__(self, path: Path, handle: OpenSlide, *, mpp: float) -> None:
        self.path = path
        self.mpp = mpp
        self.size: tuple[int, int] = handle.dimensions
        self.key = handle.properties.get(openslide.PROPERTY_NAME_QUICKHASH1) or _key(path)
        self.background = background(handle.properties)
        self._levels = _levels(handle)
        self._handle: OpenSlide | None = handle
        self._reopening = Lock()

    def __enter__(self) -> Slide:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file, once the threads that read it are done."""
        self._handle = None

    def read(self, tile: Tile) -> np.ndarray:
        """A tile as `read_image` gives images: (3, pixels, pixels) float32 in 0..1, C order.

        Raises:
            SlideError: as `pixels`.
        """
        return as_shares(self.pixels(tile))

    def pixels(self, tile: Tile) -> np.ndarray:
        """A tile as it is stored: (pixels, pixels, 3) uint8.

        Its centre lies within half a pixel of the tile's.

        Raises:
            SlideError: the slide has not the magnification, its pyramid is damaged there or has too
                few levels, or it is closed.
        """
        mpp = self.settled(tile.mpp)
        half = tile.pixels * mpp / self.mpp / 2
        shape = tile.pixels, tile.pixels
        return self.window(Window(tile.x - half, tile.y - half, mpp, shape))

    def settled(self, mpp: float) -> float:
        """The um per pixel that a tile of `mpp` really has: that of a level within `TOLERANCE`.

        Raises:
            SlideError: the slide has not the magnification.
        """
        try:
            return settled(self._levels, self.mpp, mpp)
        except SlideError as error:
            raise SlideError(f"{self.path}: {error}") from error

    def window(self, window: Window) -> np.ndarray:
        """A rectangle of the slide: (rows, columns, 3) uint8.

        Args:
            window: of a magnification that is `settled`.

        Raises:
            SlideError: as `pixels`.
        """
        level = level_for(self._levels, self.mpp, window.mpp)
        try:
            parts = list(blocks(window, level, self.mpp))
        except SlideError as error:
            raise SlideError(f"{self.path}: {error}") from error
        if len(parts) == 1:
            return self._part(parts[0], level)
        whole = np.empty((*window.shape, 3), np.uint8)
        for part in parts:
            whole[slice(*part.rows), slice(*part.columns)] = self._part(part, level)
        return whole

    def _part(self, block: Block, level: Level) -> np.ndarray:
        stored = opaque(self._stored(block, level), self.background)
        if block.box is None:
            return stored[..., :3]
        size = block.columns[1] - block.columns[0], block.rows[1] - block.rows[0]
        image = Image.frombuffer("RGBX", block.size, stored, "raw", "RGBX", 0, 1)
        return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=block.box))[..., :3]

    def _stored(self, block: Block, level: Level) -> np.ndarray:
        """What a block takes of a level, R G B A.

        OpenSlide's handle is of no more use once a read has failed, also for other threads: each
        tries again with a handle of its own, so that a fault is told of the tile that has it.
        """
        place = round(block.corner[0] * level.downsample), round(block.corner[1] * level.downsample)
        handle = self._open()
        with suppress(OpenSlideError):
            return region(handle, place, level=level.number, size=block.size)
        try:
            again = self._opened_again(handle)
            return region(again, place, level=level.number, size=block.size)
        except OpenSlideError as error:
            raise SlideError(
                f"{self.path}: damaged at {place[0]}, {place[1]} of level {level.number} "
                f"({one_line(str(error))}); copy or convert it again"
            ) from error

    def _open(self) -> OpenSlide:
        if self._handle is None:
            raise SlideError(f"{self.path}: is closed; open it again")
        return self._handle

    def _opened_again(self, failed: OpenSlide) -> OpenSlide:
        """A fresh handle for one thread; the next read of any thread takes another."""
        with self._reopening:
            if self._handle is failed:
                self._handle = OpenSlide(self.path)
        return OpenSlide(self.path)


def open_slide(path: Path, *, mpp: float | None = None) -> Slide:
    """A slide, open; use it in `with`.

    Args:
        path: a file that OpenSlide reads, or one file of a slide in DICOM.
        mpp: um per pixel of its finest level, in place of what the file states.

    Raises:
        SlideError: no such file, no slide, damaged, or its um per pixel is not known or cannot be.
    """
    handle = _handle(path)
    try:
        found = stated_mpp(handle.properties) if mpp is None else checked_mpp(mpp)
    except SlideError as error:
        raise SlideError(f"{path}: {error}") from error
    return Slide(path, handle, mpp=found)


def offers(slide: Slide, mpp: float) -> bool:
    """Whether a slide has a magnification: its own, within `TOLERANCE`, or a coarser one."""
    return offered(slide.mpp, mpp)


def _handle(path: Path) -> OpenSlide:
    try:
        with opened(path, broken=()) as (file, _):
            start = file.read(512)
    except DataError as error:
        raise SlideError(str(error)) from error
    try:
        if OpenSlide.detect_format(path) is not None:
            return OpenSlide(path)
    except OpenSlideError as error:
        raise SlideError(f"{path}: {one_line(str(error))}; copy or convert it again") from error
    cut = " or a TIFF that is cut off; copy it again or" if start[:4] in TIFF else ";"
    reason = impostor(start) or f"is no slide that OpenSlide reads{cut} convert it to a tiled TIFF"
    raise SlideError(f"{path}: {reason}")


def _key(path: Path) -> str:
    """What names the content of a file of which OpenSlide makes no digest: its size and its ends.

    OpenSlide makes none where the coarsest level alone is too large, as without a pyramid.
    """
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            for place in (0, max(0, size - ENDS)):
                file.seek(place)
                found.update(file.read(ENDS))
    except OSError as error:
        raise SlideError(f"{path}: cannot be read ({error.strerror}); mend the path") from error
    return f"{size}-{found.hexdigest()}"


def _levels(handle: OpenSlide) -> Sequence[Level]:
    """The levels that show the whole finest one."""
    width, height = handle.dimensions
    sizes = zip(handle.level_dimensions, handle.level_downsamples, strict=True)
    return [
        Level(number=number, size=size, downsample=by)
        for number, (size, by) in enumerate(sizes)
        if all(
            abs(part * by - whole) <= max(SKEW * whole, by)
            for part, whole in zip(size, (width, height), strict=True)
        )
    ]
