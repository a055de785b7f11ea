"""Slides kept open between reads, so that a tile costs no opening; a process keeps few.

state   size and time of every file of a slide: what changes when one is written
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from openslide import OpenSlide

from mmmed.errors import SlideError
from mmmed.readers.slide.files import files_of
from mmmed.readers.slide.slide import Slide, open_slide
from mmmed.readers.source import Source

OPEN = 16
"""Slides of a process that stay open: a slide may hold as many files as it has levels."""

State = tuple[tuple[int, int], ...]


def is_slide(path: Path) -> bool:
    """Whether OpenSlide takes a file for a slide, by its beginning; it would wait for a pipe."""
    return path.is_file() and OpenSlide.detect_format(path) is not None


def state_of(source: Source) -> State:
    """The state of a slide's files.

    Raises:
        SlideError: one is not there.
    """
    return _state(source.path, source.files)


def read_tile(source: Source, *, state: State | None = None) -> np.ndarray:
    """The tile that a source names, (pixels, pixels, 3) uint8.

    Args:
        source: with a tile.
        state: that the slide's files must have; None takes them as they are.

    Raises:
        SlideError: the source names no tile, or the slide has changed or cannot be read there.
    """
    if source.tile is None:
        raise SlideError(f"{source.path}: no tile of it is named; it is no image by itself")
    return slide_of(source, state=state).pixels(source.tile)


def slide_of(source: Source, *, state: State | None = None) -> Slide:
    """The slide of a source, open; not to be closed, as others may read it.

    Raises:
        SlideError: it has changed, or cannot be opened.
    """
    asked = state_of(source) if state is None else state
    return _opened(source.path, source.files, source.mpp, asked, os.getpid())


@lru_cache(maxsize=OPEN)
def _opened(
    path: Path,
    files: tuple[Path, ...],
    mpp: float | None,
    state: State,
    process: int,  # noqa: ARG001 - part of the key: no process reads by the handle of its parent
) -> Slide:
    if _state(path, files) != state:
        raise SlideError(f"{path}: changed since it was looked at; run again")
    return open_slide(path, mpp=mpp)


def _state(path: Path, files: tuple[Path, ...]) -> State:
    try:
        stats = [one.stat() for one in files_of(path, files)]
    except OSError as error:
        raise SlideError(f"{path}: cannot be read ({error.strerror}); mend the path") from error
    return tuple((one.st_mtime_ns, one.st_size) for one in stats)
