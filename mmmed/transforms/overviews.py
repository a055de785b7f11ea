"""`qc/`: each slide of a case, small, with the tiles that were taken of it.

What is drawn comes from the pyramid alone and shows tissue on white: nothing of a label, of a macro
or of what stands on the glass beside the tissue.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from PIL import Image, ImageDraw

from mmmed.errors import DataError
from mmmed.progress import Progress
from mmmed.readers.slide.kept import slide_of
from mmmed.readers.slide.overview import overview
from mmmed.readers.slide.tissue import tissue
from mmmed.readers.source import Source
from mmmed.record import atomic, digest

FOLDER, ENDING = "qc", "_tiles.png"
SIDE = 512
"""Pixels of the longer side."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Of magnifications, in turn; told apart also by those who see no red or green."""

LINE = 16
"""Pixels of a line of the legend."""


@dataclass(frozen=True)
class Sampled:
    """One slide of a case and what was taken of it.

    Attributes:
        case: whose it is.
        number: which of the case's slides, from 1.
        tiles: modality and source, at least one.
    """

    case: str
    number: int
    tiles: tuple[tuple[str, Source], ...]

    @property
    def name(self) -> str:
        """`P-1_slide-2`; no name of a file, as it may be a patient's.

        Of a case whose id is no plain name, such as one with a path in it, a digest of it counts.
        """
        plain = re.fullmatch(r"[\w+-][\w.+ -]{0,99}", self.case)
        case = self.case if plain else f"case-{digest.of_value(self.case)[:12]}"
        return f"{case}_slide-{self.number}"


def sampled(owned: Iterable[tuple[str, str, Sequence[Source]]]) -> tuple[Sampled, ...]:
    """The slides of cases, by case, modality and its items; items of other kinds are none."""
    slides: dict[str, dict[Path, list[tuple[str, Source]]]] = {}
    for case, modality, items in owned:
        for one in items:
            if one.tile is not None:
                slides.setdefault(case, {}).setdefault(one.path, []).append((modality, one))
    return tuple(
        Sampled(case, number, tuple(tiles))
        for case, mine in sorted(slides.items())
        for number, (_, tiles) in enumerate(sorted(mine.items()), start=1)
    )


def write(
    slides: Sequence[Sampled], out: Path, *, jobs: int = 1, progress: Progress | None = None
) -> None:
    """Write `qc/<case>_slide-<number>_tiles.png` for each; one that cannot be read is passed over.

    Args:
        slides: to show.
        out: the folder; made where it is missing.
        jobs: threads.
        progress: called with (slides done, slides).

    Raises:
        RunError: `out` cannot be written to.
    """
    drawing = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")
    for done, _ in enumerate(drawing(delayed(_written)(one, out) for one in slides), start=1):
        if progress:
            progress(done, len(slides))


def drawn(one: Sampled) -> np.ndarray:
    """The picture of a slide: (rows, columns, 3) uint8, below it a line per magnification.

    Raises:
        SlideError: the slide cannot be read.
    """
    slide = slide_of(one.tiles[0][1])
    ground = overview(slide, side=SIDE, tissue=tissue(slide))
    names = list(dict.fromkeys(name for name, _ in one.tiles))
    image = Image.new("RGB", (ground.shape[1], ground.shape[0] + LINE * len(names)), "white")
    image.paste(Image.fromarray(ground), (0, 0))
    draw = ImageDraw.Draw(image)
    scale = ground.shape[1] / slide.size[0]
    for place, name in enumerate(names):
        colour = COLOURS[place % len(COLOURS)]
        mine = [source.tile for modality, source in one.tiles if modality == name and source.tile]
        for tile in mine:
            half = tile.pixels * tile.mpp / slide.mpp / 2
            corners = [(tile.x - half, tile.y - half), (tile.x + half, tile.y + half)]
            draw.rectangle([(x * scale, y * scale) for x, y in corners], outline=colour, width=1)
        top = ground.shape[0] + LINE * place
        draw.rectangle([(4, top + 4), (12, top + 12)], fill=colour)
        draw.text(
            (18, top + 2),
            f"{name}: {len(mine)} tiles of {mine[0].mpp:g} um per pixel",
            fill="black",
        )
    return np.asarray(image)


def _written(one: Sampled, out: Path) -> None:
    try:
        picture = drawn(one)
    except DataError:
        return  # its tiles were refused with the reason already
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    atomic.write_bytes(out / FOLDER / f"{one.name}{ENDING}", file.getvalue())
