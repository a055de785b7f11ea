"""Stain: which pixels of a picture of a glass are stained tissue, by their colours alone.

colour depth  difference between the largest and the smallest of R, G, B, after the glass itself was
              made white; 0 of grey, however dark
ink           marks of a pen and coloured labels: blue, green, yellow or red as no stain is

Meant are haematoxylin with eosin, and brown or red stains with haematoxylin. Grey and black are
never tissue: text, dirt, the rims of bubbles and cover slips. A green or blue counterstain that is
as strong as a pen's ink is taken for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK
from scipy import ndimage

itk: Any = SimpleITK

FAINTEST, STRONGEST = 0.04, 0.12
"""Colour depth between which the threshold lies: noise of JPEG is less, pale eosin more. Otsu's
threshold alone would split a bright glass into two, and tissue into pale and dark."""

GLASS = 200.0
"""The darkest that glass is, 0 to 255; a picture with nothing brighter is all tissue."""

BLACK, GREY = 0.4, 0.15
"""Below this value and this colour depth, black ink; dark nuclei are more coloured."""

_INKS = (
    ("blue", 190.0, 245.0, 0.50, 0.30),
    ("green", 80.0, 190.0, 0.25, 0.15),
    ("yellow", 40.0, 80.0, 0.35, 0.25),
    ("red", 345.0, 375.0, 0.75, 0.55),
)
"""Colour, first and last hue in degrees, and the saturation and the depth from which it is ink."""

SPREAD = 3
"""Pixels around ink that are not looked at: its edge is as pale as a stain."""


def stained(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a picture (rows, columns, 3) uint8 shows a stain, and where ink: (rows, columns) bool.

    A pixel may be both: ink counts with what is around it.
    """
    colours = _on_white(picture)
    value = colours.max(axis=2)
    depth = value - colours.min(axis=2)
    ink = ndimage.binary_opening(_ink(colours, value, depth), np.ones((2, 2)))
    if ink.any():
        ink = ndimage.binary_dilation(ink, np.ones((3, 3)), iterations=SPREAD)
    return depth > _threshold(depth[~ink]), ink


def _on_white(picture: np.ndarray) -> np.ndarray:
    """Shares of the glass's own colour, 0 to 1."""
    brightest = picture.min(axis=2)
    bright = picture[brightest >= max(GLASS, float(np.percentile(brightest, 90)))]
    glass = np.median(bright, axis=0) if len(bright) else np.array([255.0] * 3)
    return np.minimum(picture / glass.astype(np.float32), np.float32(1))


def _threshold(depth: np.ndarray) -> float:
    if depth.size == 0:
        return STRONGEST
    otsu = itk.OtsuThresholdImageFilter()
    otsu.Execute(itk.GetImageFromArray(depth[None]))
    return min(max(float(otsu.GetThreshold()), FAINTEST), STRONGEST)


def _ink(colours: np.ndarray, value: np.ndarray, depth: np.ndarray) -> np.ndarray:
    hue = _hue(colours, value, depth)
    saturation = depth / np.maximum(value, np.float32(1e-3))
    found = (value < BLACK) & (depth < GREY)
    for _, first, last, strong, deep in _INKS:
        found |= ((hue - first) % 360 < last - first) & (saturation > strong) & (depth > deep)
    return found


def _hue(colours: np.ndarray, value: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Degrees from red over green (120) and blue (240), of the hexagon of HSV."""
    red, green, blue = np.moveaxis(colours, 2, 0)
    by = np.maximum(depth, np.float32(1e-6))
    of_red = (green - blue) / by % 6
    of_green, of_blue = (blue - red) / by + 2, (red - green) / by + 4
    return np.asarray(
        60 * np.where(value == red, of_red, np.where(value == green, of_green, of_blue))
    )
