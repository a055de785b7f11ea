"""What is known of subjects and their visits, whoever wrote the tables.

register  subject key -> cells of the person; subject and session key -> cells of the visit
dated     a row that says when, and not at which session: it belongs to the session nearest to it

Of a visit that two rows describe, cells that agree or are missing in one of them are one; where
they contradict each other the visit is a fault and nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from mmmed.cohorts.label import Label
from mmmed.cohorts.visit import month_of, session_key, subject_key
from mmmed.readers.vectors import MISSING

Cells = Mapping[str, str]


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


@dataclass(frozen=True)
class Dated:
    """A row of a table that tells its visits by their dates alone.

    Attributes:
        table: its name.
        day: of the visit.
        within: days that a session may be away from it.
        cells: column -> text; missing cells are left out.
    """

    table: str
    day: date
    within: int
    cells: Cells

    def apart(self, day: date) -> int:
        """Days between it and another day."""
        return abs((self.day - day).days)


@dataclass
class Register:
    """What is known so far; tables are added to it one after the other.

    Attributes:
        diagnosis: the column that may change from visit to visit; None without labels.
        people: subject key -> cells of the person.
        visits: subject key -> session key -> visit.
        dated: subject key -> rows that belong to whatever session they are nearest to.
        contradicted: (subject key; session key, table and day, or None for the person) of which
            nothing is known any more.
        files: the tables that were read.
    """

    diagnosis: str | None = None
    people: dict[str, Cells] = field(default_factory=dict)
    visits: dict[str, dict[str, Visit]] = field(default_factory=dict)
    dated: dict[str, list[Dated]] = field(default_factory=dict)
    contradicted: set[tuple[str, str | None]] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)

    def cells(self, subject: str, session: str | None, day: date | None = None) -> Cells:
        """What is known of a visit, and of the person where the visit's rows say nothing.

        Args:
            subject: id or key.
            session: its name; None where the subject has none.
            day: when it was, for tables that tell visits by their dates.
        """
        key, place = subject_key(subject), session_key(session or "")
        if (key, place) in self.contradicted:
            return {}
        visit = self.visit(key, session)
        stated = [visit.cells] if visit else []
        stated += [one.cells for one in self.near(key, day)]
        person = self.person(key, stated, listed=visit is not None)
        known = {
            name: text for cells in (person, *reversed(stated)) for name, text in cells.items()
        }
        if self.diagnosis is not None and self._differ(stated):
            known.pop(self.diagnosis, None)
        return known

    def person(self, subject: str, stated: Iterable[Cells], *, listed: bool = False) -> Cells:
        """What is known of a person at a visit.

        A person's diagnosis is not that of a visit which names none where others name theirs.

        Args:
            subject: id or key.
            stated: the rows of the visit.
            listed: whether a table of visits has it; then only rows with dates are such others.
        """
        key = subject_key(subject)
        person = self.people.get(key, {})
        others = [one.cells for one in self.dated.get(key, ())]
        if not listed:
            others += [visit.cells for visit in self.visits.get(key, {}).values()]
        if self._diagnosed(stated) or not self._diagnosed(others):
            return person
        return {name: text for name, text in person.items() if name != self.diagnosis}

    def _diagnosed(self, stated: Iterable[Cells]) -> bool:
        """Whether some row names a diagnosis."""
        return any(self.diagnosis in cells for cells in stated)

    def _differ(self, stated: Iterable[Cells]) -> bool:
        """Whether rows of several tables name different diagnoses."""
        told = {text for cells in stated for name, text in cells.items() if name == self.diagnosis}
        return len(told) > 1

    def near(self, subject: str, day: date | None) -> list[Dated]:
        """The nearest row of each table with dates, where it is near enough (ties: the earlier).

        Rows that name no diagnosis count only where none of the subject's does.
        """
        if day is None:
            return []
        tables: dict[str, list[Dated]] = {}
        for one in self.dated.get(subject_key(subject), ()):
            tables.setdefault(one.table, []).append(one)
        nearest = (
            min(self._telling(rows), key=lambda one: (one.apart(day), one.day))
            for rows in tables.values()
        )
        return [one for one in nearest if one.apart(day) <= one.within]

    def _telling(self, rows: list[Dated]) -> list[Dated]:
        return [one for one in rows if self.diagnosis in one.cells] or rows

    def unknown(self, subject: str, session: str | None, day: date | None) -> str:
        """Why tables with dates leave a session undiagnosed; "" where they cannot tell, or do."""
        every = self.dated.get(subject_key(subject), ())
        rows = [one for one in every if self._diagnosed([one.cells])]
        if not rows:
            return ""
        near, visit = self.near(subject, day), self.visit(subject, session)
        told = [(one.table, one.cells) for one in near]
        told += [("the visit", visit.cells)] if visit else []
        naming = {name: cells for name, cells in told if self._diagnosed([cells])}
        if self._differ(naming.values()):
            return f"{' and '.join(naming)} differ in {self.diagnosis}"
        if naming:
            return ""
        if day is None:
            return "when its scans were taken is not known"
        one = min(rows, key=lambda row: (row.apart(day), row.day))
        return f"the nearest row of {one.table} is {one.apart(day)} days away; {one.within} count"

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
        column = differing(before.cells, visit.cells)
        if column is not None:
            del own[visit.session]
            self.contradicted.add((key, visit.session))
            return column
        own[visit.session] = Visit(
            visit.session,
            {**visit.cells, **before.cells},
            before.month if before.month is not None else visit.month,
            before.day or visit.day,
        )
        return None

    def add_dated(self, subject: str, row: Dated) -> str | None:
        """Add a row with a date; the column in which it contradicts another of its day and table.

        Neither counts then, nor does a third of that day.
        """
        key, when = subject_key(subject), f"{row.table} {row.day}"
        if (key, when) in self.contradicted:
            return None
        own = self.dated.setdefault(key, [])
        for other in own:
            if (other.table, other.day) == (row.table, row.day):
                column = differing(other.cells, row.cells)
                if column is not None:
                    own.remove(other)
                    self.contradicted.add((key, when))
                    return column
                own[own.index(other)] = replace(row, cells={**row.cells, **other.cells})
                return None
        own.append(row)
        return None


def told(cells: Mapping[Any, Any], *, missing: Iterable[str] = ()) -> dict[str, str]:
    """The cells that say something, as text."""
    nothing = {*MISSING, *missing}
    return {str(key): str(text) for key, text in cells.items() if str(text).strip() not in nothing}


def meant(cells: Mapping[str, str], label: Label | None) -> dict[str, str]:
    """The cells, the diagnosis by its name in the cohort."""
    if label is None or label.column not in cells:
        return dict(cells)
    return {**cells, label.column: label.meaning(cells[label.column])}


def differing(one: Cells, other: Cells) -> str | None:
    """The first column in which two rows contradict each other."""
    for name, text in one.items():
        if other.get(name, text) != text and not _same_number(text, other[name]):
            return name
    return None


def _same_number(one: str, other: str) -> bool:
    with suppress(ValueError):
        return float(one) == float(other)
    return False
