"""What tables say of subjects and their visits, whoever wrote them.

register  subject key -> cells of the person; subject and session key -> cells of the visit
mapped    a table whose columns a cohort's YAML names: one of visits and diagnoses, such as ADNI's

Of a visit that two rows describe, cells that agree or are missing in one of them are one; where
they contradict each other the visit is a fault and nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field

from mmmed.cohorts.cohort import Fault
from mmmed.cohorts.label import Label
from mmmed.cohorts.visit import month_of, read_day, read_month, session_key, subject_key
from mmmed.config import Spec
from mmmed.errors import DataError
from mmmed.readers.vectors import MISSING, read_table

Cells = Mapping[str, str]


class MappedTable(Spec):
    """A CSV or TSV with a row per visit, or per subject, and which of its columns mean what.

    Attributes:
        file: below the root of the cohort, or absolute.
        subject: column of subject ids.
        session: column of visits; None for a table with a row per subject.
        month: column of months since the baseline, where the visit's name does not tell.
        day: column of dates.
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
    prefix: str = ""
    codes: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Visit:
    """What tables say of one visit.

    Attributes:
        session: its key.
        cells: column -> text; missing cells are left out.
        month: as a column states it.
        day: when it was.
    """

    session: str
    cells: Cells
    month: float | None = None
    day: date | None = None


@dataclass
class Register:
    """What is known so far; tables are added to it one after the other.

    Attributes:
        diagnosis: the column that may change from visit to visit; None without labels.
        people: subject key -> cells of the person.
        visits: subject key -> session key -> visit.
        contradicted: (subject key, session key or None) of which nothing is known any more.
        files: the tables that were read.
    """

    diagnosis: str | None = None
    people: dict[str, Cells] = field(default_factory=dict)
    visits: dict[str, dict[str, Visit]] = field(default_factory=dict)
    contradicted: set[tuple[str, str | None]] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)

    def cells(self, subject: str, session: str | None) -> Cells:
        """What is known of a visit, and of the person where the visit's row says nothing.

        A person's diagnosis is not that of a visit which is missing where others have theirs.
        """
        key, place = subject_key(subject), session_key(session or "")
        if (key, place) in self.contradicted:
            return {}
        person, own = self.people.get(key, {}), self.visits.get(key, {})
        if place in own or not own:
            return {**person, **(own[place].cells if place in own else {})}
        by_visit = any(self.diagnosis in visit.cells for visit in own.values())
        return {
            name: text for name, text in person.items() if not (by_visit and name == self.diagnosis)
        }

    def visit(self, subject: str, session: str | None) -> Visit | None:
        """A visit, where a table knows it."""
        return self.visits.get(subject_key(subject), {}).get(session_key(session or ""))

    def month(self, subject: str, session: str | None) -> float | None:
        """The month of a visit: of a table, else of its name; None where neither tells."""
        visit = self.visit(subject, session)
        if visit is not None and visit.month is not None:
            return visit.month
        return month_of(session_key(session or ""))

    def add_person(self, subject: str, cells: Cells) -> None:
        """Add what a table says of a person; what is known already stays."""
        key = subject_key(subject)
        if (key, None) not in self.contradicted:
            before = self.people.get(key, {})
            self.people[key] = {**before, **cells, **told(before)}

    def add_visit(self, subject: str, visit: Visit) -> str | None:
        """Add what a table says of a visit; the column in which it contradicts what is known."""
        key = subject_key(subject)
        if (key, visit.session) in self.contradicted:
            return None
        own = self.visits.setdefault(key, {})
        before = own.get(visit.session)
        if before is None:
            own[visit.session] = visit
            return None
        differing = _differing(before, visit)
        if differing is not None:
            del own[visit.session]
            self.contradicted.add((key, visit.session))
            return differing
        own[visit.session] = Visit(
            visit.session,
            {**visit.cells, **before.cells},
            before.month if before.month is not None else visit.month,
            before.day or visit.day,
        )
        return None


def read_mapped(
    tables: Sequence[MappedTable],
    root: Path,
    register: Register,
    *,
    label: Label | None,
    faults: list[Fault],
    subject: Callable[[str], str] = subject_key,
) -> None:
    """Add tables to a register, the first one first.

    Args:
        tables: what to read.
        root: that their files are below.
        register: added to.
        label: whose values are named as in the cohort.
        faults: added to.
        subject: from an id as a table writes it to the key of the subject.

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
        for who, visit, cells in _read(path, one, label, faults, subject):
            if visit is None:
                register.add_person(who, cells)
                continue
            column = register.add_visit(who, visit)
            if column is not None:
                reason = f"two rows of {path.name} or of tables before it differ in {column}"
                faults.append(Fault(f"{who} {visit.session}", None, f"{reason}; keep one"))


def told(cells: Mapping[Any, Any], *, missing: Iterable[str] = ()) -> dict[str, str]:
    """The cells that say something, as text."""
    nothing = {*MISSING, *missing}
    return {str(key): str(text) for key, text in cells.items() if str(text).strip() not in nothing}


def meant(cells: Mapping[str, str], label: Label | None) -> dict[str, str]:
    """The cells, the diagnosis by its name in the cohort."""
    if label is None or label.column not in cells:
        return dict(cells)
    return {**cells, label.column: label.meaning(cells[label.column])}


def _read(
    path: Path,
    spec: MappedTable,
    label: Label | None,
    faults: list[Fault],
    key: Callable[[str], str],
) -> Iterator[tuple[str, Visit | None, Cells]]:
    """Subject key, visit (None where the table has a row per subject) and cells of each row."""
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
        subject = _subject(key(cells[spec.subject]), spec.prefix)
        shown = meant(_columns(cells, spec), label)
        if spec.session is None:
            yield subject, None, shown
            continue
        try:
            visit = _visit(cells, spec, shown)
        except DataError as error:
            faults.append(Fault(subject, None, f"{path.name} line {number}: {error}; left out"))
            continue
        read.append((order.get(cells[spec.session], len(order)), subject, visit))
    for subject, visit in _preferred(read):
        yield subject, visit, visit.cells


def _preferred(read: Sequence[tuple[int, str, Visit]]) -> Iterator[tuple[str, Visit]]:
    """The visits, of several names for one session those of the first name alone."""
    first: dict[tuple[str, str], int] = {}
    for rank, subject, visit in read:
        place = (subject, visit.session)
        first[place] = min(rank, first.get(place, rank))
    return ((who, visit) for rank, who, visit in read if rank == first[who, visit.session])


def _subject(key: str, prefix: str) -> str:
    """The key of a subject; punctuation goes where the table is said to write ids differently."""
    if not prefix:
        return key
    plain = "".join(sign for sign in key if sign.isalnum())
    return plain if plain.startswith(prefix) else prefix + plain


def _columns(cells: Cells, spec: MappedTable) -> dict[str, str]:
    if not spec.columns:
        ids = {spec.subject, spec.session}
        return {name: text for name, text in cells.items() if name not in ids}
    return {name: cells[column] for name, column in spec.columns.items() if column in cells}


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


def _differing(one: Visit, other: Visit) -> str | None:
    """The first column in which two visits contradict each other."""
    for name, text in one.cells.items():
        if other.cells.get(name, text) != text and not _same_number(text, other.cells[name]):
            return name
    return None


def _same_number(one: str, other: str) -> bool:
    with suppress(ValueError):
        return float(one) == float(other)
    return False
