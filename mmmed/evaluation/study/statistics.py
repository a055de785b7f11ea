"""From `predictions.tsv` to all that a study may say: one pure function, its draws keyed by a seed.

scores       a row per method, place and measure
comparisons  a row per gap; the headline measure has families of Holm and verdicts
curves       a row per method, protocol and measure: slope and area over the rates
ranks        a row per method and place, and per curve: how often it is best
models       a row per fitted model: its AUROC with DeLong's interval
answers      sentences
notes        what a reader must know beside them

Each is a CSV table; together they are one JSON document.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Any

import pandas as pd

from mmmed.errors import DataError
from mmmed.evaluation.bootstrap import Resampling
from mmmed.evaluation.known import Truth
from mmmed.evaluation.scores import headline
from mmmed.evaluation.study.answer import answers
from mmmed.evaluation.study.attainable import Attainable
from mmmed.evaluation.study.cell import Cell, find_cells
from mmmed.evaluation.study.comparison import (
    Comparison,
    compare_cells,
    compare_curves,
    compare_patterns,
)
from mmmed.evaluation.study.curve import find_curves
from mmmed.evaluation.study.measured import Bench
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.resampled import MEASURES
from mmmed.evaluation.study.rows import (
    Row,
    comparison_rows,
    curve_rows,
    rank_rows,
    verdict_columns,
)
from mmmed.evaluation.study.score_rows import model_rows, score_rows
from mmmed.evaluation.text import NAMES

VERSION = 1
TABLES = ("scores", "comparisons", "curves", "ranks", "models")


@dataclass(frozen=True)
class Statistics:
    """What a study may say; the tables are told in the module.

    Attributes:
        plan: what was asked, as plain values.
        headline: the measure that has families and verdicts.
    """

    plan: Mapping[str, Any]
    headline: str
    scores: tuple[Row, ...]
    comparisons: tuple[Row, ...]
    curves: tuple[Row, ...]
    ranks: tuple[Row, ...]
    models: tuple[Row, ...]
    answers: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        tables = {name: list(getattr(self, name)) for name in TABLES}
        return {
            "mmmed-study": VERSION,
            "plan": dict(self.plan),
            "headline": self.headline,
            **tables,
            "answers": list(self.answers),
            "notes": list(self.notes),
        }

    def to_csv(self) -> dict[str, str]:
        """Name of a table -> its text; what is unknown is empty."""
        found = {}
        for name in TABLES:
            text = io.StringIO()
            pd.DataFrame(list(getattr(self, name))).to_csv(text, index=False, lineterminator="\n")
            found[name] = text.getvalue()
        return found


def study_statistics(
    predictions: pd.DataFrame,
    *,
    classes: Sequence[str],
    positive: str | None = None,
    plan: Plan | None = None,
    oracle: pd.DataFrame | None = None,
    ceilings: Mapping[str, Any] | None = None,
    methods: Sequence[str] = (),
    external: Mapping[str, Truth] = MappingProxyType({}),
) -> Statistics:
    """All statistics of a study.

    Args:
        predictions: columns of `record.table.PREDICTIONS`, `p_<class>`, `decision`; where a study
            has several, also `cohort` and `train`.
        classes: names, negative before positive where there are two.
        positive: the class the scores are about; with two classes the second where None.
        plan: what is asked.
        oracle: columns `case_id`, `pattern`, `log_odds`; None where the truth is unknown.
        ceilings: as `ceilings.json`; None where unknown.
        methods: the order they are listed in; those not named follow by name.
        external: cohort -> what is known of it, where that is not what `oracle` and `ceilings` say.

    Raises:
        DataError: a column is missing, a label is no class, a case is predicted twice by one model,
            no test case has a label, or the method to compare with predicts nothing.
    """
    plan = plan or Plan()
    if positive is None and len(classes) == 2:
        positive = classes[1]
    if positive is not None and positive not in classes:
        raise DataError(f"positive class {positive!r} is no class; allowed: {', '.join(classes)}")
    cells = find_cells(predictions, classes=classes, positive=positive)
    if not cells:
        raise DataError("predictions: no test case has a label, so nothing can be scored")
    known = sorted({cell.method for cell in cells})
    if plan.against is not None and plan.against not in known:
        raise DataError(f"against: {plan.against!r} predicts nothing; known: {', '.join(known)}")
    order = {name: place for place, name in enumerate(methods)}
    cells.sort(key=lambda one: (one.place, order.get(one.method, len(order)), one.method))
    parts = []
    own = Truth(oracle, ceilings)
    for cohort, group in groupby(cells, key=lambda one: one.place.cohort):
        members = list(group)
        bench = _bench(members, plan)
        truth = external.get(cohort, own)
        attainable = Attainable(bench, oracle=truth.oracle, ceilings=truth.ceilings)
        parts.append(_of_cohort(members, bench, attainable, classes=classes, plan=plan))
    return _whole(parts, headline(classes), plan)


@dataclass(frozen=True)
class _Part:
    """What one cohort tells; families of comparisons reach over all of them."""

    scores: list[Row]
    comparisons: list[tuple[Comparison, Row]]
    curves: list[Row]
    ranks: list[Row]
    models: list[Row]


def _bench(cells: Sequence[Cell], plan: Plan) -> Bench:
    """Subjects of one cohort are drawn together, those of another by themselves."""
    subjects = {name for cell in cells for model in cell.models for name in model.subject}
    interval = plan.interval
    return Bench(Resampling.draw(sorted(subjects), draws=interval.draws, seed=interval.seed))


def _of_cohort(
    cells: Sequence[Cell],
    bench: Bench,
    attainable: Attainable,
    *,
    classes: Sequence[str],
    plan: Plan,
) -> _Part:
    level, measure = plan.interval.level, headline(classes)
    curves = find_curves(cells, bench)
    compared = [
        *compare_cells(cells, bench, measures=MEASURES, plan=plan),
        *compare_curves(curves, bench, measures=MEASURES, plan=plan),
        *compare_patterns(cells, bench, measure=measure, plan=plan),
    ]
    return _Part(
        scores=[
            row
            for cell in cells
            for row in score_rows(cell, bench, attainable, classes=classes, level=level)
        ],
        comparisons=list(comparison_rows(compared, attainable)),
        curves=list(curve_rows(curves, bench, level=level)),
        ranks=list(rank_rows(cells, curves, bench, measure=measure)),
        models=[row for cell in cells for row in model_rows(cell, classes=classes, level=level)],
    )


def _whole(parts: Sequence[_Part], measure: str, plan: Plan) -> Statistics:
    comparisons = verdict_columns(
        [one for part in parts for one in part.comparisons], measure=measure, plan=plan
    )
    ranks = tuple(row for part in parts for row in part.ranks)
    return Statistics(
        plan=plan.model_dump(mode="json"),
        headline=measure,
        scores=tuple(row for part in parts for row in part.scores),
        comparisons=tuple(comparisons),
        curves=tuple(row for part in parts for row in part.curves),
        ranks=ranks,
        models=tuple(row for part in parts for row in part.models),
        answers=tuple(answers(comparisons, ranks, plan=plan, title=NAMES[measure])),
    )
