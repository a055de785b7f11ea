"""What one contest of the arena tells: rows of every table, and its sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmmed.evaluation.arena.answer import looks_sentence, worth_sentence
from mmmed.evaluation.arena.between import between_rows
from mmmed.evaluation.arena.contest import Contest, Entrant
from mmmed.evaluation.arena.downstream import Terms, calibration_rows, downstream_row, rivalry
from mmmed.evaluation.arena.error import Imputed
from mmmed.evaluation.arena.seen import points, seen
from mmmed.evaluation.arena.spent import Job, spent_row
from mmmed.evaluation.arena.within import within_rows
from mmmed.evaluation.study.comparison import Comparison
from mmmed.evaluation.study.verdict import Verdict, judge
from mmmed.evaluation.text import NAMES

Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Rows and sentences of one contest; the tables are told in `arena`."""

    rows: list[Row]
    calibration: list[Row]
    between: list[Row]
    within: list[Row]
    points: list[Row]
    answers: list[str]


def of_contest(
    contest: Contest,
    imputed: Sequence[Imputed],
    entrants: Sequence[Entrant],
    terms: Terms,
    *,
    jobs: Mapping[tuple[str, str], Sequence[Job]],
    where: str,
) -> Part:
    """All that one contest tells.

    Args:
        contest: who meets where.
        imputed: what imputers guessed, of any contest.
        entrants: all methods.
        terms: how contests are measured.
        jobs: (method, train) -> what each of its jobs cost.
        where: what sentences say of the place.
    """
    between = list(between_rows(contest, imputed, terms))
    within = within_rows(contest, imputed, terms)
    here = [one for one in entrants if one.method in contest.without]
    met = [
        found
        for one in here
        if one.imputer and (found := rivalry(contest, one.method, entrants, terms)) is not None
    ]
    judged = list(zip(met, judge(met, terms.plan), strict=True))
    words = {one.method: _rival_columns(one, verdict) for one, verdict in judged}
    calibration = {one.method: list(calibration_rows(contest, one.method, terms)) for one in here}
    rows = [
        {
            "method": one.method,
            "imputer": one.imputer,
            **contest.to_row(),
            **_looks(contest, one.method, imputed, terms),
            **downstream_row(contest, one.method, terms),
            **words.get(one.method, {}),
            **_damages(calibration[one.method]),
            **spent_row(
                jobs.get((one.method, contest.place.train), ()),
                complete=contest.whole,
                without=contest.place.pattern,
                imputes=one.imputer is not None,
            ),
        }
        for one in here
    ]
    answers = [looks_sentence(contest, between, within, plan=terms.plan, where=where)]
    if judged:
        answers.insert(0, worth_sentence(contest, judged, title=NAMES[terms.measure], where=where))
    return Part(
        rows,
        [row for mine in calibration.values() for row in mine],
        between,
        within,
        list(points(contest, imputed, terms)),
        answers,
    )


def _rival_columns(one: Comparison, verdict: Verdict) -> Row:
    gap = one.gap
    return {
        "rival": one.other_method,
        "rival_gap": gap.value,
        "rival_low": gap.low,
        "rival_high": gap.high,
        "rival_holm": verdict.holm,
        "word": verdict.word,
    }


def _looks(contest: Contest, method: str, imputed: Sequence[Imputed], terms: Terms) -> Row:
    """The mean errors of an imputer of images, with their intervals."""
    one = seen(contest, imputed).get(method)
    row: Row = {}
    if one is None:
        return row
    for figure in one.figures:
        mean = one.mean(figure, terms.resampling)
        low, high = mean.interval(terms.plan.interval.level) or (None, None)
        row |= {figure: mean.value, f"{figure}_low": low, f"{figure}_high": high}
    return row


def _damages(rows: Sequence[Row]) -> Row:
    """What losing the modality does to each figure of calibration."""
    return {
        f"{row['measure']}_change{tail}": row[f"{column}{tail}"]
        for row in rows
        for column, tail in (("damage", ""), ("damage", "_low"), ("damage", "_high"))
    }
