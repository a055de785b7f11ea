"""The imputation arena as one document: `arena.json`, and `tables/arena.csv`.

rows         a row per contest and entrant: image error, score, share regained, calibration, costs
errors       a row per imputer, modality and figure
calibration  a row per contest, entrant and figure
between      a row per contest and figure, over the imputers
within       a row per contest, imputer and figure, over its cases
points       a row per imputer of images, fold and seed
answers      sentences
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mmmed.evaluation.arena.answer import unseen_sentence
from mmmed.evaluation.arena.contest import Contest, Entrant, find_contests, reference
from mmmed.evaluation.arena.downstream import Terms
from mmmed.evaluation.arena.error import IMAGE, Imputed, error_rows, find_imputed
from mmmed.evaluation.arena.part import of_contest
from mmmed.evaluation.arena.spent import Job
from mmmed.evaluation.bootstrap import Resampling
from mmmed.evaluation.scores import headline
from mmmed.evaluation.study.cell import Cell, find_cells
from mmmed.evaluation.study.measured import Bench
from mmmed.evaluation.study.plan import Plan

VERSION = 1
TABLES = ("rows", "errors", "calibration", "between", "within", "points")

Row = dict[str, Any]


@dataclass(frozen=True)
class Arena:
    """What the arena shows; the tables are told in the module.

    Attributes:
        reference: the entrant others are compared with; None where all impute.
        measure: the score.
    """

    reference: str | None
    measure: str
    rows: tuple[Row, ...]
    errors: tuple[Row, ...]
    calibration: tuple[Row, ...]
    between: tuple[Row, ...]
    within: tuple[Row, ...]
    points: tuple[Row, ...]
    answers: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "mmmed-arena": VERSION,
            "reference": self.reference,
            "measure": self.measure,
            **{name: list(getattr(self, name)) for name in TABLES},
            "answers": list(self.answers),
        }

    def to_csv(self) -> str:
        """The rows; what is unknown is empty."""
        return pd.DataFrame(list(self.rows)).to_csv(index=False, lineterminator="\n")


def arena(
    predictions: pd.DataFrame,
    imputed: pd.DataFrame,
    jobs: Mapping[tuple[str, str], Sequence[Job]],
    *,
    entrants: Sequence[Entrant],
    classes: Sequence[str],
    positive: str | None,
    plan: Plan,
    lost: Sequence[str] = (),
) -> Arena | None:
    """The arena of a study; None where nobody imputes, or nothing was predicted with and without.

    Args:
        predictions: of the run.
        imputed: rows of `imputed.tsv`; none where no case owns every modality.
        jobs: (method, train) -> `seconds` and `cost` of each of its jobs.
        entrants: all methods, in the order of the study.
        classes: names, in the order of the probabilities.
        positive: the class that scores are about; None with more than two.
        plan: level of the intervals, margin, whom to compare with.
        lost: modalities that are asked about; all where there are none.
    """
    if not any(one.imputer for one in entrants):
        return None
    cells = find_cells(predictions, classes=classes, positive=positive)
    contests = find_contests(cells, entrants, lost=lost)
    if not contests:
        return None
    found = find_imputed(imputed) if len(imputed) else []
    against = reference(entrants, against=plan.against)
    terms = {
        cohort: _terms(cells, found, cohort, plan, headline(classes), against)
        for cohort in dict.fromkeys(one.place.cohort for one in contests)
    }
    parts = [
        of_contest(
            one,
            found,
            entrants,
            terms[one.place.cohort],
            jobs=jobs,
            where=_where(one, contests),
        )
        for one in contests
    ]
    errors = [
        row
        for cohort, mine in terms.items()
        for row in error_rows(
            [one for one in found if one.cohort == cohort],
            mine.resampling,
            level=plan.interval.level,
        )
    ]
    return Arena(
        reference=against,
        measure=headline(classes),
        rows=tuple(row for part in parts for row in part.rows),
        errors=tuple(errors),
        calibration=tuple(row for part in parts for row in part.calibration),
        between=tuple(row for part in parts for row in part.between),
        within=tuple(row for part in parts for row in part.within),
        points=tuple(row for part in parts for row in part.points),
        answers=(
            *(sentence for part in parts for sentence in part.answers),
            *unseen_sentence(entrants, {row["method"] for row in errors if row["space"] == IMAGE}),
        ),
    )


def _terms(
    cells: Sequence[Cell],
    imputed: Sequence[Imputed],
    cohort: str,
    plan: Plan,
    measure: str,
    against: str | None,
) -> Terms:
    """Subjects of one cohort are drawn together, for errors and scores alike."""
    subjects = {
        name
        for cell in cells
        if cell.place.cohort == cohort
        for model in cell.models
        for name in model.subject
    } | {
        name
        for one in imputed
        if one.cohort == cohort
        for model in one.models
        for name in model.subject
    }
    drawn = Resampling.draw(sorted(subjects), draws=plan.interval.draws, seed=plan.interval.seed)
    return Terms(drawn, Bench(drawn), measure, plan, against)


def _where(contest: Contest, contests: Sequence[Contest]) -> str:
    """What tells the place of a contest from those of others."""
    place, others = contest.place, [one.place for one in contests]
    trained = place.train if len({one.train for one in others}) > 1 else ""
    cohort = place.cohort if len({one.cohort for one in others}) > 1 else ""
    told = "; ".join(one for one in (trained and f"trained {trained}", cohort) if one)
    return f" ({told})" if told else ""
