"""One 2-D image with its own geometry, rescale and dimension values.

position     of the centre of the first pixel; column and row cosines: the directions in which
             columns and rows are counted (PS3.3, C.7.6.2); all in the patient's LPS, mm
rescale      stored value * slope + intercept is the value
dimensions   what may tell two frames at one position apart: echo, time, b-value, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mmmed.readers.dicom.elements import Elements

Triple = tuple[float, float, float]


def triple(values: Iterable[float]) -> Triple:
    """Three numbers as they are kept; ValueError where there are not three."""
    x, y, z = map(float, values)
    return x, y, z


@dataclass(frozen=True, eq=False, slots=True)
class Stored:
    """How the pixels of one file are stored.

    Attributes:
        elements: where they lie.
        rows: of one stored frame.
        columns: of one stored frame.
        frames: stored in the file.
        allocated: bits that a pixel takes.
        bits: of them that are its value.
        high: the highest of these, counted from 0.
        signed: whether values are in two's complement.
        photometric: MONOCHROME1 or MONOCHROME2.
    """

    elements: Elements
    rows: int
    columns: int
    frames: int
    allocated: int
    bits: int
    high: int
    signed: bool
    photometric: str


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """One 2-D image.

    Attributes:
        stored: the pixels of its file.
        index: which frame of the file, from 0.
        corner: row and column of its first pixel in the stored frame: of a tile of a mosaic.
        uid: SOPInstanceUID of the file; `<uid> frame 2` of the second frame of an enhanced one.
        number: InstanceNumber, None where unknown; of an enhanced file (InstanceNumber or 0) << 24,
            plus the index, so that the frames of several files stay in order.
        rows: pixels down.
        columns: pixels to the right.
        position: LPS mm.
        along_row: unit vector in which the column index grows.
        along_column: unit vector in which the row index grows.
        spacing: mm between rows, between columns.
        thickness: mm, None where not stated.
        gap: SpacingBetweenSlices in mm, None where not stated.
        slope: of the rescale.
        intercept: of the rescale.
        rescaled: whether the file states a rescale; without one slope and intercept are 1 and 0.
        notes: what is unusual about its values, one line each.
        reference: FrameOfReferenceUID, '' where the file has none.
        dimensions: name -> value, of those that the file states.
    """

    stored: Stored
    index: int
    corner: tuple[int, int]
    uid: str
    number: int | None
    rows: int
    columns: int
    position: Triple
    along_row: Triple
    along_column: Triple
    spacing: tuple[float, float]
    thickness: float | None
    gap: float | None
    slope: float
    intercept: float
    rescaled: bool
    notes: tuple[str, ...]
    reference: str
    dimensions: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The file it is in."""
        return self.stored.elements.path


def tiles(
    whole: Frame, positions: Iterable[Triple], *, across: int, rows: int, columns: int
) -> tuple[Frame, ...]:
    """The slices that one picture holds side by side, row of tiles by row of tiles.

    Args:
        whole: the picture.
        positions: of each tile's first voxel, patient coordinates in mm.
        across: tiles in a row of the picture.
        rows: of a tile, in pixels.
        columns: of a tile, in pixels.
    """
    return tuple(
        replace(
            whole,
            corner=(place // across * rows, place % across * columns),
            rows=rows,
            columns=columns,
            position=position,
        )
        for place, position in enumerate(positions)
    )
