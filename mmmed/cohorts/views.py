"""Cohorts kept as one table of vectors per modality, rows in the same order.

Each table has a header, one row per case, and the label in one of its columns; the case is the
position of the row. Tables that disagree about a label, or in length, are refused: their rows
would not belong together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from mmmed.cohorts.assembly import Columns, ModalityName, Row, assemble
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.label import Label
from mmmed.config import Spec
from mmmed.errors import DataError, NothingReadable, StudyError
from mmmed.readers.source import Source
from mmmed.readers.vectors import Rows, read_rows, read_table

LAST = "last"
"""Names the last column of each table as the label's."""


class View(Spec):
    """One table of vectors.

    Attributes:
        file: the CSV or TSV, below the root.
    """

    kind: Literal["vector"]
    file: Path


class ViewsCohort(Spec):
    """Tables whose rows are the cases.

    Attributes:
        root: the folder of the tables; a study or a command names it.
        modalities: name -> its table.
        label: which column of every table is the label; `last` for the last one.
        positive: the positive class; the second of two where it is not named.
    """

    kind: Literal["views"]
    root: Path | None = None
    modalities: Annotated[dict[ModalityName, View], Field(min_length=1)]
    label: Label
    positive: str | None = None


def read_views(spec: ViewsCohort, name: str) -> Cohort:
    """The cohort of several tables.

    Raises:
        StudyError: the spec names no root.
        NothingReadable: there is no such folder, or no case is left.
        DataError: a table is missing or broken, or two tables disagree.
    """
    if spec.root is None:
        raise StudyError(f"cohort {name}: name the folder of its files: --set cohort.root=DIR")
    if not spec.root.is_dir():
        raise NothingReadable(f"{spec.root}: is no folder")
    tables = {modality: spec.root / view.file for modality, view in spec.modalities.items()}
    labels = {modality: _labels(path, spec.label.column) for modality, path in tables.items()}
    first = _agreed(labels, tables)
    views = {
        modality: read_rows(path, columns=_vector_columns(path, spec.label.column), identifier=None)
        for modality, path in tables.items()
    }
    faults: list[Fault] = []
    width = len(str(len(first) - 1))
    rows = [
        _row(place, width, str(text), views, tables, faults, spec.label.column)
        for place, text in enumerate(first)
    ]
    return assemble(
        rows,
        name=name,
        kinds=dict.fromkeys(tables, "vector"),
        label=spec.label,
        positive=spec.positive,
        columns=Columns(site="", part="", covariates=(), reserved=(spec.label.column,)),
        faults=faults,
    )


def _label_column(table: pd.DataFrame, column: str) -> str:
    return str(table.columns[-1]) if column == LAST else column


def _labels(path: Path, column: str) -> pd.Series:
    table = read_table(path)
    name = _label_column(table, column)
    if name not in table.columns:
        raise DataError(f"{path}: the column {name!r} is missing")
    return table[name]


def _vector_columns(path: Path, column: str) -> tuple[str, ...]:
    table = read_table(path)
    name = _label_column(table, column)
    return tuple(str(one) for one in table.columns if one != name)


def _agreed(labels: Mapping[str, pd.Series], tables: Mapping[str, Path]) -> pd.Series:
    """The labels all tables agree on."""
    first, *others = labels
    for other in others:
        if len(labels[other]) != len(labels[first]):
            raise DataError(
                f"{tables[other]}: has {len(labels[other])} rows, {tables[first].name} has "
                f"{len(labels[first])}; the rows of all views must be the same cases"
            )
        differing = (labels[other] != labels[first]).to_numpy().nonzero()[0]
        if len(differing):
            place = int(differing[0])
            raise DataError(
                f"{tables[other]}: row {place} is of class {labels[other].iloc[place]!r}, in "
                f"{tables[first].name} of {labels[first].iloc[place]!r}; put the rows of all views "
                "in one order"
            )
    return labels[first]


def _row(
    place: int,
    width: int,
    text: str,
    views: Mapping[str, Rows],
    tables: Mapping[str, Path],
    faults: list[Fault],
    column: str,
) -> Row:
    case = f"row-{place:0{width}d}"
    sources: dict[str, tuple[Source, ...]] = {}
    for modality, rows in views.items():
        if str(place) in rows.vectors:
            sources[modality] = (Source(tables[modality], str(place), rows.columns),)
        elif str(place) in rows.faults:
            faults.append(Fault(case, modality, rows.faults[str(place)]))
    return Row(id=case, subject=case, session=None, cells={column: text}, sources=sources)
