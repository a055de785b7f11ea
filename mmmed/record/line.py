"""Rows of tables as text: what a value is written as, what is quoted, what rows are sorted by.

cell   one value. Floats are written by `repr`, so that reading gives the same bits
line   the cells of a row as texts
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path

Cell = str | int | float | bool | None
MISSING = "n/a"
"""Stands for a missing value, as in BIDS."""
_SPECIAL = re.compile('[\n\r"]')
"""Beside the tab, what a cell cannot hold bare."""


def line_of(row: Mapping[str, Cell], columns: Sequence[str], path: Path) -> list[str]:
    """A row as texts, one per column.

    Args:
        row: a value per column; one that is left out is missing.
        columns: of the table.
        path: of the table, for the message.

    Raises:
        ValueError: the row holds a column that the table has not.
        TypeError: a value is no cell.
    """
    unknown = sorted(set(row) - set(columns))
    if unknown:
        raise ValueError(f"{path}: the table has no column {unknown[0]!r}")
    return [_written(row.get(column)) for column in columns]


def _written(value: object) -> str:
    """A cell as text. Numbers of other libraries are numbers; their truth values are not ours."""
    if value is None or value != value:
        return MISSING
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    raise TypeError(f"a cell is text, a number, a truth value or None, not {value!r}")


def to_text(line: Sequence[str]) -> str:
    """A row as it stands in the file."""
    plain = "\t".join(line)
    if plain.count("\t") == len(line) - 1 and not _SPECIAL.search(plain):
        return plain + "\n"
    return "\t".join(map(_quoted, line)) + "\n"


def _quoted(cell: str) -> str:
    """A cell quoted where it must be; the csv writer leaves a lone carriage return bare."""
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) or "\t" in cell else cell


def sort_key(line: Sequence[str], places: Sequence[int]) -> list[tuple[int, float, str]]:
    """What a row is sorted by: its cells at these places."""
    return [_place(line[place]) for place in places]


def _place(cell: str) -> tuple[int, float, str]:
    """Numbers by value, before texts."""
    try:
        number = float(cell)
    except ValueError:
        return (1, 0.0, cell)
    return (1, 0.0, cell) if math.isnan(number) else (0, number, cell)
