"""Locations: points of a slide on which tiles of several magnifications are centred.

They lie on a grid whose step is the side of the coarsest tile, so that tiles spread over the slide
and do not overlap. Where more are wanted than the tissue has points of it, points halfway between
follow, and so on down to the side of the finest tile, or to `MOST_STEPS` points along a side.
Chance decides where the grid lies and in which order its points are taken. It is keyed by the seed
and the content of the slide, so that neither other slides nor names of folders change what is
sampled.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.ndimage import uniform_filter

from mmmed.errors import SlideError
from mmmed.readers.slide.slide import Slide, offers
from mmmed.readers.slide.tissue import Tissue

ENOUGH = 0.5
"""Share of the finest tile that is tissue; its centre is as well."""

MOST_STEPS = 1024
"""Points of a grid along the longer side of a slide."""


def locations(
    slide: Slide,
    tissue: Tissue,
    *,
    mpps: Sequence[float],
    pixels: int,
    most: int,
    seed: int,
) -> tuple[tuple[int, int], ...]:
    """Centres of tiles on tissue, (x, y) in pixels of the finest level.

    Args:
        slide: whose.
        tissue: of the slide.
        mpps: magnifications of the tiles, um per pixel; those that the slide has not do not count.
        pixels: along a tile's side.
        most: at most so many; fewer where the tissue is small.
        seed: of the study.

    Raises:
        SlideError: no location has tissue enough, or the slide has none of the magnifications.
    """
    offered = [mpp for mpp in mpps if offers(slide, mpp)]
    if not offered:
        wanted = ", ".join(f"{mpp:g}" for mpp in mpps)
        raise SlideError(
            f"{slide.path}: has {slide.mpp:g} um per pixel and none of the magnifications {wanted}"
        )
    finest, coarsest = (mpp * pixels / slide.mpp for mpp in (min(offered), max(offered)))
    key = int.from_bytes(hashlib.sha256(slide.key.encode()).digest()[:8])
    random = np.random.default_rng([seed, key])
    share = _shares(tissue, finest * slide.mpp / tissue.mpp)
    found: list[tuple[int, int]] = []
    for points in _grids(slide.size, coarsest, finest, random):
        found += _on_tissue(random.permutation(points), slide, tissue, share)
        if len(found) >= most:
            break
    if not found:
        raise SlideError(f"{slide.path}: no tile shows tissue enough; leave it out")
    return tuple(found[:most])


def _grids(
    size: tuple[int, int], coarsest: float, finest: float, random: np.random.Generator
) -> Iterator[np.ndarray]:
    """Points (n, 2) of each grid that are not of the one before, the coarsest first.

    The finest tile around each lies on the slide.
    """
    least = max(size) / MOST_STEPS
    widest = max(coarsest, least)
    begin = random.random(2) * widest
    halvings = math.floor(math.log2(widest / max(finest, least)))
    for turn in range(halvings + 1):
        step = widest / 2**turn
        columns, rows = (
            np.arange(math.ceil((finest / 2 - at) / step), (side - finest / 2 - at) // step + 1)
            for at, side in zip(begin, size, strict=True)
        )
        column, row = (one.ravel() for one in np.meshgrid(columns, rows))
        new = (column % 2 == 1) | (row % 2 == 1) if turn else np.ones(len(column), dtype=bool)
        yield np.stack([column[new], row[new]], axis=1) * step + begin


def _on_tissue(
    points: np.ndarray, slide: Slide, tissue: Tissue, share: np.ndarray
) -> list[tuple[int, int]]:
    ratio = slide.mpp / tissue.mpp
    last = np.array(tissue.mask.shape[::-1]) - 1
    column, row = np.minimum((points * ratio).astype(int), last).T
    kept = tissue.mask[row, column] & (share[row, column] >= ENOUGH)
    return [(int(x), int(y)) for x, y in np.floor(points[kept])]


def _shares(tissue: Tissue, side: float) -> np.ndarray:
    """Share of tissue in the square of a side, in pixels of the mask, around each of its pixels."""
    odd = max(1, round(side) // 2 * 2 + 1)
    return np.asarray(uniform_filter(tissue.mask.astype(np.float32), odd, mode="constant"))
