"""A window: a rectangle of a slide on a grid of its own, and how it is read from a pyramid.

What is asked within `TOLERANCE` of a level's um per pixel settles on that level, and its pixels are
taken as they are. Anything else is averaged from the coarsest finer level with the weights of a
triangle twice as wide as a pixel of the window, which lets no detail through that the window cannot
show. Nothing is magnified. What is larger than `BLOCK` is read in blocks, each with what its edges
need, so that memory does not grow with what has to be averaged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mmmed.errors import SlideError
from mmmed.readers.slide.magnification import offered, same

BLOCK = 2048
"""Pixels of a level along the side of what is read at once: 16 MiB."""

MOST_DECODED = 1 << 31
"""Pixels of a level that one window may take: a minute's work; what needs more lacks levels."""


@dataclass(frozen=True)
class Level:
    """One image of a pyramid: number, size in pixels, pixels of the finest level per its own."""

    number: int
    size: tuple[int, int]
    downsample: float


@dataclass(frozen=True)
class Window:
    """A rectangle of a slide.

    Attributes:
        left: of its upper left corner, in pixels of the slide's finest level; may be negative.
        top: downwards.
        mpp: um per pixel of the window, settled.
        shape: rows and columns, at that magnification.
    """

    left: float
    top: float
    mpp: float
    shape: tuple[int, int]


@dataclass(frozen=True)
class Block:
    """A part of a window, and what of a level it takes.

    Attributes:
        rows: of the window, first and behind the last.
        columns: likewise.
        corner: the upper left pixel of what is read, in pixels of the level: (column, row).
        size: of what is read, (columns, rows) of the level.
        box: what becomes the block, (left, top, right, bottom) within what is read; None where
            that is the block as it is.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    corner: tuple[int, int]
    size: tuple[int, int]
    box: tuple[float, float, float, float] | None


def settled(levels: Sequence[Level], finest: float, mpp: float) -> float:
    """The um per pixel that a window has where `mpp` is asked: a level's, or just that.

    Args:
        levels: of the pyramid.
        finest: um per pixel of its finest level.
        mpp: asked.

    Raises:
        SlideError: the slide has nothing as fine.
    """
    if not offered(finest, mpp):
        raise SlideError(
            f"has {finest:g} um per pixel and finer ones are not made up; "
            f"{mpp:g} is a magnification that the slide has not"
        )
    own = [finest * one.downsample for one in levels]
    near = [one for one in own if same(one, mpp)]
    return min(near, key=lambda one: abs(one / mpp - 1)) if near else mpp


def level_for(levels: Sequence[Level], finest: float, mpp: float) -> Level:
    """The coarsest level that is not coarser than `mpp`, which is settled."""
    fine = [one for one in levels if finest * one.downsample <= mpp]
    return max(fine, key=lambda one: one.downsample)


def blocks(window: Window, level: Level, finest: float) -> Iterator[Block]:
    """The parts of a window, row by row; their rows and columns cover it once.

    Raises:
        SlideError: the window takes more than `MOST_DECODED` pixels of the level.
    """
    here = finest * level.downsample
    factor = window.mpp / here
    rows, columns = window.shape
    if rows * columns * factor**2 > MOST_DECODED or factor > BLOCK:
        raise SlideError(
            f"its levels are too far apart: {columns} x {rows} pixels of {window.mpp:g} um take "
            f"{columns * factor:.0f} x {rows * factor:.0f} of {here:g} um; write it as a pyramid "
            "with a level for each doubling"
        )
    left, top = window.left / level.downsample, window.top / level.downsample
    step = max(1, int(BLOCK / factor))
    for row in range(0, rows, step):
        for column in range(0, columns, step):
            yield _block(
                (row, min(row + step, rows)),
                (column, min(column + step, columns)),
                left,
                top,
                factor,
            )


def _block(
    rows: tuple[int, int], columns: tuple[int, int], left: float, top: float, factor: float
) -> Block:
    if factor == 1.0:
        corner = round(left) + columns[0], round(top) + rows[0]
        size = columns[1] - columns[0], rows[1] - rows[0]
        return Block(rows=rows, columns=columns, corner=corner, size=size, box=None)
    edge = math.ceil(factor)
    x, width, across = _span(left, columns, factor, edge)
    y, height, down = _span(top, rows, factor, edge)
    box = across[0], down[0], across[1], down[1]
    return Block(rows=rows, columns=columns, corner=(x, y), size=(width, height), box=box)


def _span(
    start: float, cells: tuple[int, int], factor: float, edge: int
) -> tuple[int, int, tuple[float, float]]:
    """First pixel, pixels, and where the cells begin and end in them, along one axis."""
    begin, end = start + cells[0] * factor, start + cells[1] * factor
    first = math.floor(begin) - edge
    return first, math.ceil(end) + edge - first, (begin - first, end - first)
