"""From predictions to `metrics.json`.

row         method x protocol x rate x pattern x metric: a value with its interval and counts, and
            on simulated data what was attainable
seed spread sample standard deviation, over job seeds, of the mean over folds
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from mmmed.evaluation import known
from mmmed.evaluation.bootstrap import Estimate, Interval, average
from mmmed.evaluation.comparison import differences
from mmmed.evaluation.predictions import Model, Section
from mmmed.evaluation.result import Result
from mmmed.evaluation.scores import METRICS
from mmmed.evaluation.sizes import by_size
from mmmed.record.table import STUDY_COLUMNS

VERSION = 1


def metrics_document(
    results: Mapping[Section, Sequence[Result]],
    *,
    main: Section,
    classes: Sequence[str],
    interval: Interval,
    ceilings: Mapping[str, Any] | None = None,
    against: str | None = None,
    notes: Sequence[str] = (),
    rule: str = "",
    external: Mapping[str, known.Truth] = MappingProxyType({}),
) -> dict[str, Any]:
    """The whole of `metrics.json`: rows, paired differences, notes.

    Args:
        results: of `result.score_tables`, of each section.
        main: the section that figures and texts are about.
        classes: names, in the order of the probabilities.
        interval: how intervals are made.
        ceilings: as `ceilings.json`; on simulated data.
        against: the method every other one is compared with; none where None.
        notes: sentences to stand beside the numbers.
        rule: how a case got its label, in a sentence.
        external: cohort -> what is known of it, where that is not what `ceilings` say.
    """
    level = interval.level
    rows, gaps = [], []
    for section, found in results.items():
        head = dict(zip(STUDY_COLUMNS, section, strict=True))
        whole = [*found, *by_size(found)]
        truth = external.get(section[0])
        best = truth.ceilings if truth else ceilings
        scored = _rows(whole, classes=classes, level=level, ceilings=best)
        rows += [{**head, **row} for row in scored]
        if against:
            gaps += [{**head, **row} for row in differences(whole, against=against, level=level)]
    return {
        "mmmed-metrics": VERSION,
        "main": dict(zip(STUDY_COLUMNS, main, strict=True)),
        "rule": rule,
        "classes": list(classes),
        "rows": rows,
        "differences": gaps,
        "notes": [_how(interval), *notes],
    }


def main_rows(document: Mapping[str, Any], table: str = "rows") -> list[dict[str, Any]]:
    """The rows of `metrics.json` that figures and texts are about.

    Args:
        document: as `metrics.json`.
        table: `rows` or `differences`.
    """
    main = document.get("main", {}).items()
    return [row for row in document.get(table, ()) if main <= row.items()]


def _rows(
    results: Sequence[Result],
    *,
    classes: Sequence[str],
    level: float,
    ceilings: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    """One row per result and metric."""
    return [
        _row(result, metric, classes=classes, level=level, ceilings=ceilings)
        for result in results
        for metric in METRICS
    ]


def _row(
    result: Result,
    metric: str,
    *,
    classes: Sequence[str],
    level: float,
    ceilings: Mapping[str, Any] | None,
) -> dict[str, Any]:
    key, estimates = result.key, result.per_model[metric]
    mean = average(estimates) if estimates else None
    low, high = (mean.interval(level) if mean else None) or (None, None)
    return {
        "method": key.method,
        "protocol": key.protocol,
        "rate": None if key.rate < 0 else key.rate,
        "pattern": key.pattern,
        "table": key.table,
        "metric": metric,
        "value": mean.value if mean else None,
        "low": low,
        "high": high,
        **_counts(result.models, classes),
        "models": len(result.models),
        "seed_spread": _seed_spread(result, metric),
        "reason": result.reasons.get(metric) or _no_interval(mean, low, high),
        **_attainable(result, metric, mean, level=level, ceilings=ceilings),
    }


def _counts(models: Sequence[Model], classes: Sequence[str]) -> dict[str, Any]:
    label = {
        case: int(index)
        for model in models
        for case, index in zip(model.case, model.scored.label, strict=True)
    }
    positive = models[0].scored.positive
    patterns = {
        case: name for model in models for case, name in zip(model.case, model.pattern, strict=True)
    }
    names = sorted(set(patterns.values()))
    return {
        "n": len(label),
        "n_subjects": len({subject for model in models for subject in model.subject}),
        "n_positive": None if positive is None else sum(k == positive for k in label.values()),
        "positive": None if positive is None else classes[positive],
        "shown": {name: sum(one == name for one in patterns.values()) for name in names},
    }


def _attainable(
    result: Result,
    metric: str,
    mean: Estimate | None,
    *,
    level: float,
    ceilings: Mapping[str, Any] | None,
) -> dict[str, Any]:
    ceiling = known.find_ceiling(ceilings, result.key, metric)
    best = result.oracle.get(metric)
    found: dict[str, Any] = {
        "oracle": best.value if best else None,
        "ceiling": ceiling.images,
        "ceiling_all": ceiling.both,
        "ceiling_error": ceiling.error,
        "fraction": None,
        "fraction_low": None,
        "fraction_high": None,
        "pattern_auroc": result.pattern_auroc if metric == "auroc" else None,
        "remark": None,
    }
    if metric == "auroc" and mean:
        found["remark"] = known.remark(mean.value, ceiling, oracle=found["oracle"])
        if best and best.value > known.CHANCE:
            share = mean.above(known.CHANCE) / best.above(known.CHANCE)
            low, high = share.interval(level) or (None, None)
            found |= {"fraction": share.value, "fraction_low": low, "fraction_high": high}
    return found


def _seed_spread(result: Result, metric: str) -> float | None:
    if metric in result.reasons:
        return None
    pairs = zip(result.models, result.per_model[metric], strict=True)
    seeds: dict[str, list[float]] = {}
    for model, estimate in pairs:
        seeds.setdefault(model.seed, []).append(estimate.value)
    means = [float(np.mean(values)) for values in seeds.values()]
    return float(np.std(means, ddof=1)) if len(means) > 1 else None


def _no_interval(mean: Estimate | None, low: float | None, high: float | None) -> str | None:
    if mean is None:
        return "nothing was scored"
    if low is None:
        return "no interval: most resamples lack a class"
    if low == high:
        return "every resample gives the same value: the interval says nothing"
    return None


def _how(interval: Interval) -> str:
    return (
        f"Intervals: {interval.level:.0%}, bias-corrected and accelerated bootstrap, "
        f"{interval.draws} draws of subjects shared by all methods, seeds and patterns. They speak "
        "of other subjects under the same trained models; seed_spread speaks of other trainings."
    )
