"""A picture of haematoxylin and eosin at one magnification, by its burden.

stain        concentrations of haematoxylin (nuclei) and eosin (everything else), per pixel
absorbance   of both stains in red, green and blue (Ruifrok and Johnston, 2001)

40x    sheets of cells in stroma; the burden is how much of it is cells
100x   glands with lumina; the burden closes them
200x   nuclei; the burden is how many
400x   nuclei; the burden is how large
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

HAEMATOXYLIN = np.array([0.65, 0.70, 0.29])
EOSIN = np.array([0.07, 0.99, 0.11])

SHARPNESS = 1.5
"""Pixels over which the edge of a nucleus fades, inversely."""


@dataclass(frozen=True)
class Slide:
    """What all pictures of a slide share beside their burdens.

    Attributes:
        haematoxylin: strength of the stain, about 1.
        eosin: strength of the stain, about 1.
    """

    haematoxylin: float
    eosin: float


def draw_slide(generator: np.random.Generator) -> Slide:
    """A slide out of a laboratory that does not stain all alike."""
    strong, pale = np.exp(0.08 * generator.standard_normal(2))
    return Slide(haematoxylin=float(strong), eosin=float(pale))


def render(
    magnification: int,
    burden: float,
    slide: Slide,
    generator: np.random.Generator,
    *,
    shape: tuple[int, int],
) -> np.ndarray:
    """A picture, (rows, columns, 3) uint8.

    Args:
        magnification: 40, 100, 200 or 400.
        burden: of the slide at it, centred between the classes.
        slide: its stains.
        generator: of this picture.
        shape: rows and columns.
    """
    nuclei, plasma = _FIELDS[magnification](burden, generator, shape)
    grain = 1 + 0.05 * gaussian_filter(generator.standard_normal(shape), 1)
    absorbed = (
        slide.haematoxylin * nuclei[..., None] * HAEMATOXYLIN
        + slide.eosin * (plasma * grain)[..., None] * EOSIN
    )
    light = 245 * np.exp(-absorbed) + generator.normal(0, 2, (*shape, 3))
    return np.asarray(light.clip(0, 255).round().astype(np.uint8))


Field = tuple[np.ndarray, np.ndarray]
"""Concentrations of haematoxylin and of eosin, (rows, columns)."""


def _sheets(burden: float, generator: np.random.Generator, shape: tuple[int, int]) -> Field:
    share = norm.cdf(-0.4 + 0.3 * burden)
    cells = _patches(generator, shape, share=share, width=shape[0] / 10)
    speckle = gaussian_filter(generator.random(shape), 0.7)
    return cells * (0.5 + speckle), 0.45 - 0.15 * cells


def _glands(burden: float, generator: np.random.Generator, shape: tuple[int, int]) -> Field:
    share = norm.cdf(-0.6 - 0.3 * burden)
    lumen = _patches(generator, shape, share=share, width=shape[0] / 14)
    wall = np.clip(gaussian_filter(lumen, 2.5) * 2, 0, 1) * (1 - lumen)
    return 0.15 + 0.9 * wall - 0.15 * lumen, 0.45 * (1 - lumen)


def _crowd(burden: float, generator: np.random.Generator, shape: tuple[int, int]) -> Field:
    count = round(45 * float(np.exp(0.25 * burden)))
    return _nuclei(generator, shape, count=count, radius=shape[0] / 26), np.full(shape, 0.4)


def _giants(burden: float, generator: np.random.Generator, shape: tuple[int, int]) -> Field:
    radius = shape[0] / 13 * float(np.exp(0.15 * burden))
    return _nuclei(generator, shape, count=16, radius=radius), np.full(shape, 0.4)


_FIELDS: Mapping[int, Callable[[float, np.random.Generator, tuple[int, int]], Field]] = {
    40: _sheets,
    100: _glands,
    200: _crowd,
    400: _giants,
}


def _patches(
    generator: np.random.Generator, shape: tuple[int, int], *, share: float, width: float
) -> np.ndarray:
    """Smooth blobs that cover a share of the picture, 0 to 1."""
    relief = gaussian_filter(generator.standard_normal(shape), width, mode="wrap")
    height = np.quantile(relief, 1 - share)
    return np.asarray(1 / (1 + np.exp(-8 * (relief - height) / relief.std())))


def _nuclei(
    generator: np.random.Generator, shape: tuple[int, int], *, count: int, radius: float
) -> np.ndarray:
    """Round nuclei at places that keep a distance, 0 to 1; those at the border are cut."""
    places = _apart(generator, shape, count)
    sizes = radius * np.exp(0.15 * generator.standard_normal(count))
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    found = np.zeros(shape)
    for (row, column), size in zip(places, sizes, strict=True):
        away = np.hypot(rows - row, columns - column)
        found = np.maximum(found, 1 / (1 + np.exp(SHARPNESS * (away - size))))
    return found


def _apart(generator: np.random.Generator, shape: tuple[int, int], count: int) -> np.ndarray:
    """Places on a jittered grid, (count, 2), so that nuclei seldom overlap."""
    columns = int(np.ceil(np.sqrt(count * shape[1] / shape[0])))
    rows = int(np.ceil(count / columns))
    cells = generator.permutation(rows * columns)[:count]
    corner = np.stack(np.divmod(cells, columns), axis=1)
    inside = corner + generator.uniform(0.2, 0.8, (count, 2))
    return np.asarray(inside * np.array(shape) / (rows, columns))
