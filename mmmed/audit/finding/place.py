"""Where the first paragraph stands: one cohort, one train protocol, one test protocol.

A study may have many such places; its own cohort, and of its protocols those it names first, are
spoken of. Every other place has a line below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmmed.audit.folder import Row
from mmmed.audit.outline import Outline
from mmmed.audit.statistics import Statistics

FORCED = "every-pattern"


@dataclass(frozen=True)
class Place:
    """Where methods meet; None where a study has but one cohort or train protocol."""

    cohort: str | None
    train: str | None
    protocol: str

    def holds(self, row: Row) -> bool:
        """Whether a row of a table stands here."""
        return self.same_models(row) and row["protocol"] == self.protocol

    def same_models(self, row: Row) -> bool:
        """Whether a row is about the same cohort and the same training."""
        return bool(row["cohort"] == self.cohort and row["train"] == self.train)

    def __str__(self) -> str:
        parts = (f"protocol {self.protocol}", self.train and f"trained {self.train}", self.cohort)
        return ", ".join(part for part in parts if part)


def first_place(statistics: Statistics, study: Outline) -> Place | None:
    """Where the paragraph stands: on a curve if there is one; None where nothing was scored."""
    rows = statistics.curves or [row for row in statistics.scores if row["table"] == "forced"]
    found = {Place(row["cohort"], row["train"], row["protocol"]) for row in rows}
    cohort = study.part("cohort").get("name")

    def order(place: Place) -> tuple[bool, int, int, str]:
        elsewhere = place.cohort not in (None, cohort)
        train, test = _rank(place.train, study.train), _rank(place.protocol, study.test)
        return elsewhere, train, test, str(place)

    return min(found, key=order, default=None)


def _rank(name: str | None, protocols: Sequence[Mapping[str, Any]]) -> int:
    """Where a study states the protocol of this name; behind all where it does not."""
    for position, protocol in enumerate(protocols):
        if name and name in (protocol.get("name"), f"{protocol.get('kind')}"):
            return position
    for position, protocol in enumerate(protocols):
        if name and name.split()[0] == protocol.get("kind"):
            return position
    return len(protocols)
