"""Paired differences: one method against another on the same subjects, folds and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from mmmed.evaluation.bootstrap import average, paired_difference
from mmmed.evaluation.result import Result

COMPARED = ("auroc", "accuracy", "balanced_accuracy", "brier")
"""Metrics of which differences are stated."""


def differences(
    results: Sequence[Result], *, against: str, level: float
) -> Iterator[dict[str, Any]]:
    """Every other method minus `against`, table by table; `value` is None where not paired."""
    ordered = sorted(results, key=_table_of)
    for _, group in groupby(ordered, key=_table_of):
        members = {result.key.method: result for result in group}
        if against not in members:
            continue
        for method, result in members.items():
            if method != against:
                for metric in COMPARED:
                    yield _difference(result, members[against], metric, level=level)


def _difference(result: Result, reference: Result, metric: str, *, level: float) -> dict[str, Any]:
    key = result.key
    row: dict[str, Any] = {
        "method": key.method,
        "against": reference.key.method,
        "protocol": key.protocol,
        "rate": None if key.rate < 0 else key.rate,
        "pattern": key.pattern,
        "table": key.table,
        "metric": metric,
        "value": None,
        "low": None,
        "high": None,
        "n": len({case for model in result.models for case in model.case}),
        "reason": result.reasons.get(metric) or reference.reasons.get(metric),
    }
    if _cases(result) != _cases(reference):
        return row | {"reason": "not the same cases, folds and seeds, so not paired"}
    if row["reason"] is None:
        gap = paired_difference(
            average(result.per_model[metric]), average(reference.per_model[metric])
        )
        low, high = gap.interval(level) or (None, None)
        row |= {"value": gap.value, "low": low, "high": high}
    return row


def _cases(result: Result) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(model.fold, model.seed, tuple(sorted(model.case))) for model in result.models]


def _table_of(result: Result) -> tuple[str, float, str]:
    return (result.key.protocol, result.key.rate, result.key.pattern)
