"""The answer in one paragraph: which method, what a lost scan costs, is imputing worth anything."""

from __future__ import annotations

from collections.abc import Sequence

from mmmed.audit.finding.cost import costs, worth
from mmmed.audit.finding.imputing import imputing
from mmmed.audit.finding.method import contest, which
from mmmed.audit.finding.place import first_place
from mmmed.audit.outline import Outline
from mmmed.audit.statistics import Statistics
from mmmed.audit.words import Absence


def paragraph(
    statistics: Statistics, study: Outline, *, absences: Sequence[Absence]
) -> list[str]:
    """Its sentences, each with its uncertainty; empty where nothing was scored.

    Args:
        statistics: of the run.
        study: what was to be done.
        absences: what each protocol leaves out of the test part of the first fold.
    """
    place = first_place(statistics, study)
    if place is None:
        return []
    found = contest(statistics, place)
    leader = found.leader
    seeds = max((int(row["seeds"]) for row in statistics.scores), default=1)
    said = [which(found, seeds=seeds)]
    if leader is not None:
        said += costs(statistics, place, leader, absences=absences)
    said += worth(statistics, place, absences=absences)
    said.append(imputing(found, study.imputing))
    return [sentence for sentence in said if sentence]
