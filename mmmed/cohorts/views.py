"""Cohorts kept as one table of vectors per modality, rows in the same order.

Each table has a header, one row per case, and the label in one of its columns; the case is the
position of the row. Tables that disagree about a label, or in length, are refused: their rows
would not belong together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from mmmed.cohorts.assembly import Columns, ModalityName, Row, assemble
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.label import LAST, Label
from mmmed.cohorts.root import named_folder
from mmmed.config import Spec
from mmmed.errors import DataError
from mmmed.readers.source import Source
from mmmed.readers.vectors import Rows, read_table, rows_of


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
    root = named_folder(spec.root, cohort=name, holds="tables")
    views = {
        modality: _read(root / view.file, spec.label.column)
        for modality, view in spec.modalities.items()
    }
    _check_agreement(list(views.values()))
    faults: list[Fault] = []
    labels = [str(text) for text in next(iter(views.values())).labels]
    rows = [
        Row(
            id=(case := f"row-{place:0{len(str(len(labels) - 1))}d}"),
            subject=case,
            session=None,
            cells={spec.label.column: text},
            sources=_sources(case, str(place), views, faults),
        )
        for place, text in enumerate(labels)
    ]
    return assemble(
        rows,
        name=name,
        kinds=dict.fromkeys(views, "vector"),
        label=spec.label,
        positive=spec.positive,
        columns=Columns(site="", part="", covariates=(), reserved=(spec.label.column,)),
        faults=faults,
        tables=[view.path for view in views.values()],
    )


@dataclass(frozen=True)
class _View:
    """One table as read: the label and the vector of each row."""

    path: Path
    labels: pd.Series
    rows: Rows


def _read(path: Path, column: str) -> _View:
    table = read_table(path)
    label = _label_column(table, column, path)
    columns = [name for name in table.columns if name != label]
    return _View(path, table[label], rows_of(table, path=path, columns=columns, identifier=None))


def _label_column(table: pd.DataFrame, column: str, path: Path) -> str:
    name = str(table.columns[-1]) if column == LAST else column
    if name not in table.columns:
        raise DataError(f"{path}: the column {name!r} is missing")
    return name


def _check_agreement(views: Sequence[_View]) -> None:
    """Raise unless all tables have the same labels in the same rows."""
    first, *others = views
    for other in others:
        if len(other.labels) != len(first.labels):
            raise DataError(
                f"{other.path}: has {len(other.labels)} rows, {first.path.name} has "
                f"{len(first.labels)}; the rows of all views must be the same cases"
            )
        differing = (other.labels != first.labels).to_numpy().nonzero()[0]
        if len(differing):
            place = int(differing[0])
            raise DataError(
                f"{other.path}: row {place} is of class {other.labels.iloc[place]!r}, in "
                f"{first.path.name} of {first.labels.iloc[place]!r}; put the rows of all views "
                "in one order"
            )


def _sources(
    case: str, row: str, views: Mapping[str, _View], faults: list[Fault]
) -> dict[str, tuple[Source, ...]]:
    """What a case owns; a row that cannot be read is a fault."""
    sources: dict[str, tuple[Source, ...]] = {}
    for modality, view in views.items():
        if row in view.rows.vectors:
            sources[modality] = (Source(view.path, row, view.rows.columns),)
        elif row in view.rows.faults:
            faults.append(Fault(case, modality, f"{view.path.name}: {view.rows.faults[row]}"))
    return sources
