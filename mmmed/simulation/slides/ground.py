"""Where on a slide tissue lies, where it has holes, and where somebody wrote on the glass.

All places are shares of the slide's side, x to the right and y down, so that every level of a
pyramid shows the same ground.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

Outline = tuple[tuple[float, float], ...]
"""Corners (x, y) of a polygon."""

INKS = ((25, 60, 160), (20, 120, 60), (30, 30, 35))
"""Blue, green and black, as of felt pens."""


@dataclass(frozen=True)
class Pen:
    """One stroke.

    Attributes:
        outline: of its ink.
        ink: red, green, blue.
    """

    outline: Outline
    ink: tuple[int, int, int]


@dataclass(frozen=True)
class Ground:
    """What lies on the glass.

    Attributes:
        tissue: its outline.
        holes: inside the outline, without tissue.
        pens: over all of it.
    """

    tissue: Outline
    holes: tuple[Outline, ...]
    pens: tuple[Pen, ...]


def draw_ground(generator: np.random.Generator) -> Ground:
    """One piece of tissue with one to three holes, and no, one or two strokes of a pen."""
    holes = int(generator.integers(1, 4))
    turns = 2 * np.pi * (np.arange(holes) / holes + generator.random())
    return Ground(
        tissue=_blob(generator, (0.5, 0.5), radius=0.4),
        holes=tuple(
            _blob(
                generator,
                (0.5 + 0.22 * float(np.cos(turn)), 0.5 + 0.22 * float(np.sin(turn))),
                radius=float(generator.uniform(0.04, 0.07)),
            )
            for turn in turns
        ),
        pens=tuple(_stroke(generator) for _ in range(int(generator.integers(0, 3)))),
    )


def covered(
    outlines: tuple[Outline, ...], *, corner: tuple[int, int], shape: tuple[int, int], side: int
) -> np.ndarray:
    """Which pixels of a piece of a level lie in one of these outlines, (rows, columns) boolean.

    Args:
        outlines: polygons.
        corner: left and top of the piece, in pixels of the level.
        shape: rows and columns of the piece.
        side: pixels along the level.
    """
    image = Image.new("1", (shape[1], shape[0]))
    draw = ImageDraw.Draw(image)
    for one in outlines:
        draw.polygon([(x * side - corner[0], y * side - corner[1]) for x, y in one], fill=1)
    return np.array(image)


def _blob(generator: np.random.Generator, centre: tuple[float, float], *, radius: float) -> Outline:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    relief = np.ones_like(turn)
    for wave in (2, 3, 5):
        size, phase = generator.uniform(0, 0.12 / wave), generator.uniform(0, 2 * np.pi)
        relief += size * np.cos(wave * turn + phase)
    x, y = radius * relief * np.cos(turn), radius * relief * np.sin(turn)
    return tuple(
        (float(centre[0] + one), float(centre[1] + two)) for one, two in zip(x, y, strict=True)
    )


def _stroke(generator: np.random.Generator) -> Pen:
    """A straight stroke across the rim of the tissue."""
    turn = generator.uniform(0, 2 * np.pi)
    along = np.array([np.cos(turn), np.sin(turn)])
    across = np.array([-along[1], along[0]])
    start, end = 0.5 + 0.33 * along, 0.5 + 0.48 * along
    half = 0.012 * across
    corners = (start - half, start + half, end + half, end - half)
    return Pen(
        tuple((float(x), float(y)) for x, y in corners),
        INKS[int(generator.integers(len(INKS)))],
    )
