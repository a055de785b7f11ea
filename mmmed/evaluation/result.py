"""The scores of every table of every method, with all their replicates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mmmed.errors import DataError
from mmmed.evaluation import known
from mmmed.evaluation.bootstrap import Estimate, Interval, Resampling, average
from mmmed.evaluation.predictions import Key, Model, tables
from mmmed.evaluation.scores import METRICS, Scored, score, why_undefined


@dataclass(frozen=True)
class Result:
    """One table of one method, with every replicate.

    Attributes:
        key: which table.
        models: what was scored, one per fold x seed.
        per_model: metric -> one estimate per model; empty where undefined.
        reasons: metric -> why a model does not define it.
        oracle: the oracle's scores on the same cases; empty where unknown.
        pattern_auroc: AUROC of the pattern alone; None in a forced table or with one pattern.
    """

    key: Key
    models: tuple[Model, ...]
    per_model: Mapping[str, Sequence[Estimate]]
    reasons: Mapping[str, str]
    oracle: Mapping[str, Estimate]
    pattern_auroc: float | None


def score_tables(
    predictions: pd.DataFrame,
    *,
    classes: Sequence[str],
    positive: str | None,
    interval: Interval,
    oracle: pd.DataFrame | None,
    methods: Sequence[str] = (),
) -> list[Result]:
    """Every table of every method.

    Args:
        predictions: columns of `record.table.PREDICTIONS`, `p_<class>` and `decision`.
        classes: names, negative before positive where there are two.
        positive: the class the scores are about; with two classes the second where None.
        interval: how replicates are drawn.
        oracle: columns `case_id`, `pattern`, `log_odds`; None where the truth is unknown.
        methods: the order they are listed in; those not named follow by name.

    Raises:
        DataError: a column is missing, a label is no class, or no test case has a label.
    """
    if positive is None and len(classes) == 2:
        positive = classes[1]
    if positive is not None and positive not in classes:
        raise DataError(f"positive class {positive!r} is no class; allowed: {', '.join(classes)}")
    found = list(tables(predictions, classes=classes, positive=positive))
    subjects = {name for _, models in found for model in models for name in model.subject}
    if not subjects:
        raise DataError("predictions: no test case has a label, so nothing can be scored")
    scorer = _Scorer(
        Resampling.draw(sorted(subjects), draws=interval.draws, seed=interval.seed),
        classes=classes,
        oracle=known.Oracle(oracle) if oracle is not None else None,
    )
    found.sort(key=lambda table: _place(table[0], methods))
    return [scorer.result(key, models) for key, models in found]


def _place(key: Key, methods: Sequence[str]) -> tuple[int, str, str, float, int, str]:
    """Methods as listed, patterns with the fewest modalities first."""
    order = methods.index(key.method) if key.method in methods else len(methods)
    return order, key.method, key.protocol, key.rate, key.pattern.count("+"), key.pattern


class _Scorer:
    """Scores tables under one resampling; what many methods share is computed once."""

    def __init__(
        self, resampling: Resampling, *, classes: Sequence[str], oracle: known.Oracle | None
    ) -> None:
        self._resampling = resampling
        self._classes = classes
        self._oracle = oracle
        self._oracle_scores: dict[Any, dict[str, Estimate]] = {}

    def result(self, key: Key, models: tuple[Model, ...]) -> Result:
        per_model: dict[str, list[Estimate]] = {metric: [] for metric in METRICS}
        reasons: dict[str, str] = {}
        for model in models:
            estimates = self._estimate(model.scored, model)
            for metric in METRICS:
                reason = self._reason(metric, model, estimates[metric])
                if reason is None:
                    per_model[metric].append(estimates[metric])
                else:
                    reasons.setdefault(metric, _where(reason, model, models))
        return Result(key, models, per_model, reasons, self._best(models), _alone(key, models))

    def _estimate(self, scored: Scored, model: Model) -> dict[str, Estimate]:
        return self._resampling.estimate(lambda weights: score(scored, weights), model.subject)

    def _reason(self, metric: str, model: Model, estimate: Estimate) -> str | None:
        reason = why_undefined(metric, model.scored, self._classes)
        if reason is None and not math.isfinite(estimate.value):
            return "the predictions separate the classes or are all alike"
        return reason

    def _best(self, models: Sequence[Model]) -> dict[str, Estimate]:
        found = [self._oracle_of(model) for model in models]
        if not all(found):
            return {}
        means = {metric: average([one[metric] for one in found]) for metric in METRICS}
        return {name: mean for name, mean in means.items() if math.isfinite(mean.value)}

    def _oracle_of(self, model: Model) -> dict[str, Estimate]:
        scored = self._oracle.score(model) if self._oracle else None
        if scored is None:
            return {}
        place = (model.case, model.pattern)
        if place not in self._oracle_scores:
            self._oracle_scores[place] = self._estimate(scored, model)
        return self._oracle_scores[place]


def _alone(key: Key, models: Sequence[Model]) -> float | None:
    """AUROC of the pattern alone, the mean over models; None where it says nothing."""
    if key.table == "forced" or models[0].scored.classes != 2 or not known.is_mixed(models):
        return None
    values = [float(score(known.pattern_alone(model))["auroc"][0]) for model in models]
    mean = float(np.mean(values))
    return mean if math.isfinite(mean) else None


def _where(reason: str, model: Model, models: Sequence[Model]) -> str:
    folds = {one.fold for one in models}
    return f"fold {model.fold}: {reason}" if len(folds) > 1 else reason
