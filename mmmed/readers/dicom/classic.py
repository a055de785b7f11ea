"""Classic files: one 2-D image each, described at the top level of the header."""

from __future__ import annotations

import dataclasses
import math

from mmmed.errors import SeriesError
from mmmed.readers.dicom import dimension, remark, rescale
from mmmed.readers.dicom.dimension import dimensions
from mmmed.readers.dicom.elements import FLOATS, Elements
from mmmed.readers.dicom.frame import Frame, Stored, Triple, triple
from mmmed.readers.dicom.line import one_line
from mmmed.readers.dicom.remark import SCALED, remarks, surplus
from mmmed.readers.dicom.tag import BITS, HIGH, PHOTOMETRIC, SIGNED, name_of

IMAGE_TYPE = 0x00080008
INSTANCE_UID = 0x00080018
SERIES_UID = 0x0020000E
PATIENT_ID = 0x00100020
NUMBER = 0x00200013
POSITION, ORIENTATION, SPACING = 0x00200032, 0x00200037, 0x00280030
THICKNESS, GAP = 0x00180050, 0x00180088
REFERENCE = 0x00200052
SAMPLES, FRAMES = 0x00280002, 0x00280008
ROWS, COLUMNS = 0x00280010, 0x00280011
ALLOCATED = 0x00280100
LOOKUP = 0x00283000
SIEMENS, TILES, PER_FRAME = 0x00190010, 0x0019100A, 0x52009230

WANTED = dimension.TAGS | remark.TAGS | rescale.TAGS | {
    IMAGE_TYPE, INSTANCE_UID, SERIES_UID, PATIENT_ID, NUMBER, POSITION, ORIENTATION, SPACING,
    THICKNESS, GAP, REFERENCE, SAMPLES, PHOTOMETRIC, FRAMES, ROWS, COLUMNS, ALLOCATED, BITS, HIGH,
    SIGNED, LOOKUP, SIEMENS, TILES, PER_FRAME,
}  # fmt: skip
"""What is read of every file."""

GREY = "MONOCHROME2"
"""What pixels of one sample are where the file does not say it."""

_COLOURED = ("RGB", "YBR", "PALETTE", "HSV", "ARGB", "CMYK", "XYB")
"""How the names of coloured pixels begin (PS3.3, C.7.6.3.1.2), retired ones too."""

LARGEST_SIDE = 1 << 15
MOST_FRAMES = 1 << 17

FINEST, COARSEST = 1e-4, 1e3
"""Distances of pixels in mm, from microscopes of small animals to scouts."""

FURTHEST = 1e5
"""How far in mm a position may be from the origin: a scanner is a room."""

LARGEST_NUMBER = 1 << 31
"""Whole numbers written as text (IS) stay below (PS3.5, 6.2)."""

UNIT_TOLERANCE = 1e-2
"""How far the length of direction cosines may be from 1, and their product from 0: they are
written with few digits."""


def read_stored(elements: Elements) -> Stored:
    """How the pixels of a file are stored.

    Raises:
        SeriesError: no pixels, in colour, or a size or depth that cannot be.
    """
    path = elements.path
    if not elements.pixels:
        why = f" that can be found: {elements.fault}" if elements.fault else ""
        raise SeriesError(f"{path}: holds no pixels{why}; leave it out, or copy the file again")
    photometric = _grey(elements)
    if elements.has_items(LOOKUP):
        raise SeriesError(f"{path}: has a {name_of(LOOKUP)}; only linear rescale is applied")
    rows, columns = _size(elements, ROWS), _size(elements, COLUMNS)
    count = elements.numbers(FRAMES, count=1) or (1.0,)
    if not 1 <= count[0] <= MOST_FRAMES or not count[0].is_integer():
        raise SeriesError(f"{path}: states {count[0]:g} frames; 1 to {MOST_FRAMES} are read")
    signed = elements.whole(SIGNED)
    if signed not in (None, 0, 1):
        raise SeriesError(f"{path}: {name_of(SIGNED)} is {signed}; 0 or 1 have a meaning")
    allocated = elements.whole(ALLOCATED) or 0
    if not allocated:
        raise SeriesError(f"{path}: {name_of(ALLOCATED)} missing; how its pixels lie is unknown")
    bits = _stated(elements.whole(BITS), allocated)
    high = _stated(elements.whole(HIGH), bits - 1)
    if allocated not in (8, 16, 32, 64) or not bits - 1 <= high < allocated or bits < 1:
        raise SeriesError(
            f"{path}: pixels of {bits} bits up to bit {high} in {allocated}; "
            "whole bytes that hold them are read"
        )
    _check_floats(elements, allocated)
    return Stored(
        elements=dataclasses.replace(elements, values={}),
        rows=rows,
        columns=columns,
        frames=int(count[0]),
        allocated=allocated,
        bits=bits,
        high=high,
        signed=signed == 1,
        photometric=photometric,
    )


