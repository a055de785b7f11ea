"""A cohort's folder once more: links to its files, and other files where scans are poisoned."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from mmmed.readers.source import Source
from mmmed.readers.vectors import read_table

Vector = tuple[float, ...]


@dataclass(frozen=True)
class Shadow:
    """Where the files of a cohort lie and where their shadows do.

    Attributes:
        root: the folder of the cohort.
        place: the folder of its shadow.
    """

    root: Path
    place: Path

    def of(self, path: Path) -> Path:
        """The shadow of a file; a file outside the cohort's folder casts none."""
        return self.place / path.relative_to(self.root) if self.covers(path) else path

    def covers(self, path: Path) -> bool:
        """Whether a file lies in the cohort's folder."""
        return path.is_relative_to(self.root)

    def source(self, source: Source) -> Source:
        """The source as the shadow's cohort names it."""
        files = tuple(map(self.of, source.files))
        return replace(source, path=self.of(source.path), files=files)


@dataclass(frozen=True)
class Changes:
    """What a shadow shows in place of a cohort's own files.

    Attributes:
        files: file -> what stands for it.
        rows: of tables: a vector's source -> its values.
    """

    files: Mapping[Path, Path] = field(default_factory=dict)
    rows: Mapping[Source, Vector] = field(default_factory=dict)

    @property
    def paths(self) -> frozenset[Path]:
        """Every file that is not shown as it is."""
        return frozenset({*self.files, *(source.path for source in self.rows)})


def cast(shadow: Shadow, changes: Changes) -> None:
    """Write a shadow anew: folders, and links to files."""
    shutil.rmtree(shadow.place, ignore_errors=True)
    for folder, names in _folders(shadow.root, changes.paths):
        there = shadow.of(folder)
        there.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = folder / name
            if path not in changes.paths:
                (there / name).symlink_to(path.absolute())
    for path, stand_in in changes.files.items():
        shadow.of(path).symlink_to(stand_in.absolute())
    tables: dict[Path, list[Source]] = {}
    for source in changes.rows:
        tables.setdefault(source.path, []).append(source)
    for path, sources in tables.items():
        values = {source: changes.rows[source] for source in sources}
        _write_table(path, shadow.of(path), values)


def _folders(root: Path, changed: frozenset[Path]) -> Iterator[tuple[Path, Sequence[str]]]:
    """Each folder with what is linked in it: files, and links to folders without a change."""
    above = {parent for path in changed for parent in path.parents}
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        linked = []
        with os.scandir(folder) as entries:
            for entry in entries:
                path = folder / entry.name
                if entry.is_dir() and (not entry.is_symlink() or path in above):
                    waiting.append(path)
                else:
                    linked.append(entry.name)
        yield folder, linked


def _write_table(path: Path, target: Path, values: Mapping[Source, Vector]) -> None:
    """A table with the cells of some vectors replaced."""
    table = read_table(path)
    separator = "\t" if path.suffix == ".tsv" else ","
    cells = table.to_numpy().tolist()
    columns = {name: place for place, name in enumerate(table.columns)}
    for identifier in {source.identifier for source in values}:
        places = _places(table, identifier)
        for source, vector in values.items():
            if source.identifier == identifier:
                row = cells[places[str(source.row)]]
                for name, value in zip(source.columns, vector, strict=True):
                    row[columns[name]] = repr(value)
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(line for line in csv.reader(file, delimiter=separator) if line)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(cells)


def _places(table: pd.DataFrame, identifier: str | None) -> dict[str, int]:
    """Row id -> its position, as `readers.vectors` names rows."""
    if identifier is None:
        return {str(place): place for place in range(len(table))}
    rows = table.loc[:, identifier.split("+")].to_numpy()
    return {"_".join(row): place for place, row in enumerate(rows)}
