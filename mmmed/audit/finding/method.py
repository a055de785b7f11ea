"""Which method to use: who leads in a place, and what may be claimed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmmed.audit.finding.phrase import counted, listed, score, turned
from mmmed.audit.finding.place import FORCED, Place
from mmmed.audit.folder import Row
from mmmed.audit.statistics import Statistics


@dataclass(frozen=True)
class Contest:
    """Methods side by side in one place.

    Attributes:
        where: what is compared, in words.
        scores: method -> its row: the area under its curve, or its score under every modality.
        best: method -> share of the draws of subjects in which it comes first.
        claims: comparisons of two of them.
    """

    where: str
    scores: Mapping[str, Row]
    best: Mapping[str, float]
    claims: Sequence[Row]

    @property
    def leader(self) -> str | None:
        """Who comes first most often; None where nobody has a score."""
        known = {name: value for name in self.scores if (value := self.value(name)) is not None}
        return max(known, key=lambda name: (self.best.get(name, 0.0), known[name]), default=None)

    def value(self, method: str) -> float | None:
        """The score of a method as a number."""
        return _value(self.scores[method])

    def score(self, method: str) -> str:
        """The score of a method with its interval."""
        row = self.scores[method]
        kind = "area" if "area" in row else "value"
        ends = ("area_low", "area_high") if kind == "area" else ("low", "high")
        return score(row[kind], *(row[end] for end in ends))

    def between(self, method: str, other: str) -> tuple[Row, bool] | None:
        """The comparison of two methods, and whether it is written the other way round."""
        for row in self.claims:
            if (row["method"], row["other_method"]) == (method, other):
                return row, False
            if (row["method"], row["other_method"]) == (other, method):
                return row, True
        return None

    def word(self, method: str, other: str) -> str | None:
        """What may be said of the first against the second; None where they are not compared."""
        found = self.between(method, other)
        if found is None:
            return None
        row, reversed_ = found
        return turned(row["word"]) if reversed_ else str(row["word"])


def contest(statistics: Statistics, place: Place) -> Contest:
    """The methods of a place: over all rates of its protocol, or under every modality."""
    if place.protocol != FORCED:
        curves = [row for row in statistics.curves if place.holds(row)]
        if curves:
            title = f"mean {statistics.title} over the hidden shares"
            return _contest(statistics, place, curves, of="area", where=title)
    rows = [row for row in statistics.scores if place.holds(row) and row["table"] != "stratum"]
    largest = max((row["pattern"] for row in rows), key=_size, default="")
    rows = [row for row in rows if row["pattern"] == largest]
    return _contest(
        statistics, place, rows, of="score", where=f"{statistics.title} under {largest}"
    )


def which(found: Contest, leader: str, *, seeds: int) -> str:
    """The sentence about who leads.

    Args:
        found: the methods.
        leader: of them.
        seeds: the most trainings that a fold has of one method.
    """
    others = [name for name in found.scores if name != leader]
    words = {name: word for name in others if (word := found.word(leader, name)) is not None}
    better = [name for name, word in words.items() if word == "better"]
    share = found.best.get(leader)
    first = "" if share is None else f", first in {share:.0%} of the draws of subjects"
    told = f"{found.where} {found.score(leader)}{first}"
    if not others:
        return f"One was scored: {leader}, {told}."
    if len(better) == len(others):
        return f"{leader}: shown to be better than {listed(better)} ({told})."
    if better:
        rest = counted(word for name, word in words.items() if name not in better)
        return (
            f"{leader} leads ({told}) and is shown to be better than {listed(better)}; against "
            f"the others: {rest or 'not compared'}."
        )
    return (
        f"Inconclusive: {leader} leads ({told}), but is shown to be better than none of the other "
        f"{len(others)}.{_here(words, seeds)}"
    )


def _here(words: Mapping[str, str], seeds: int) -> str:
    """What the trained models would allow to be said, if others like them were no concern."""
    names = [name for name, word in words.items() if word == "better here"]
    if not names:
        return ""
    why = "each was trained once" if seeds == 1 else "other trainings could turn it"
    return f" As trained here it beats {listed(names)}; of the methods nothing follows, as {why}."


def _contest(
    statistics: Statistics, place: Place, rows: Sequence[Row], *, of: str, where: str
) -> Contest:
    kind = "area" if of == "area" else "methods"
    patterns = {row.get("pattern") for row in rows}
    return Contest(
        where=where,
        scores={row["method"]: row for row in rows},
        best={
            row["method"]: row["best"]
            for row in statistics.ranks
            if place.holds(row)
            and row["of"] == of
            and row["best"] is not None
            and (of == "area" or row["pattern"] in patterns)
        },
        claims=[
            row
            for row in statistics.comparisons
            if place.holds(row)
            and row["kind"] == kind
            and (of == "area" or row["pattern"] in patterns)
        ],
    )


def _value(row: Row) -> float | None:
    value: float | None = row["area"] if "area" in row else row["value"]
    return value


def _size(pattern: str) -> int:
    return pattern.count("+")
