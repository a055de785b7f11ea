"""Siemens mosaics: the slices of a volume as tiles of one image.

tile     one slice; they fill a square of n x n from left to right, then down; the last may be empty
corner   what the file states as its position is the corner of the whole image, as if the square
         were one slice around the centre of the first tile

How many tiles there are and in which direction they go stands in Siemens' own elements, the CSA
header, which nibabel reads. Where they are missing, the file is refused: a folded image is no
slice.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mmmed.errors import SeriesError
from mmmed.readers.dicom.classic import IMAGE_TYPE, SIEMENS, TILES, read_frame
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.elements import Elements, read_data_set
from mmmed.readers.dicom.frame import Frame, tiles, triple
from mmmed.readers.silence import silent


def is_mosaic(elements: Elements) -> bool:
    """Whether an image is a square of tiles."""
    if "MOSAIC" in elements.text(IMAGE_TYPE).upper().split("\\"):
        return True
    siemens = elements.text(SIEMENS).startswith("SIEMENS MR")
    return siemens and (elements.whole(TILES) or 0) > 1


def read_tiles(elements: Elements) -> tuple[Frame, ...]:
    """The slices of a mosaic, each with its own position.

    Raises:
        SeriesError: the CSA header is missing or does not fit the image.
    """
    whole = read_frame(elements)
    count, direction = _siemens(elements)
    side = math.ceil(math.sqrt(count))
    rows, columns = whole.rows // side, whole.columns // side
    if rows * side != whole.rows or columns * side != whole.columns:
        raise SeriesError(
            f"{elements.path}: a mosaic of {count} slices does not fit into {whole.rows} x "
            f"{whole.columns} pixels; export the series as single slices"
        )
    if whole.gap is None:
        raise SeriesError(
            f"{elements.path}: a mosaic without SpacingBetweenSlices (0018,0088); export the "
            "series as single slices"
        )
    along_row, along_column = np.array(whole.along_row), np.array(whole.along_column)
    first = (
        np.array(whole.position)
        + along_row * whole.spacing[1] * (whole.columns - columns) / 2
        + along_column * whole.spacing[0] * (whole.rows - rows) / 2
    )
    up = np.cross(along_row, along_column)
    step = up * whole.gap * (1 if float(up @ direction) > 0 else -1)
    positions = (triple(first + place * step) for place in range(count))
    return tiles(whole, positions, across=side, rows=rows, columns=columns)


def _siemens(elements: Elements) -> tuple[int, np.ndarray]:
    """How many tiles there are, and the unit vector from one to the next."""
    path = elements.path
    data_set = read_data_set(path)
    with silent():  # nibabel warns on import that these readers are not its main purpose
        from nibabel.nicom import csareader
    csa: Any = csareader  # its functions carry no types
    damaged: tuple[type[Exception], ...] = (csareader.CSAReadError, AssertionError, *DAMAGED)
    try:
        header = csa.get_csa_header(data_set, "image")
        count = csa.get_n_mosaic(header) if header else None
        direction = csa.get_slice_normal(header) if header else None
    except damaged as error:
        raise SeriesError(
            f"{path}: a mosaic with a damaged CSA header ({str(error) or 'its parts do not fit'})"
        ) from error
    if not count or direction is None:
        raise SeriesError(
            f"{path}: a Siemens mosaic whose CSA header (0029,1010) is missing, so the number and "
            "direction of its slices are unknown; export the series as single slices"
        )
    return int(count), np.array(direction, dtype=float)
