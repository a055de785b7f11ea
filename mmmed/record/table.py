"""Tab-separated tables with a name and a version in their first line.

The first line is `# <schema> <version>`, the second the column names. Floats are written by
`repr`, so that reading gives the same bits; `n/a` stands for a missing value, as in BIDS.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

from mmmed.errors import DataError
from mmmed.record import atomic

Cell = str | int | float | bool | None
MISSING = "n/a"

PARTS = ("train", "validation", "calibration", "test")
"""What stands under `split`, in the order people read it."""

STATUSES = ("shown", "hidden", "absent")
"""What stands under `status`: owned and shown, owned and hidden by a protocol, not owned."""


@dataclass(frozen=True)
class Schema:
    """A kind of table: its name, version, leading columns and the columns rows are sorted by.

    Tables may carry further columns after the leading ones (`logit_AD`, one per class).
    """

    name: str
    version: int
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The first line of every file of this schema, without its line end."""
        return f"# {self.name} {self.version}"


CASES = Schema(
    "mmmed-cases",
    1,
    ("case_id", "subject_id", "session_id", "site", "label", "owned"),
    ("case_id",),
)
SPLITS = Schema("mmmed-splits", 1, ("fold", "case_id", "subject_id", "split"), ("fold", "case_id"))
PRESENCE = Schema(
    "mmmed-presence",
    1,
    ("protocol", "rate", "fold", "case_id", "split", "modality", "status"),
    ("protocol", "rate", "fold", "case_id", "modality"),
)
PREDICTIONS = Schema(
    "mmmed-predictions",
    1,
    (
        "case_id",
        "subject_id",
        "session_id",
        "site",
        "split",
        "fold",
        "seed",
        "method",
        "protocol",
        "rate",
        "owned",
        "pattern",
        "label",
    ),
    ("case_id", "method", "fold", "seed", "protocol", "rate", "pattern"),
)


def write(
    path: Path, schema: Schema, rows: Iterable[Mapping[str, Cell]], *, extra: Sequence[str] = ()
) -> None:
    """Write rows sorted by the schema's key, whole or not at all.

    Args:
        path: the file.
        schema: the kind of table.
        rows: one mapping per row; a column without a value is written `n/a`.
        extra: columns after the schema's own.

    Raises:
        ValueError: a column stands twice, or a row holds one that the table has not.
        TypeError: a value is no cell.
    """
    columns = (*schema.columns, *extra)
    if len(set(columns)) < len(columns):
        raise ValueError(f"{path}: a column stands twice in {columns}")
    lines = [_line(row, columns, path) for row in rows]
    places = [columns.index(column) for column in schema.key]
    lines.sort(key=lambda line: [_sort_key(line[place]) for place in places])
    text = "".join("\t".join(map(_quoted, line)) + "\n" for line in (columns, *lines))
    atomic.write_text(path, f"{schema.headline}\n{text}")


def read(path: Path, schema: Schema) -> list[dict[str, str]]:
    """The rows of a table, every cell as text.

    Raises:
        DataError: the file is missing, of another kind or version, lacks a column, or has a row
            of another length.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            headline = file.readline().rstrip("\r\n")
            if headline != schema.headline:
                raise DataError(
                    f"{path}: the first line is {headline[:60]!r}, not {schema.headline!r}"
                )
            return _rows(csv.reader(file, delimiter="\t", strict=True), schema, path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def _rows(reader: Iterator[list[str]], schema: Schema, path: Path) -> list[dict[str, str]]:
    columns = next(reader, [])
    lacking = [column for column in schema.columns if column not in columns]
    if lacking:
        raise DataError(f"{path}: the column {lacking[0]!r} is missing")
    if len(set(columns)) < len(columns):
        raise DataError(f"{path}: a column stands twice")
    rows = []
    for number, cells in enumerate(reader, start=1):
        if len(cells) != len(columns):
            raise DataError(f"{path}: row {number} has {len(cells)} cells, not {len(columns)}")
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows


def _line(row: Mapping[str, Cell], columns: Sequence[str], path: Path) -> list[str]:
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


def _quoted(cell: str) -> str:
    """A cell quoted where it must be; the csv writer leaves a lone carriage return bare."""
    return '"' + cell.replace('"', '""') + '"' if re.search('[\t\n\r"]', cell) else cell


def _sort_key(cell: str) -> tuple[int, float, str]:
    """Numbers by value, before texts."""
    try:
        number = float(cell)
    except ValueError:
        return (1, 0.0, cell)
    return (1, 0.0, cell) if math.isnan(number) else (0, number, cell)
