"""Tab-separated tables with a name and a version in their first line.

The first line is `# <schema> <version>`, the second the column names. Floats are written by
`repr`, so that reading gives the same bits; `n/a` stands for a missing value, as in BIDS.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.errors import DataError
from mmmed.record import atomic

Cell = str | int | float | bool | None
MISSING = "n/a"


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
SPLITS = Schema(
    "mmmed-splits", 1, ("fold", "case_id", "subject_id", "split"), ("fold", "case_id")
)
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
    """
    columns = (*schema.columns, *extra)
    text = [[_written(row.get(column)) for column in columns] for row in rows]
    places = [columns.index(column) for column in schema.key]
    text.sort(key=lambda row: [_sort_key(row[place]) for place in places])
    buffer = io.StringIO()
    buffer.write(schema.headline + "\n")
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(text)
    atomic.write_text(path, buffer.getvalue())


def read(path: Path, schema: Schema) -> list[dict[str, str]]:
    """The rows of a table, every cell as text.

    Raises:
        DataError: the file is missing, of another kind or version, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            headline = file.readline().rstrip("\n")
            if headline != schema.headline:
                raise DataError(
                    f"{path}: the first line is {headline[:60]!r}, not {schema.headline!r}"
                )
            reader = csv.DictReader(file, delimiter="\t", strict=True)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    lacking = [column for column in schema.columns if column not in (reader.fieldnames or ())]
    if lacking:
        raise DataError(f"{path}: the column {lacking[0]!r} is missing")
    if any(None in row or None in row.values() for row in rows):
        raise DataError(f"{path}: a row has more or fewer cells than the header")
    return rows


def _written(value: Cell) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return MISSING if value != value else repr(float(value))
    return str(value)


def _sort_key(cell: str) -> tuple[int, float, str]:
    try:
        return (0, float(cell), cell)
    except ValueError:
        return (1, 0.0, cell)
