"""Whole slides as files, small, of pixels that are known.

`write_tiff` writes a pyramid as a generic tiled TIFF or, with a description, as Aperio does; every
level holds block means of the first. `landscape` is an image without repeats, so that a place that
is read wrong shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

PINK, WHITE = (200, 90, 160), (245, 245, 245)


def landscape(rows: int, columns: int, *, seed: int = 0) -> np.ndarray:
    """A stained-looking image (rows, columns, 3) uint8, smooth and nowhere alike."""
    random = np.random.default_rng(seed)
    coarse = random.integers(60, 220, (rows // 16 + 1, columns // 16 + 1, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((columns, rows), Image.Resampling.BICUBIC)
    return np.asarray(smooth)


def island(rows: int, columns: int, box: tuple[int, int, int, int]) -> np.ndarray:
    """A bright glass with one stained rectangle (top, left, bottom, right), a little grainy."""
    random = np.random.default_rng(1)
    image = np.empty((rows, columns, 3), dtype=np.int16)
    image[:] = WHITE
    image[box[0] : box[2], box[1] : box[3]] = PINK
    return (image + random.integers(-3, 4, image.shape)).clip(0, 255).astype(np.uint8)


def block_means(image: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks of factor x factor pixels, rounded, (rows, columns, 3) uint8."""
    rows, columns = (side // factor * factor for side in image.shape[:2])
    parts = image[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor, 3)
    return np.round(parts.mean(axis=(1, 3))).astype(np.uint8)


def write_tiff(
    path: Path,
    image: np.ndarray,
    *,
    mpp: float | tuple[float, float] | None = 0.5,
    factors: Sequence[int] = (1, 2, 4),
    description: str | None = None,
    compression: str | None = None,
    tile: int = 64,
) -> Path:
    """Write a pyramid.

    Args:
        path: of the file.
        image: of the finest level, (rows, columns, 3) uint8.
        mpp: um per pixel, of both axes or across and down; None leaves the tags out.
        factors: of the levels, the first 1.
        description: of the first level, where another than none.
        compression: as tifffile calls it.
        tile: pixels along a tile's side.
    """
    across, down = mpp if isinstance(mpp, tuple) else (mpp, mpp)
    stated = {} if across is None or down is None else _resolution(across, down)
    with tifffile.TiffWriter(path, bigtiff=False) as file:
        for factor in factors:
            level = image if factor == 1 else block_means(image, factor)
            file.write(
                level,
                tile=(tile, tile),
                photometric="rgb",
                compression=compression,
                subfiletype=0 if factor == 1 else 1,
                description=description if factor == 1 else None,
                metadata=None,
                **(stated if factor == 1 else {}),
            )
    return path


def _resolution(across: float, down: float) -> dict[str, object]:
    return {"resolution": (10_000 / across, 10_000 / down), "resolutionunit": "CENTIMETER"}
