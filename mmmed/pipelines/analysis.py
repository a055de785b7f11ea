"""What the predictions of a run allow to be said: `statistics.json` and `tables/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from mmmed.evaluation.known import Truth
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.statistics import Statistics, study_statistics
from mmmed.pipelines.study import Evaluation
from mmmed.record import atomic

NAME, TABLES = "statistics.json", "tables"


def write_statistics(
    run: Path,
    predictions: pd.DataFrame,
    evaluation: Evaluation,
    *,
    classes: Sequence[str],
    positive: str | None,
    methods: Sequence[str],
    oracle: pd.DataFrame | None,
    ceilings: Mapping[str, Any] | None,
    notes: Sequence[str],
    external: Mapping[str, Truth],
) -> Statistics:
    """Write and return the statistics of a run.

    Args:
        run: the run folder.
        predictions: of the run.
        evaluation: what is asked.
        classes: names, in the order of the probabilities.
        positive: the class that scores are about; None with more than two.
        methods: those that predict something, in the order of the study.
        oracle: columns `case_id`, `pattern`, `log_odds`; None where the truth is unknown.
        ceilings: as `ceilings.json`; None where unknown.
        notes: sentences to stand beside the numbers.
        external: cohort -> what is known of an external one.
    """
    plan, remarks = _plan(evaluation, methods)
    found = study_statistics(
        predictions,
        classes=classes,
        positive=positive,
        plan=plan,
        oracle=oracle,
        ceilings=ceilings,
        methods=methods,
        external=external,
    )
    found = replace(found, notes=(*remarks, *notes))
    atomic.write_json(run / NAME, found.to_json())
    for name, text in found.to_csv().items():
        atomic.write_text(run / TABLES / f"{name}.csv", text)
    return found


def _plan(evaluation: Evaluation, methods: Sequence[str]) -> tuple[Plan, list[str]]:
    """What can be asked; a reference that predicts nothing is compared with nobody."""
    plan = evaluation.plan()
    if plan.against is None or plan.against in methods:
        return plan, []
    said = f"{plan.against} predicts nothing, so every pair of the other methods is compared."
    return plan.model_copy(update={"against": None}), [said]
