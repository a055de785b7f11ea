"""United Imaging's grids: the slices of a volume as tiles of one image.

tile   one slice; as many columns of tiles as the root of their number, rounded up, and as many rows
       as they then need, from left to right, then down

Its private elements state how many tiles there are, and in a sequence where each of them lies
(ImageType says VFRAME), so that no position is computed.
"""

from __future__ import annotations

import math

import pydicom

from mmmed.errors import SeriesError
from mmmed.readers.dicom.classic import check_position, read_frame
from mmmed.readers.dicom.damage import DAMAGED
from mmmed.readers.dicom.elements import Elements, read_data_set
from mmmed.readers.dicom.frame import Frame, Triple, tiles, triple
from mmmed.readers.dicom.private import Private
from mmmed.readers.silence import silent

_CREATOR, _GROUP = "Image Private Header", 0x0065
COUNT = Private(_CREATOR, _GROUP, 0x50)
_TILES = 0x51
MOST_TILES = 4096


def tiles_in_grid(elements: Elements) -> int:
    """How many slices the image of a file holds; 1 where it is no grid."""
    text = COUNT.value(elements).decode("latin-1").strip(" \0")
    try:
        count = float(text or 1)
    except ValueError:
        return 1
    return int(count) if 1 <= count <= MOST_TILES else 1


def read_grid(elements: Elements) -> tuple[Frame, ...]:
    """The slices of a grid, each with its own position.

    Raises:
        SeriesError: the positions are missing or do not fit the image.
    """
    whole, count = read_frame(elements), tiles_in_grid(elements)
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    rows, columns = whole.rows // down, whole.columns // across
    if rows * down != whole.rows or columns * across != whole.columns:
        raise SeriesError(
            f"{elements.path}: a grid of {count} slices does not fit into {whole.rows} x "
            f"{whole.columns} pixels; export the series as single slices"
        )
    positions = _positions(elements)
    if len(positions) != count:
        raise SeriesError(
            f"{elements.path}: a grid of {count} slices that states {len(positions)} positions "
            "(0065,1051); export the series as single slices"
        )
    for position in positions:
        check_position(position, where=str(elements.path))
    return tiles(whole, positions, across=across, rows=rows, columns=columns)


def _positions(elements: Elements) -> list[Triple]:
    """Where each tile lies, as far as the file states it."""
    try:
        with silent():
            data_set = read_data_set(elements.path)
            block = data_set.private_block(_GROUP, _CREATOR)
            items = block[_TILES].value if _TILES in block else []
            return [
                triple(item.ImagePositionPatient)
                for item in items
                if isinstance(item, pydicom.Dataset)
            ]
    except DAMAGED as error:
        why = " ".join(str(error).split())[:120]
        raise SeriesError(f"{elements.path}: a grid with damaged positions ({why})") from error
