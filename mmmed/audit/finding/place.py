"""Where the first paragraph stands: one cohort, one train protocol, one test protocol.

A study may have many such places. Spoken of are the cohort and the training that all figures are
about, and of the test protocols with a curve the one that the study names first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


def first_place(statistics: Statistics, study: Outline, *, main: Mapping[str, str]) -> Place | None:
    """Where the paragraph stands: on a curve if there is one; None where nothing was scored.

    Args:
        statistics: of the run.
        study: names the test protocols in their order.
        main: the cohort and the training that figures are about, by name.
    """
    rows = statistics.curves or [row for row in statistics.scores if row["table"] == "forced"]
    found = {Place(row["cohort"], row["train"], row["protocol"]) for row in rows}
    chosen = (main.get("cohort") or None, main.get("train") or None)
    names = [str(one.get("name", one.get("kind"))) for one in study.test]

    def order(place: Place) -> tuple[bool, int, str]:
        known = names.index(place.protocol) if place.protocol in names else len(names)
        return (place.cohort, place.train) != chosen, known, str(place)

    return min(found, key=order, default=None)
