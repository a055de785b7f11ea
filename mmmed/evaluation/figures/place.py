"""Where a score of a study stands, as a figure names it: a protocol at a rate, or a pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmmed.evaluation.text import MOST_PATTERNS

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """As the tables of `statistics.json` tell it."""

    protocol: str
    rate: float | None
    pattern: str
    table: str

    @classmethod
    def of(cls, row: Row) -> Place:
        """The place of a row."""
        return cls(row["protocol"], row["rate"], row["pattern"], row["table"])


def told(place: Place) -> str:
    """`mcar, 50 % hidden`, `only mri+pet shown`, or the protocol alone."""
    if place.table == "forced":
        return f"only {place.pattern} shown"
    return place.protocol if place.rate is None else f"{place.protocol}, {place.rate:.0%} hidden"


def readable(rows: Sequence[Row]) -> list[Row]:
    """The rows of the observed places, and of the forced ones as many as can be read.

    Of many patterns: single modalities, and the largest.
    """
    forced = {row["pattern"] for row in rows if row["table"] == "forced"}
    if len(forced) > MOST_PATTERNS:
        most = max(name.count("+") for name in forced)
        forced = {name for name in forced if name.count("+") in (0, most)}
    return [
        row
        for row in rows
        if row["table"] == "observed" or (row["table"] == "forced" and row["pattern"] in forced)
    ]
