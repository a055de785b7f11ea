"""Forced results by size: what a method is worth with any k of M modalities, whichever they are.

size  how many modalities a pattern shows; its result is the mean over all patterns of that size,
      replicate by replicate, so its interval knows that the same subjects stand in all of them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from mmmed.evaluation.bootstrap import Estimate, average
from mmmed.evaluation.result import Result
from mmmed.evaluation.scores import METRICS

FEWEST_MODALITIES = 3
"""With two modalities the patterns themselves say it all."""


def by_size(results: Sequence[Result]) -> list[Result]:
    """One result per method and size, in the order of the methods; none with two modalities.

    Where cases lack modalities a size counts the cases of its smallest table.
    """
    forced = [result for result in results if result.key.table == "forced"]
    most = max((_size(result) for result in forced), default=0)
    if most < FEWEST_MODALITIES:
        return []
    methods = dict.fromkeys(result.key.method for result in forced)
    found = []
    for method in methods:
        mine = sorted((one for one in forced if one.key.method == method), key=_size)
        found += [
            _mean(list(members), f"any {size} of {most}") for size, members in groupby(mine, _size)
        ]
    return found


def _size(result: Result) -> int:
    return result.key.pattern.count("+") + 1


def _mean(results: Sequence[Result], name: str) -> Result:
    smallest = min(results, key=lambda one: sum(len(model.case) for model in one.models))
    reasons = {metric: reason for one in results for metric, reason in one.reasons.items()}
    return Result(
        key=replace(smallest.key, pattern=name),
        models=smallest.models,
        per_model={metric: _per_model(results, metric, reasons) for metric in METRICS},
        reasons=reasons,
        oracle={},
        pattern_auroc=None,
    )


def _per_model(
    results: Sequence[Result], metric: str, reasons: Mapping[str, str]
) -> list[Estimate]:
    """One mean per fold and seed; none where a pattern leaves the metric undefined."""
    if metric in reasons:
        return []
    columns = zip(*(one.per_model[metric] for one in results), strict=True)
    return [average(estimates) for estimates in columns]
