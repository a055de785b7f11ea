"""Vectors as items: rows of tables, read straight from them; nothing is kept on disk."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from mmmed.errors import DataError
from mmmed.readers.source import Source
from mmmed.readers.vectors import Rows, read_rows
from mmmed.transforms.prepared import Prepared, Refused


def read_row(source: Source) -> Prepared | Refused:
    """A row prepared, or refused with its reason."""
    try:
        vector = _vector(source)
    except DataError as error:
        return Refused(source, str(error))
    return Prepared(source, None, _digest_of_row(vector), vector.shape)


def load_row(item: Prepared) -> np.ndarray:
    """The row of a prepared item, (F,) float32.

    Raises:
        DataError: it has changed since it was prepared.
    """
    vector = _vector(item.source)
    if _digest_of_row(vector) != item.digest:
        raise DataError(f"{item.source.path}: row {item.source.row} changed; prepare it again")
    return vector.copy()


def _vector(source: Source) -> np.ndarray:
    """The row of a table as (F,) float32.

    Raises:
        DataError: the table cannot be read, or the row is faulty or not in it.
    """
    rows = _rows(source.path, source.columns, source.identifier, _state(source.path))
    row = str(source.row)
    if row in rows.faults:
        raise DataError(f"{source.path}: row {row}: {rows.faults[row]}")
    if row not in rows.vectors:
        raise DataError(f"{source.path}: has no row {row}")
    return rows.vectors[row]


@lru_cache(maxsize=32)
def _rows(
    path: Path,
    columns: tuple[str, ...],
    identifier: str | None,
    state: tuple[int, int] | None,  # noqa: ARG001 - part of the key: a changed file is read again
) -> Rows:
    return read_rows(path, columns=columns, identifier=identifier)


def _state(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written: its time and size; None where it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size)


def _digest_of_row(vector: np.ndarray) -> str:
    return hashlib.sha256(vector.tobytes()).hexdigest()
