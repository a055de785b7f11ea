"""Tables whose rows are vectors: clinical variables, extracted features.

row id       the text of the identifier column; of several columns, joined by `_`; without an
             identifier the position of the row, counted from 0
column name  as in the header; where a name stands twice, the second is `name.1` (as pandas reads)

A row that cannot be read is a fault of that row alone: other rows do not feel it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mmmed.errors import DataError

LARGEST = 1 << 30
"""Bytes of the largest table read."""

MISSING = ("n/a", "")


@dataclass(frozen=True)
class Rows:
    """The vectors of a table.

    Attributes:
        columns: the columns that make a vector, in order.
        vectors: row id -> (F,) float32, finite.
        faults: row id -> why the row has no vector.
        blank: ids of rows in which every column is `n/a`: absent, not faulty.
    """

    columns: tuple[str, ...]
    vectors: Mapping[str, np.ndarray]
    faults: Mapping[str, str]
    blank: frozenset[str]


def read_rows(path: Path, *, columns: Sequence[str], identifier: str | None) -> Rows:
    """The vectors of a CSV or TSV table.

    Args:
        path: ends in `.csv` (comma) or `.tsv` (tab).
        columns: what makes a vector; empty for every column but the identifier.
        identifier: the column of row ids, several joined by `+`, or None.

    Raises:
        DataError: the table cannot be read, or lacks a column.
    """
    return rows_of(read_table(path), path=path, columns=columns, identifier=identifier)


def rows_of(
    table: pd.DataFrame, *, path: Path, columns: Sequence[str], identifier: str | None
) -> Rows:
    """`read_rows`, for a table that was read from `path` already.

    Raises:
        DataError: the table lacks a column.
    """
    names = identifier.split("+") if identifier else []
    chosen = tuple(columns) or tuple(name for name in table.columns if name not in names)
    lacking = [name for name in (*names, *chosen) if name not in table.columns]
    if lacking or not chosen:
        raise DataError(f"{path}: the column {(lacking or ['of values'])[0]!r} is missing")
    ids = _ids(table, names)
    text = table.loc[:, list(chosen)]
    numbers = text.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(numbers, dtype=np.float32)
    values.setflags(write=False)
    blank = text.isin(MISSING).all(axis=1).to_numpy()
    finite = np.isfinite(values).all(axis=1)
    faults = dict.fromkeys(ids[ids.duplicated()], "stands in two rows")
    for place in np.flatnonzero(~finite & ~blank):
        faults.setdefault(ids.iloc[place], _fault(text.iloc[place], values[place]))
    return Rows(
        columns=chosen,
        vectors={
            ids.iloc[place]: values[place]
            for place in np.flatnonzero(finite)
            if ids.iloc[place] not in faults
        },
        faults=faults,
        blank=frozenset(one for one in ids[blank] if one not in faults),
    )


def read_table(path: Path) -> pd.DataFrame:
    """A CSV or TSV table, every cell as text, column names made unique.

    Raises:
        DataError: not there, empty, too large, no text, a row of another length, or no table.
    """
    separator = "\t" if path.suffix == ".tsv" else ","
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path}: larger than {LARGEST} bytes; this is no table of vectors")
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file, delimiter=separator, strict=True) if line]
    except FileNotFoundError as error:
        raise DataError(f"{path}: is not there") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text in UTF-8 ({error}); export it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{path}: is no table ({error}); mend its quotes") from error
    if not lines:
        raise DataError(f"{path}: is empty")
    header, *body = lines
    for number, line in enumerate(body, start=2):
        if len(line) != len(header):
            raise DataError(
                f"{path}: line {number} has {len(line)} cells, the header {len(header)}; mend it"
            )
    return pd.DataFrame(body, columns=pd.Index(_unique(header)), dtype=str)


def _unique(header: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for name in header:
        count = seen.get(name, 0)
        seen[name] = count + 1
        names.append(f"{name}.{count}" if count else name)
    return names


def _ids(table: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    if not names:
        return pd.Series([str(place) for place in range(len(table))], dtype=object)
    return pd.Series(["_".join(row) for row in table.loc[:, list(names)].to_numpy()], dtype=object)


def _fault(text: pd.Series, values: np.ndarray) -> str:
    place = int(np.flatnonzero(~np.isfinite(values))[0])
    return f"column {text.index[place]!r} is {text.iloc[place]!r}, no finite number"
