"""The answers of a study, a sentence per question; `inconclusive` is one of them.

which   method to use: the area under the robustness curve, and what may be claimed of it
counts  how many comparisons of a kind came out which way
gain    whether all modalities are worth anything over every reader that does with fewer; where the
        patterns are many, with one fewer
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.text import MOST_PATTERNS, number

Row = Mapping[str, Any]

WORDS = (
    "better",
    "worse",
    "better here",
    "worse here",
    "no worse",
    "inconclusive",
    "not estimable",
)


QUESTIONS = {
    "methods": "One method against another in the same place",
    "cost": "What the models lose without modalities, each against itself with them all (not what "
    "the modalities are worth)",
    "training": "Training with hidden modalities against complete training",
}
"""Kinds of comparisons that are counted."""


def answers(
    comparisons: Sequence[Row], ranks: Sequence[Row], *, plan: Plan, title: str
) -> Iterator[str]:
    """The sentences, from the rows of the tables."""
    judged = [row for row in comparisons if "word" in row]
    yield from _which(judged, ranks, title=title)
    yield from _counts(judged, plan=plan, title=title)
    yield from _gain(judged, title=title)


def _which(judged: Sequence[Row], ranks: Sequence[Row], *, title: str) -> Iterator[str]:
    areas = [row for row in ranks if row["of"] == "area" and row["best"] is not None]
    for place, group in groupby(areas, key=_place):
        leader = max(group, key=lambda row: row["best"])
        claims = [row for row in judged if row["kind"] == "area" and _place(row) == place]
        shown = [_against(row, leader["method"]) for row in claims]
        met = [word for word in shown if word is not None]
        claimed = met.count("better")
        sure = (
            f"shown to be better than {claimed} of the {len(met)} it is compared with"
            if claimed
            else f"inconclusive: better than none of the {len(met)} it is compared with"
        )
        yield (
            f"{_told(place)}: {leader['method']} has the highest mean {title} over the rates in "
            f"{leader['best']:.0%} of the draws of subjects; {sure}"
        )


def _against(row: Row, leader: str) -> str | None:
    """What is said of the leader in a comparison; None where it takes no part."""
    if row["method"] == leader:
        return str(row["word"])
    if row["other_method"] == leader:
        turned = {"better": "worse", "worse": "better"}
        first, _, rest = str(row["word"]).partition(" ")
        return " ".join(filter(None, (turned.get(first, first), rest)))
    return None


def _counts(judged: Sequence[Row], *, plan: Plan, title: str) -> Iterator[str]:
    for kind, question in QUESTIONS.items():
        rows = [row for row in judged if row["kind"] == kind]
        if rows:
            yield (
                f"{question}, {len(rows)} comparisons of {title}: {_counted(rows)} "
                f"(no worse: by {number(plan.margin)})"
            )


def _gain(judged: Sequence[Row], *, title: str) -> Iterator[str]:
    rows = [row for row in judged if row["kind"] == "gain"]
    if len({row["other_pattern"] for row in rows}) > MOST_PATTERNS:
        rows = [row for row in rows if _fewer(row) == 1]
    for pair, group in groupby(sorted(rows, key=_patterns), key=_patterns):
        members = list(group)
        won = [row["method"] for row in members if row["word"] == "better"]
        more, fewer = pair[-2:]
        said = (
            f"shown to gain over every reader of {fewer} alone in this study: {', '.join(won)}"
            if won
            else f"no method is shown to gain over the best readers of {fewer} alone in this study"
        )
        told = "; ".join((f"{said} ({_counted(members)})", *_known(members, fewer)))
        yield f"{more} against {fewer}, {title}: {told}"


def _known(members: Sequence[Row], fewer: str) -> Iterator[str]:
    """What the oracle gains on the same cases, and who claims more than that; where it is known."""
    known = [row for row in members if row["oracle"] is not None]
    if not known:
        return
    yield f"the oracle gains {number(max(row['oracle'] for row in known))}"
    over = [
        row["method"]
        for row in known
        if row["word"] == "better" and row["low"] is not None and row["low"] > row["oracle"]
    ]
    if over:
        yield (
            f"more than the images can tell: {', '.join(over)}; "
            f"the readers of {fewer} in this study are poor"
        )


def _fewer(row: Row) -> int:
    """How many modalities the second side lacks."""
    return int(row["pattern"].count("+") - row["other_pattern"].count("+"))


def _counted(rows: Sequence[Row]) -> str:
    counts = Counter(row["word"] for row in rows)
    return ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word])


def _place(row: Row) -> tuple[str, str, str]:
    return row["cohort"] or "", row["train"] or "", row["protocol"]


def _told(place: tuple[str, str, str]) -> str:
    cohort, train, protocol = place
    return "; ".join(one for one in (protocol, train and f"trained {train}", cohort) if one)


def _patterns(row: Row) -> tuple[str, ...]:
    return (*_place(row), row["pattern"], row["other_pattern"])
