"""The table `wsi,mpp`: um per pixel of slides that do not state theirs, or state it wrongly.

wsi   name of the slide's file, with its ending
mpp   um per pixel of its finest level; of a row without a number the file's own counts
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmmed.errors import Collecting, DataError, SlideError, join
from mmmed.readers.dicom.line import one_line
from mmmed.readers.slide.magnification import checked_mpp
from mmmed.readers.vectors import MISSING, read_table

COLUMNS = ("wsi", "mpp")


def read_overrides(path: Path) -> Mapping[str, float]:
    """Name of a slide's file -> um per pixel of its finest level, in the order of the table.

    Args:
        path: CSV (comma) or TSV (tab); further columns are not looked at.

    Raises:
        DataError: no table, a column is missing, a name is blank or stands twice, or a value cannot
            be a slide's; all lines that are at fault together.
    """
    table = read_table(path)
    lacking = [name for name in COLUMNS if name not in table.columns]
    if lacking:
        raise DataError(f"{path}: the column {lacking[0]!r} is missing; its header is wsi,mpp")
    faults: list[str] = []
    found: dict[str, float | None] = {}
    for number, (name, text) in enumerate(table.loc[:, list(COLUMNS)].to_numpy(), start=2):
        with Collecting(faults):
            if name in found or name in MISSING:
                why = "stands in two rows" if name in found else "is no name"
                raise DataError(f"{path}: line {number}: {one_line(name)!r} {why}; mend the table")
            found[name] = _value(text, where=f"{path}: line {number}: {one_line(name)}")
    if faults:
        raise DataError(join(faults))
    return {name: mpp for name, mpp in found.items() if mpp is not None}


def _value(text: str, *, where: str) -> float | None:
    if text in MISSING:
        return None
    try:
        return checked_mpp(float(text))
    except SlideError as error:
        raise DataError(f"{where}: {error}") from error
    except ValueError as error:
        raise DataError(f"{where}: {one_line(text)!r} is no number") from error