def read_frame(elements: Elements) -> Frame:
    """The one frame of a classic file.

    Raises:
        SeriesError: what its geometry needs is missing or cannot be.
    """
    stored = read_stored(elements)
    path = elements.path
    if stored.frames > 1:
        raise SeriesError(
            f"{path}: holds {stored.frames} frames without a geometry for each (it is not an "
            "enhanced file); export it as single images"
        )
    lacking = [tag for tag in (POSITION, ORIENTATION, SPACING) if not elements.text(tag)]
    if lacking:
        names = ", ".join(map(name_of, lacking))
        raise SeriesError(f"{path}: {names} missing; where its pixels lie is unknown")
    along_row, along_column = directions(elements)
    slope, intercept, scaled = rescale.of_classic(elements)
    return Frame(
        stored=stored,
        index=0,
        corner=(0, 0),
        uid=elements.text(INSTANCE_UID),
        number=instance_number(elements),
        rows=stored.rows,
        columns=stored.columns,
        position=_position(elements),
        along_row=along_row,
        along_column=along_column,
        spacing=_spacing(elements),
        thickness=_length(elements, THICKNESS),
        gap=_length(elements, GAP),
        slope=slope,
        intercept=intercept,
        rescaled=bool(elements.text(rescale.SLOPE)),
        notes=surplus(stored) + remarks(elements) + ((SCALED,) if scaled else ()),
        reference=elements.text(REFERENCE),
        dimensions=dimensions(elements),
    )


def check_position(position: Triple, *, where: str) -> None:
    """A place that a slice can have.

    Raises:
        SeriesError: it is further away than any scanner is large.
    """
    if not all(abs(one) <= FURTHEST for one in position):
        shown = ", ".join(f"{one:g}" for one in position)
        raise SeriesError(
            f"{where}: {name_of(POSITION)} is {shown} mm, which is no place of a scan"
        )


def _position(elements: Elements) -> Triple:
    position = triple(elements.numbers(POSITION, count=3))
    check_position(position, where=str(elements.path))
    return position


def directions(elements: Elements) -> tuple[Triple, Triple]:
    """Row and column cosines.

    Raises:
        SeriesError: not two unit vectors at right angles.
    """
    values = elements.numbers(ORIENTATION, count=6)
    row, column = triple(values[:3]), triple(values[3:])
    check_directions(row, column, where=str(elements.path))
    return row, column


def check_spacing(between_rows: float, between_columns: float, *, where: str) -> None:
    """Two distances that pixels can have.

    Raises:
        SeriesError: they have not.
    """
    if not (FINEST <= between_rows <= COARSEST and FINEST <= between_columns <= COARSEST):
        raise SeriesError(
            f"{where}: {name_of(SPACING)} is {between_rows:g} and {between_columns:g} mm; pixels "
            f"are {FINEST:g} to {COARSEST:g} mm apart"
        )


def check_directions(row: Triple, column: Triple, *, where: str) -> None:
    """Two unit vectors at right angles.

    Raises:
        SeriesError: they are not.
    """
    faults = [abs(math.hypot(*row) - 1), abs(math.hypot(*column) - 1)]
    faults.append(abs(sum(a * b for a, b in zip(row, column, strict=True))))
    if max(faults) > UNIT_TOLERANCE:
        raise SeriesError(
            f"{where}: the direction cosines {(*row, *column)} are not two unit vectors at right "
            "angles; its orientation is unknown"
        )


def instance_number(elements: Elements) -> int | None:
    """InstanceNumber; a malformed one is as good as none, and so is one of more than 32 bits."""
    try:
        value = elements.numbers(NUMBER, count=1)
    except SeriesError:
        return None
    return int(value[0]) if value and abs(value[0]) < LARGEST_NUMBER else None


def _check_floats(elements: Elements, allocated: int) -> None:
    """Floating-point pixels take the bits of their element.

    Raises:
        SeriesError: they are stated to take others.
    """
    width = FLOATS.get(elements.pixels, allocated)
    if allocated != width:
        raise SeriesError(
            f"{elements.path}: {name_of(elements.pixels)} holds numbers of {width} bits, "
            f"{name_of(ALLOCATED)} is {allocated}; export it again"
        )


def _grey(elements: Elements) -> str:
    """The photometric interpretation of an image with one value for each pixel.

    Raises:
        SeriesError: it is in colour, or states what cannot be.
    """
    path, photometric = elements.path, elements.text(PHOTOMETRIC) or GREY
    shown = one_line(photometric, longest=20)
    if photometric.startswith(_COLOURED):
        raise SeriesError(f"{path}: is in colour ({shown}); scans are grey")
    if not photometric.startswith("MONOCHROME"):
        raise SeriesError(f"{path}: {name_of(PHOTOMETRIC)} is {shown!r}, which is not known")
    samples = elements.whole(SAMPLES)
    if samples not in (None, 1):
        raise SeriesError(f"{path}: {name_of(SAMPLES)} is {samples}; grey pixels have one")
    return photometric


def _stated(value: int | None, usual: int) -> int:
    return usual if value is None else value


def _size(elements: Elements, tag: int) -> int:
    size = elements.whole(tag)
    if size is None:
        raise SeriesError(f"{elements.path}: {name_of(tag)} is missing; export it again")
    if not 1 <= size <= LARGEST_SIDE:
        raise SeriesError(
            f"{elements.path}: {name_of(tag)} is {size}; sizes of 1 to {LARGEST_SIDE} are read"
        )
    return size


def _spacing(elements: Elements) -> tuple[float, float]:
    between_rows, between_columns = elements.numbers(SPACING, count=2)
    check_spacing(between_rows, between_columns, where=str(elements.path))
    return between_rows, between_columns


def _length(elements: Elements, tag: int) -> float | None:
    """A length that is a hint only: a malformed one is as good as none."""
    try:
        value = elements.numbers(tag, count=1)
    except SeriesError:
        return None
    return abs(value[0]) if value and value[0] else None
