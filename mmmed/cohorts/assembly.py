"""From rows found in files to a Cohort: labels, exclusions and faults in one place.

Every way of reading a cohort ends here, so that they agree on what is left out and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator

from mmmed.cohorts.cohort import UNLABELLED, Case, Cohort, Fault, require_classes
from mmmed.cohorts.label import Label, positive_class
from mmmed.errors import DataError, NothingReadable, join
from mmmed.modality import NAME, ItemKind, natural_sorted
from mmmed.readers.source import Source
from mmmed.readers.vectors import MISSING

Cells = Mapping[str, str]


def _modality_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no modality name: lower-case letters, digits and '_', a letter first"
        )
    return name


ModalityName = Annotated[str, AfterValidator(_modality_name)]
"""A key of `modalities:`."""

MOST_NAMED = 10
"""Cases named one by one in an error; the rest are counted."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a cohort's table mean what.

    Attributes:
        site: where the case was seen.
        part: the cohort's own split.
        covariates: recorded with the case; empty for every further column.
        reserved: ids and the label, never covariates.
    """

    site: str
    part: str
    covariates: tuple[str, ...]
    reserved: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One case as found: its ids, its cells, its sources (maybe none)."""

    id: str
    subject: str
    session: str | None
    cells: Cells
    sources: Mapping[str, tuple[Source, ...]]


def assemble(
    rows: Iterable[Row],
    *,
    name: str,
    kinds: Mapping[str, ItemKind],
    label: Label | None,
    positive: str | None,
    columns: Columns,
    faults: Iterable[Fault],
    tables: Iterable[Path],
) -> Cohort:
    """The cohort of these rows.

    A row without a source, with an excluded label, or without a label where one is asked for, makes
    no case; the last is a fault. Without `label` every case is unlabelled.

    Raises:
        DataError: a label is outside the classes, or a class has no case.
        NothingReadable: no case is left.
    """
    collected = list(faults)
    cases: list[Case] = []
    unknown: list[str] = []
    for row in sorted(rows, key=lambda one: one.id):
        text = row.cells.get(label.column) if label else None
        if not row.sources or (label and text in label.exclude):
            continue
        if label is None:
            cases.append(_case(row, UNLABELLED, columns))
        elif text is None or label.is_missing(text):
            collected.append(Fault(row.id, None, f"has no {label.column}; left out"))
        elif label.is_known(text):
            cases.append(_case(row, label.index(text), columns))
        else:
            unknown.append(label.outside(row.id, text))
    _refuse_unknown(unknown, name)
    if not cases:
        reasons = "; ".join(str(fault) for fault in collected[:3]) or "no item was found"
        raise NothingReadable(f"cohort {name}: no case can be used ({reasons})")
    classes = label.classes if label else ()
    cohort = Cohort(
        name=name,
        classes=classes,
        positive=positive_class(classes, positive) if label else None,
        kinds=MappingProxyType({modality: kinds[modality] for modality in natural_sorted(kinds)}),
        cases=tuple(cases),
        faults=tuple(collected),
        tables=tuple(tables),
    )
    require_classes(cohort)
    return cohort


def _case(row: Row, label: int, columns: Columns) -> Case:
    own = (columns.site, columns.part, *columns.reserved)
    names = columns.covariates or tuple(name for name in row.cells if name not in own)
    return Case(
        id=row.id,
        subject=row.subject,
        session=row.session,
        site=_known(row.cells.get(columns.site)),
        label=label,
        part=_known(row.cells.get(columns.part)),
        covariates=MappingProxyType({name: _value(row.cells.get(name)) for name in names}),
        sources=MappingProxyType({name: row.sources[name] for name in natural_sorted(row.sources)}),
    )


def _refuse_unknown(unknown: list[str], name: str) -> None:
    if not unknown:
        return
    rest = len(unknown) - MOST_NAMED
    more = [f"cohort {name}: and {rest} more cases"] if rest > 0 else []
    raise DataError(join([*unknown[:MOST_NAMED], *more]))


def _known(text: str | None) -> str | None:
    return None if text is None or text in MISSING else text


def _value(text: str | None) -> str | float | None:
    known = _known(text)
    try:
        return None if known is None else float(known)
    except ValueError:
        return known
