"""From rows found in files to a Cohort: labels, exclusions and faults in one place.

Every way of reading a cohort ends here, so that they agree on what is left out and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator

from mmmed.cohorts.cohort import (
    EXCLUDED,
    NEVER,
    UNLABELLED,
    Aside,
    Case,
    Cohort,
    Fault,
    Status,
    require_classes,
)
from mmmed.cohorts.label import Label, positive_class
from mmmed.cohorts.outcome import Seen, Verdict, judge
from mmmed.cohorts.visit import DAYS_PER_MONTH
from mmmed.errors import DataError, NothingReadable, join
from mmmed.modality import NAME, ItemKind, natural_key, natural_sorted
from mmmed.readers.source import Source
from mmmed.readers.vectors import MISSING

Cells = Mapping[str, str]
Visits = Literal["all", "baseline"]
"""Which visits of a subject are cases: every one, or its first with anything to show."""


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
    """One visit as found: its ids, its cells, its sources (maybe none).

    Attributes:
        id: of the case it may become.
        subject: whose it is.
        session: None where there are no time points.
        cells: column -> text.
        sources: modality -> items.
        month: since the baseline, where that is known.
        day: of the visit, where that is known.
        unknown: why tables with dates say nothing of it; "" where they do.
        found: False where the visit can be no case: a table alone knows it, or its scans went to
            another.
    """

    id: str
    subject: str
    session: str | None
    cells: Cells
    sources: Mapping[str, tuple[Source, ...]]
    month: float | None = None
    day: date | None = None
    unknown: str = ""
    found: bool = field(default=True)


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
    visits: Visits = "all",
    asides: Iterable[Aside] = (),
) -> Cohort:
    """The cohort of these rows.

    A row without a source, with an excluded label, or without a label where one is asked for, makes
    no case; the last is a fault. Without `label` every case is unlabelled.

    Raises:
        DataError: a label is outside the classes, or a class has no case.
        NothingReadable: no case is left.
    """
    ordered = sorted(rows, key=lambda one: one.id)
    collected, aside = list(faults), list(asides)
    cases: list[Case] = []
    bare: list[Case] = []
    unknown: list[str] = []
    verdicts = _verdicts(ordered, label)
    for row in _chosen(ordered, visits, kinds, aside):
        verdict = verdicts[row.id]
        if verdict.kind == "class":
            (cases if row.sources else bare).append(_case(row, verdict, label, columns))
            continue
        aside += _left_out(row, kinds, EXCLUDED, verdict.reason)
        if verdict.kind == "missing" and row.sources:
            why = f"{verdict.reason} ({row.unknown})" if row.unknown else verdict.reason
            collected.append(Fault(row.id, None, why))
        elif verdict.kind == "unknown" and row.sources and label:
            unknown.append(label.outside(row.id, verdict.text))
    _refuse_unknown(unknown, name)
    if not cases:
        reasons = "; ".join(str(fault) for fault in collected[:3]) or "no item was found"
        raise NothingReadable(f"cohort {name}: no case can be used ({reasons})")
    classes = label.classes if label else ()
    chosen = positive_class(classes, positive) if label else None
    cohort = Cohort(
        name=name,
        classes=classes,
        positive=chosen,
        kinds=MappingProxyType({modality: kinds[modality] for modality in natural_sorted(kinds)}),
        cases=tuple(cases),
        faults=tuple(collected),
        tables=tuple(tables),
        asides=_first(aside),
        bare=tuple(bare),
        rule=label.sentence(chosen, visits=visits) if label else "",
    )
    require_classes(cohort)
    return cohort


def _verdicts(rows: Sequence[Row], label: Label | None) -> dict[str, Verdict]:
    """Row id -> what the rule makes of it, knowing all visits of its subject."""
    if label is None:
        return {row.id: Verdict("class") for row in rows}
    of_subject: dict[str, list[Row]] = {}
    for row in rows:
        of_subject.setdefault(row.subject, []).append(row)
    verdicts: dict[str, Verdict] = {}
    for own in of_subject.values():
        months = _months(own)
        seen = [
            Seen(month, None if text is None else label.meaning(text))
            for month, text in zip(
                months, (row.cells.get(label.column) for row in own), strict=True
            )
        ]
        verdicts |= {row.id: judge(one, seen, label) for row, one in zip(own, seen, strict=True)}
    return verdicts


def _months(rows: Sequence[Row]) -> list[float | None]:
    """The month of each visit of a subject: as stated, else by days since its first visit."""
    if all(row.month is not None for row in rows):
        return [row.month for row in rows]
    days = [row.day for row in rows if row.day is not None]
    first = min(days, default=None)
    return [
        row.month if row.day is None or first is None else (row.day - first).days / DAYS_PER_MONTH
        for row in rows
    ]


def _chosen(
    rows: Sequence[Row], visits: Visits, kinds: Iterable[str], aside: list[Aside]
) -> list[Row]:
    """The rows that may become cases; what another row of the subject stands for is set aside.

    A visit that was not found is none where its subject has something to show.
    """
    showing = {row.subject for row in rows if row.sources}
    chosen: list[Row] = []
    of_subject: dict[str, list[Row]] = {}
    for row in rows:
        if row.found or row.subject not in showing:
            of_subject.setdefault(row.subject, []).append(row)
        else:
            aside += _left_out(row, kinds, NEVER, "has no scan of its own")
    for own in of_subject.values():
        if visits == "all":
            chosen += own
            continue
        first, *others = _in_time(own)
        chosen.append(first)
        for row in others:
            reason = f"not the subject's first visit, which is {first.session}"
            aside += _left_out(row, kinds, EXCLUDED, reason)
    return sorted(chosen, key=lambda row: row.id)


def _in_time(rows: Sequence[Row]) -> list[Row]:
    """The visits of a subject, those with something to show first, and then as time goes."""
    months = dict(zip((row.id for row in rows), _months(rows), strict=True))
    known = all(month is not None for month in months.values())
    return sorted(
        rows,
        key=lambda row: (
            not row.sources,
            (months[row.id] or 0.0) if known else 0.0,
            natural_key(row.session or ""),
        ),
    )


def _left_out(row: Row, kinds: Iterable[str], status: Status, reason: str) -> list[Aside]:
    """Each modality of a row that makes no case; what it does not own was never acquired."""
    return [
        Aside(
            row.id,
            row.subject,
            row.session,
            modality,
            status if modality in row.sources else NEVER,
            reason,
        )
        for modality in natural_sorted(kinds)
    ]


def _first(asides: Iterable[Aside]) -> tuple[Aside, ...]:
    """The first that is said of each modality of each visit."""
    first: dict[tuple[str, str], Aside] = {}
    for aside in asides:
        first.setdefault((aside.where, aside.modality), aside)
    return tuple(first.values())


def _case(row: Row, verdict: Verdict, label: Label | None, columns: Columns) -> Case:
    own = (columns.site, columns.part, *columns.reserved)
    names = columns.covariates or tuple(name for name in row.cells if name not in own)
    return Case(
        id=row.id,
        subject=row.subject,
        session=row.session,
        site=_known(row.cells.get(columns.site)),
        label=label.index(verdict.text) if label else UNLABELLED,
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
