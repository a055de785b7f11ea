"""Tables whose columns a cohort's YAML names: of visits and diagnoses, such as ADNI's.

A row that cannot be read is one fault and costs itself alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from mmmed.cohorts.cohort import Fault
from mmmed.cohorts.label import Label
from mmmed.cohorts.register import Cells, Dated, Register, Visit, meant, told
from mmmed.cohorts.visit import read_day, read_month, session_key, subject_key
from mmmed.config import Spec
from mmmed.errors import DataError
from mmmed.readers.vectors import read_table


class MappedTable(Spec):
    """A CSV or TSV with a row per visit, or per subject, and which of its columns mean what.

    Attributes:
        file: below the root of the cohort, or absolute.
        subject: column of subject ids.
        match: finds, in the name of a subject's folder, the id by which the table knows it, as its
            group: `S([0-9]+)$` where RID 295 is `sub-ADNI002S0295`. Numbers are compared as such.
        session: column of visits; None for a table with a row per subject, or per date.
        month: column of months since the baseline, where the visit's name does not tell.
        day: column of dates.
        nearest_days: for a table that tells visits by date alone: a session takes the row that is
            nearest to it, at most so many days away.
        day_format: of the dates, as of `strptime` (`%m/%d/%Y`); ISO 8601 where None.
        prefix: what folder names put before the id once its punctuation is gone: `ADNI` where
            `002_S_0295` is `sub-ADNI002S0295`.
        codes: what the table calls a visit -> the session; of two names for one session in two
            rows the first here counts.
        columns: name in the cohort -> column of the table; empty for every column as it is.
        missing: what stands for a missing value beside `n/a` and nothing.
        optional: whether the table may be absent.
    """

    file: Path
    subject: str = "participant_id"
    session: str | None = "session_id"
    month: str | None = None
    day: str | None = None
    day_format: str | None = None
    nearest_days: Annotated[int, Field(ge=0)] | None = None
    prefix: str = ""
    match: str | None = None
    codes: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    optional: bool = False

    @field_validator("match")
    @classmethod
    def _one_group(cls, match: str | None) -> str | None:
        try:
            groups = 1 if match is None else re.compile(match).groups
        except re.error as error:
            raise ValueError(f"{match!r} is no regular expression ({error})") from error
        if groups != 1:
            raise ValueError(f"{match!r} needs one group, which is the id")
        return match

    @model_validator(mode="after")
    def _by_date_alone(self) -> MappedTable:
        if self.nearest_days is not None and (self.session is not None or self.day is None):
            raise ValueError("nearest_days needs a `day`, and `session: null`")
        return self


def read_mapped(
    tables: Sequence[MappedTable],
    root: Path,
    register: Register,
    *,
    label: Label | None,
    faults: list[Fault],
    subject: Callable[[str], str] = subject_key,
    folders: Iterable[str] = (),
) -> None:
    """Add tables to a register, the first one first.

    Args:
        tables: what to read.
        root: that their files are below.
        register: added to.
        label: whose values are named as in the cohort.
        faults: added to.
        subject: from an id as a table writes it to the key of the subject.
        folders: keys of the subjects that have folders, for tables that `match` them.

    Raises:
        DataError: a table is not there though it must be, cannot be read, or lacks a column.
    """
    there = [one for one in tables if (root / one.file).exists() or not one.optional]
    if tables and not there and label and not register.files:
        names = ", ".join(str(root / one.file) for one in tables)
        raise DataError(f"{names}: none is there; one must hold the labels ({label.column})")
    for one in there:
        path = root / one.file
        register.files.append(path)
        known = {*folders, *register.people, *register.visits}
        rows = _read(path, one, label, faults, _named(one, known, subject))
        for who, what in rows:
            column, when = _added(register, who, what)
            if column is not None:
                reason = f"two rows of {path.name} or of tables before it differ in {column}"
                faults.append(Fault(f"{who} {when}", None, f"{reason}; keep one"))


def _added(
    register: Register, subject: str, what: Visit | Dated | Cells
) -> tuple[str | None, object]:
    """Add a row; the column in which it contradicts another one, and the visit."""
    if isinstance(what, Visit):
        return register.add_visit(subject, what), what.session
    if isinstance(what, Dated):
        return register.add_dated(subject, what), what.day
    register.add_person(subject, what)
    return None, None


def _named(
    spec: MappedTable, known: Collection[str], subject: Callable[[str], str]
) -> Callable[[str], str]:
    """From an id as the table writes it to the key of the subject."""
    if spec.match is None:
        return lambda text: _prefixed(subject(text), spec.prefix)
    keys: dict[str, list[str]] = {}
    for key in sorted(known):
        found = re.search(spec.match, key)
        if found is not None:
            keys.setdefault(_plain(found[1]), []).append(key)

    def matched(text: str) -> str:
        own = keys.get(_plain(text), [])
        if len(own) > 1:
            raise DataError(f"its {spec.subject} may be that of {' or '.join(own)}")
        return own[0] if own else subject(text)

    return matched


def _plain(text: str) -> str:
    """An id, a number as its digits: `0295` and `295.0` are one."""
    with suppress(ValueError):
        value = float(text)
        if value.is_integer():
            return str(int(value))
    return text.strip()


def _read(
    path: Path,
    spec: MappedTable,
    label: Label | None,
    faults: list[Fault],
    key: Callable[[str], str],
) -> Iterator[tuple[str, Visit | Dated | Cells]]:
    """Subject key of each row, and its visit, or date, or cells where it has neither."""
    table = read_table(path)
    named = [spec.subject, spec.session, spec.month, spec.day, *spec.columns.values()]
    lacking = [name for name in named if name is not None and name not in table.columns]
    if lacking:
        raise DataError(f"{path}: the column {lacking[0]!r} is missing; mend the cohort's YAML")
    order = {code: place for place, code in enumerate(spec.codes)}
    read: list[tuple[int, str, Visit]] = []
    for number, row in enumerate(table.to_dict(orient="records"), start=2):
        cells = told(row, missing=spec.missing)
        if spec.subject not in cells:
            faults.append(Fault(path.name, None, f"line {number}: names no {spec.subject}"))
            continue
        where = path.name
        try:
            where = subject = key(cells[spec.subject])
            what = _what(cells, spec, meant(_columns(cells, spec), label), table=path.name)
        except DataError as error:
            faults.append(Fault(where, None, f"{path.name} line {number}: {error}; left out"))
            continue
        if isinstance(what, Visit):
            read.append((order.get(cells[spec.session or ""], len(order)), subject, what))
        else:
            yield subject, what
    yield from _preferred(read)


def _preferred(read: Sequence[tuple[int, str, Visit]]) -> Iterator[tuple[str, Visit]]:
    """The visits, of several names for one session those of the first name alone."""
    first: dict[tuple[str, str], int] = {}
    for rank, subject, visit in read:
        place = (subject, visit.session)
        first[place] = min(rank, first.get(place, rank))
    return ((who, visit) for rank, who, visit in read if rank == first[who, visit.session])


def _prefixed(key: str, prefix: str) -> str:
    """The key of a subject; punctuation goes where the table is said to write ids differently."""
    if not prefix:
        return key
    plain = "".join(sign for sign in key if sign.isalnum())
    return plain if plain.startswith(prefix) else prefix + plain


def _columns(cells: Cells, spec: MappedTable) -> dict[str, str]:
    if not spec.columns:
        ids = {spec.subject, spec.session, spec.day if spec.nearest_days is not None else None}
        return {name: text for name, text in cells.items() if name not in ids}
    return {name: cells[column] for name, column in spec.columns.items() if column in cells}


def _what(cells: Cells, spec: MappedTable, shown: Cells, *, table: str) -> Visit | Dated | Cells:
    """What a row tells of: a visit, a day, or a person.

    Raises:
        DataError: it names no visit, or its month or date cannot be read.
    """
    if spec.session is not None:
        return _visit(cells, spec, shown)
    if spec.nearest_days is None or spec.day is None:
        return shown
    if spec.day not in cells:
        raise DataError(f"has no {spec.day}")
    day = read_day(cells[spec.day], form=spec.day_format)
    return Dated(table, day, spec.nearest_days, shown)


def _visit(cells: Cells, spec: MappedTable, shown: Cells) -> Visit:
    """The visit of a row.

    Raises:
        DataError: it names no visit, or its month or date cannot be read.
    """
    code = cells.get(spec.session or "")
    if code is None:
        raise DataError(f"names no {spec.session}")
    month = day = None
    if spec.month is not None and spec.month in cells:
        month = read_month(cells[spec.month])
    if spec.day is not None and spec.day in cells:
        day = read_day(cells[spec.day], form=spec.day_format)
    return Visit(session_key(spec.codes.get(code, code)), shown, month, day)
