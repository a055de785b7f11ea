"""Where one item comes from: a file, a DICOM series, a tile of a slide, or a row of a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mmmed.readers.dicom.line import shown_path
from mmmed.readers.slide.tile import Tile


@dataclass(frozen=True, order=True)
class Source:
    """The origin of one item.

    Attributes:
        path: a NIfTI file, an image, a slide, or a CSV/TSV table whose rows are vectors; of a DICOM
            series any of its files, or their folder.
        row: for a table, the id of the row; None for a file that is one item.
        columns: for a table, the columns that make the vector, in this order.
        identifier: for a table, the column of row ids (several are joined by `+`, their cells by
            `_`); None where rows are numbered from 0.
        files: of a DICOM series, all of them; empty for any other source.
        tile: of a slide, which part of it; None for what is read whole.
        mpp: of a slide, um per pixel of its finest level where a table states it; None where its
            file does.
    """

    path: Path
    row: str | None = None
    columns: tuple[str, ...] = ()
    identifier: str | None = None
    files: tuple[Path, ...] = ()
    tile: Tile | None = None
    mpp: float | None = None

    @property
    def shown(self) -> str:
        """The name of its file for a table; of a series none, as names may be a patient's."""
        return f"{len(self.files)} DICOM files" if self.files else shown_path(self.path.name)
