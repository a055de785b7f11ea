"""The answer in one paragraph: which method, what a lost scan costs, is imputing worth anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mmmed.audit.finding.cost import costs, lost, worth
from mmmed.audit.finding.imputing import imputing
from mmmed.audit.finding.method import contest, which
from mmmed.audit.finding.place import FORCED, first_place
from mmmed.audit.outline import Outline
from mmmed.audit.statistics import Statistics
from mmmed.audit.words import Absence

Answer = tuple[str, str]
"""A question in a few words, and its answer with its uncertainty."""


def paragraph(
    statistics: Statistics,
    study: Outline,
    *,
    main: Mapping[str, str],
    absences: Sequence[Absence],
) -> Iterator[Answer]:
    """The answers in order; none where nothing was scored.

    Args:
        statistics: of the run.
        study: what was to be done.
        main: the cohort and the training that figures are about, by name.
        absences: what each protocol leaves out of the test part of the first fold.
    """
    place = first_place(statistics, study, main=main)
    if place is None:
        return
    found = contest(statistics, place)
    leader = found.leader
    if leader is None:
        return
    seeds = max((int(row["seeds"]) for row in statistics.scores), default=1)
    yield "Which method?", which(found, leader, seeds=seeds)
    hidden = [one for one in absences if one.protocol == place.protocol and one.hiding.hidden]
    scan = lost(hidden)
    if said := [*costs(statistics, place, leader, hidden=hidden)]:
        yield f"What does a lost {scan} cost?", " ".join(said)
    if gained := worth(statistics, place, hidden=hidden):
        yield f"Is {scan} worth anything?", gained
    if filled := imputing(found, study.imputing):
        if place.protocol == FORCED:
            filled = "Not answered: no test protocol hides scans at a rate, so nothing was imputed."
        yield "Is imputing worth anything?", filled


def explained(statistics: Statistics, *, positive: str | None) -> str:
    """What the measure and the brackets of the paragraph mean."""
    level = statistics.plan.get("interval", {}).get("level")
    about = f" {positive}" if positive else " positive"
    auroc = (
        f"AUROC: how often a case that is{about} is scored above one that is not; .5 is guessing. "
        if statistics.title == "AUROC"
        else ""
    )
    brackets = f"{level:.0%} intervals" if isinstance(level, float) else "intervals"
    return f"{auroc}In brackets: {brackets}, which speak of other subjects."
