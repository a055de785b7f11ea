"""What a repetition found: faults, and the sentence that sums them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmmed.record import table

MOST_NAMED = 20
"""Faults that are told one by one; the rest are counted."""


@dataclass(frozen=True)
class Fault:
    """One thing that depends on what is hidden, or that tables say otherwise than the run did.

    Attributes:
        kind: `plan`, `table`, `reading`, `preparation`, `prediction` or `weights`.
        text: what is wrong.
        job: of which model; empty where it concerns all.
        case: whose; empty where it concerns none in particular.
        place: protocol, rate and pattern; empty elsewhere.
        recorded: what the run says.
        again: what the repetition says.
    """

    kind: str
    text: str
    job: str = ""
    case: str = ""
    place: str = ""
    recorded: str = ""
    again: str = ""

    def __str__(self) -> str:
        where = " ".join(one for one in (self.job, self.case, self.place) if one)
        values = f" ({self.recorded} in the run, {self.again} now)" if self.recorded else ""
        return f"{where + ': ' if where else ''}{self.text}{values}"

    def values(self) -> dict[str, str]:
        """As plain values."""
        return asdict(self)


def differences(
    recorded: Path, again: Path, schema: table.Schema, *, kind: str, text: str, job: str = ""
) -> list[Fault]:
    """A fault per row that two tables do not agree in; none where their bytes are the same.

    Raises:
        DataError: one of them cannot be read.
    """
    if recorded.read_bytes() == again.read_bytes():
        return []
    before, after = (_by_key(path, schema) for path in (recorded, again))
    faults = []
    for key in sorted(before.keys() | after.keys()):
        mine, other = before.get(key), after.get(key)
        if mine == other:
            continue
        column, first, second = _first_difference(mine, other)
        named = dict(zip(schema.key, key, strict=True))
        place = [named.get(name, "") for name in ("protocol", "rate", "pattern", "modality")]
        faults.append(
            Fault(
                kind,
                f"{text}: {column}",
                job=job,
                case=named.get("case_id", ""),
                place=" ".join(one for one in place if one and one != table.MISSING),
                recorded=first,
                again=second,
            )
        )
    return faults or [Fault(kind, f"{text}: the order of its rows, or their spelling", job=job)]


def told(faults: Sequence[Fault]) -> list[str]:
    """The first faults, one line each, and how many more of each kind there are."""
    lines = [str(one) for one in faults[:MOST_NAMED]]
    rest = Counter(one.kind for one in faults[MOST_NAMED:])
    return [*lines, *(f"and {count} more of kind {kind}" for kind, count in rest.items())]


def _by_key(path: Path, schema: table.Schema) -> dict[tuple[str, ...], Mapping[str, str]]:
    return {
        tuple(row.get(name, "") for name in schema.key): row for row in table.read(path, schema)
    }


def _first_difference(
    mine: Mapping[str, str] | None, other: Mapping[str, str] | None
) -> tuple[str, str, str]:
    """The first column in which two rows differ, with both values."""
    if mine is None or other is None:
        return (
            "the row",
            "no row" if mine is None else "a row",
            "no row" if other is None else "one",
        )
    column = next(name for name in {**mine, **other} if mine.get(name) != other.get(name))
    return column, mine.get(column, "nothing"), other.get(column, "nothing")


def as_values(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """The first faults as plain values."""
    return [one.values() for one in faults[:MOST_NAMED]]
