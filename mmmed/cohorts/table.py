"""Cohorts kept as one CSV or TSV: a row per case, a column of paths per modality."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mmmed.cohorts.assembly import Columns, ModalityName, Row, assemble
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.label import Label
from mmmed.cohorts.root import named_folder
from mmmed.config import Spec
from mmmed.errors import DataError
from mmmed.readers.source import Source
from mmmed.readers.vectors import MISSING, Rows, read_table, rows_of

MOST_COLUMNS = 20
"""Columns named in an error."""


class TableFiles(Spec):
    """A modality whose items are files.

    Attributes:
        kind: NIfTI volumes, or images: PNG, JPEG, TIFF.
        columns: each holds a path below the root (or absolute), or `n/a`; each path is one item.
        separator: what stands between the paths of one cell, such as `;`; None where a cell holds
            one path.
    """

    kind: Literal["volume", "image"]
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    separator: Annotated[str, Field(min_length=1)] | None = None


class TableVectors(Spec):
    """A modality whose item is made of columns of the table itself.

    Attributes:
        columns: the numbers that make the vector; all `n/a` is absence.
    """

    kind: Literal["vector"]
    columns: Annotated[tuple[str, ...], Field(min_length=1)]


TableModality = Annotated[TableFiles | TableVectors, Field(discriminator="kind")]


class TableCohort(Spec):
    """A table of cases.

    Attributes:
        root: the folder of the files; a study or a command names it.
        table: the CSV or TSV, below the root (or absolute).
        modalities: name -> the columns it is in.
        case: column of case ids.
        subject: column of subject ids; every case is a subject where the table lacks it.
        session: column of sessions.
        label: the diagnosis; None reads every case unlabelled.
        positive: the positive class; the second of two where it is not named.
        site: column of the site.
        part: column of the cohort's own split.
        covariates: columns recorded with each case; empty for all that are nothing else.
    """

    kind: Literal["table"]
    root: Path | None = None
    table: Path
    modalities: Annotated[dict[ModalityName, TableModality], Field(min_length=1)]
    case: str = "case_id"
    subject: str = "subject_id"
    session: str = "session_id"
    label: Label | None = None
    positive: str | None = None
    site: str = "site"
    part: str = "part"
    covariates: tuple[str, ...] = ()


def read_table_cohort(spec: TableCohort, name: str) -> Cohort:
    """The cohort of a table; the files it names must be there, none is opened.

    Raises:
        StudyError: the spec names no root.
        NothingReadable: there is no such folder, or no case is left.
        DataError: the table is missing or broken, lacks a column, or holds an unknown label.
    """
    root = named_folder(spec.root, cohort=name, holds="files")
    path = root / spec.table
    cells = read_table(path)
    _check_columns(path, list(cells.columns), spec)
    records = [
        {str(key): str(value) for key, value in one.items()} for one in cells.to_dict("records")
    ]
    vectors = {
        modality: (path, rows_of(cells, path=path, columns=one.columns, identifier=spec.case))
        for modality, one in spec.modalities.items()
        if isinstance(one, TableVectors)
    }
    named = [record for record in records if record[spec.case] not in MISSING]
    faults = _twice(named, spec)
    repeated = {fault.where for fault in faults}
    if len(named) < len(records):
        nameless = f"{len(records) - len(named)} row(s) without {spec.case}; name each case"
        faults.append(Fault(spec.table.name, None, nameless))
    rows = [
        _row(record, spec, vectors, faults) for record in named if record[spec.case] not in repeated
    ]
    return assemble(
        rows,
        name=name,
        kinds={modality: one.kind for modality, one in spec.modalities.items()},
        label=spec.label,
        positive=spec.positive,
        columns=Columns(
            site=spec.site, part=spec.part, covariates=spec.covariates, reserved=_reserved(spec)
        ),
        faults=faults,
        tables=[path],
    )


def _check_columns(path: Path, columns: list[str], spec: TableCohort) -> None:
    wanted = [spec.case, *(column for one in spec.modalities.values() for column in one.columns)]
    if spec.label:
        wanted.append(spec.label.column)
    wanted += spec.covariates
    lacking = [column for column in wanted if column not in columns]
    if not lacking:
        return
    there = ", ".join(columns[:MOST_COLUMNS]) + (", ..." if len(columns) > MOST_COLUMNS else "")
    advice = "mend the table or the cohort's YAML"
    if len(columns) == 1:
        advice = "a .tsv has tabs between its cells, any other table commas: export it so"
    raise DataError(f"{path}: the column {lacking[0]!r} is missing ({there}); {advice}")


def _reserved(spec: TableCohort) -> tuple[str, ...]:
    paths = [
        column
        for one in spec.modalities.values()
        if isinstance(one, TableFiles)
        for column in one.columns
    ]
    label = [spec.label.column] if spec.label else []
    return (spec.case, spec.subject, spec.session, *label, *paths)


def _twice(records: list[dict[str, str]], spec: TableCohort) -> list[Fault]:
    counts: dict[str, int] = {}
    for record in records:
        counts[record[spec.case]] = counts.get(record[spec.case], 0) + 1
    return [
        Fault(case, None, f"stands in {count} rows of {spec.table.name}; keep one")
        for case, count in counts.items()
        if count > 1
    ]


def _row(
    record: dict[str, str],
    spec: TableCohort,
    vectors: Mapping[str, tuple[Path, Rows]],
    faults: list[Fault],
) -> Row:
    case = record[spec.case]
    sources: dict[str, tuple[Source, ...]] = {}
    for modality, one in spec.modalities.items():
        if isinstance(one, TableVectors):
            items = _vector(case, spec.case, *vectors[modality])
            reason = vectors[modality][1].faults.get(case)
            faults += [Fault(case, modality, reason)] if reason else []
        else:
            named = [path for column in one.columns for path in _paths(record[column], one)]
            items, lacking = _files(spec.root or Path(), named)
            faults += [Fault(case, modality, reason) for reason in lacking]
        if items:
            sources[modality] = items
    subject, session = record.get(spec.subject), record.get(spec.session)
    return Row(
        id=case,
        subject=case if subject is None or subject in MISSING else subject,
        session=None if session in MISSING else session,
        cells=record,
        sources=sources,
    )


def _vector(case: str, identifier: str, table: Path, rows: Rows) -> tuple[Source, ...]:
    if case not in rows.vectors:
        return ()
    return (Source(table, case, rows.columns, identifier),)


def _paths(cell: str, one: TableFiles) -> list[str]:
    """The paths that a cell names."""
    parts = [part.strip() for part in cell.split(one.separator)] if one.separator else [cell]
    return [path for path in parts if path not in MISSING]


def _files(root: Path, named: list[str]) -> tuple[tuple[Source, ...], list[str]]:
    """The files that are there, and one reason for each that is not."""
    found = {root / name: _absence(root / name) for name in named}
    there = tuple(Source(path) for path, why in found.items() if why is None)
    return there, [f"{path}: {why}" for path, why in found.items() if why is not None]


def _absence(path: Path) -> str | None:
    """Why no file can be opened at a path; None where one is there."""
    try:
        there = "\0" not in str(path) and path.is_file()
    except OSError as error:
        return f"cannot be looked for ({error.strerror}); mend the path, or write n/a"
    if there:
        return None
    windows = "\\" in path.name
    return "is not there; " + (
        "write the path with / and below the root" if windows else "fetch it or write n/a"
    )
