"""One slide as a tiled, pyramidal TIFF that OpenSlide opens.

Each level is drawn by itself, with the burden of its own magnification: what a level shows tells
nothing of the burdens of the others, which is why the ceiling of every pattern is known. Outline,
holes and pen marks are the same at all levels; to zoom in is not to see the same cells enlarged.

A level is drawn tile by tile and never held as a whole. Plain files are of the kind that OpenSlide
calls generic-tiff and state their resolution in TIFF's own tags (TIFF 6.0, XResolution); those in
the manner of Aperio state it in their descriptions and hold a thumbnail, a label and a macro.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image, ImageDraw

from mmmed.simulation.slides.ground import Ground, covered, draw_ground
from mmmed.simulation.slides.order import WholeSlide, generator
from mmmed.simulation.slides.spec import DEEPEST, LEVELS, TILE, SlideSimulation
from mmmed.simulation.tissue.law import MAGNIFICATIONS
from mmmed.simulation.tissue.rendering import Slide, draw_slide, render

GLASS = (244, 243, 245)
_LABEL, _MACRO = 1, 9
"""NewSubfileType of the two in files of Aperio."""
CLASSIC = 1 << 31
"""Bytes of pixels of the largest slide that is no BigTIFF: a TIFF has at most 4 GiB."""

_MAKER = "Aperio Image Library v11.2.1"


def ground_of(spec: SlideSimulation, order: WholeSlide) -> Ground:
    """What lies on the glass of a slide."""
    return draw_ground(generator(spec, "ground", order.place))


def side_of(spec: SlideSimulation, modality: str) -> int:
    """Pixels along the level of an objective."""
    return spec.side >> list(LEVELS).index(modality)


def write_pyramid(spec: SlideSimulation, order: WholeSlide, path: Path) -> None:
    """Write a slide; what stood there is replaced."""
    pixels = sum(side_of(spec, modality) ** 2 for modality in order.modalities)
    with tifffile.TiffWriter(path, bigtiff=3 * pixels > CLASSIC) as file:
        for number, modality in enumerate(order.modalities):
            _level(file, spec, order, modality)
            if number == 0 and order.name is not None:
                _page(file, _small(spec, order), _described(spec, order, f"-> {_coarse(spec)}"))
        if order.name is not None:
            _page(file, _label(order.name), f"{_MAKER}\r\nlabel 200x200", kind=_LABEL)
            macro = np.concatenate([_label(order.name), _scaled(_small(spec, order), 200)], axis=1)
            _page(file, macro, f"{_MAKER}\r\nmacro 400x200", kind=_MACRO)


def _level(
    file: tifffile.TiffWriter, spec: SlideSimulation, order: WholeSlide, modality: str
) -> None:
    side, finest = side_of(spec, modality), modality == order.modalities[0]
    stated: dict[str, Any] = {}
    if order.name is not None:
        size = "" if finest else f" -> {side}x{side}"
        stated["description"] = _described(spec, order, f"[0,0 {side}x{side}]{size}")
    else:
        stated["subfiletype"] = 0 if finest else 1
        if order.states_mpp:
            reduced = side_of(spec, order.modalities[0]) / side
            stated["resolution"] = (1e4 / (order.mpp * reduced),) * 2
            stated["resolutionunit"] = "CENTIMETER"
    file.write(
        _tiles(spec, order, modality),
        shape=(side, side, 3),
        dtype=np.uint8,
        tile=(TILE, TILE),
        compression="deflate",
        photometric="rgb",
        software=False,
        metadata=None,
        **stated,
    )


def _tiles(spec: SlideSimulation, order: WholeSlide, modality: str) -> Iterator[np.ndarray]:
    """The tiles of a level, row by row; those at the border are whole."""
    ground, side = ground_of(spec, order), side_of(spec, modality)
    stain = draw_slide(generator(spec, "stain", order.place))
    for top in range(0, side, TILE):
        for left in range(0, side, TILE):
            yield _tile(spec, order, modality, ground, stain, (left, top))


def _tile(
    spec: SlideSimulation,
    order: WholeSlide,
    modality: str,
    ground: Ground,
    stain: Slide,
    corner: tuple[int, int],
) -> np.ndarray:
    side = side_of(spec, modality)
    pixels = np.full((TILE, TILE, 3), GLASS, dtype=np.uint8)

    def inside(*outlines: Any) -> np.ndarray:
        return covered(outlines, corner=corner, shape=(TILE, TILE), side=side)

    tissue = inside(ground.tissue) & ~inside(*ground.holes)
    for row in range(0, TILE, spec.field):
        for column in range(0, TILE, spec.field):
            piece = np.s_[row : row + spec.field, column : column + spec.field]
            if tissue[piece].any():
                place = (corner[0] + column, corner[1] + row)
                drawn = _field(spec, order, modality, stain, place)
                pixels[piece][tissue[piece]] = drawn[tissue[piece]]
    for pen in ground.pens:
        pixels[inside(pen.outline)] = pen.ink
    return pixels


def _field(
    spec: SlideSimulation, order: WholeSlide, modality: str, stain: Slide, place: tuple[int, int]
) -> np.ndarray:
    """The tissue at a place of a level, (field, field, 3)."""
    shown = LEVELS[modality]
    column = list(MAGNIFICATIONS).index(shown)
    random = generator(spec, "field", order.place, MAGNIFICATIONS[shown], *place)
    burden = float((order.burdens - spec.law.shifts / 2)[column])
    shape = (spec.field, spec.field)
    return render(MAGNIFICATIONS[shown], burden, stain, random, shape=shape)


def _described(spec: SlideSimulation, order: WholeSlide, what: str) -> str:
    side = side_of(spec, order.modalities[0])
    power = order.modalities[0].removeprefix("x")
    return (
        f"{_MAKER}\r\n{side}x{side} {what} ({TILE}x{TILE}) Deflate|AppMag = {power}"
        f"|MPP = {order.mpp}"
    )


def _coarse(spec: SlideSimulation) -> str:
    side = spec.side // DEEPEST
    return f"{side}x{side}"


def _small(spec: SlideSimulation, order: WholeSlide) -> np.ndarray:
    """The ground at the size of the coarsest level, in plain colours."""
    ground, side = ground_of(spec, order), spec.side // DEEPEST

    def inside(*outlines: Any) -> np.ndarray:
        return covered(outlines, corner=(0, 0), shape=(side, side), side=side)

    pixels = np.full((side, side, 3), GLASS, dtype=np.uint8)
    pixels[inside(ground.tissue) & ~inside(*ground.holes)] = (205, 130, 175)
    for pen in ground.pens:
        pixels[inside(pen.outline)] = pen.ink
    return pixels


def _label(name: str) -> np.ndarray:
    """(200, 200, 3): what a laboratory glues on a slide."""
    image = Image.new("RGB", (200, 200), (250, 250, 250))
    ImageDraw.Draw(image).text((12, 90), name, fill=(0, 0, 0))
    return np.asarray(image)


def _scaled(pixels: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((side, side)))


def _page(
    file: tifffile.TiffWriter, pixels: np.ndarray, description: str, *, kind: int = 0
) -> None:
    file.write(
        np.ascontiguousarray(pixels),
        photometric="rgb",
        compression="deflate",
        subfiletype=kind,
        description=description,
        software=False,
        metadata=None,
    )
