"""Does a better-looking image mean a better diagnosis, from one case of an imputer to another?

lost  bits that the prediction of a case loses: log2 p(label) with the true modality minus log2
      p(label) with the imputed one
rho   Spearman's rank correlation of the error of a case and of what it loses, inside each fitted
      model and then averaged; the error is turned so that more is worse: +1 where the
      better-looking image always costs less
p     two-sided, normal, its error from draws of subjects; Holm over the imputers of a figure

It speaks of other subjects under these trained models. A case may be hard to impute and hard to
diagnose for one reason, so a correlation is no proof that better looks would help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from mmmed.evaluation.arena.contest import Contest
from mmmed.evaluation.arena.downstream import Terms
from mmmed.evaluation.arena.error import Errors, Imputed, worse
from mmmed.evaluation.arena.rank_correlation import rank_correlation
from mmmed.evaluation.arena.seen import key, seen
from mmmed.evaluation.bootstrap import Estimate, Resampling, average
from mmmed.evaluation.holm import holm
from mmmed.evaluation.predictions import Model
from mmmed.evaluation.scores import SMALLEST_PROBABILITY, Floats
from mmmed.evaluation.study.gap import percentiles

Row = dict[str, Any]


def within_rows(contest: Contest, imputed: Sequence[Imputed], terms: Terms) -> list[Row]:
    """A row per imputer of images and figure."""
    level = terms.plan.interval.level
    rows = [
        {**contest.to_row(), "method": method, **row}
        for method, one in seen(contest, imputed).items()
        for row in _of_imputer(_cases(contest, method, one), terms.resampling, level=level)
    ]
    for figure in dict.fromkeys(row["figure"] for row in rows):
        family = [row for row in rows if row["figure"] == figure and row["p"] is not None]
        for row, adjusted in zip(family, holm([row["p"] for row in family]), strict=True):
            row["holm"] = adjusted
    return rows


@dataclass(frozen=True)
class _Cases:
    """Of one fitted model: errors and losses case by case, (n,) each."""

    case: tuple[str, ...]
    subject: tuple[str, ...]
    worse: Mapping[str, Floats]
    lost: Floats


def _cases(contest: Contest, method: str, imputed: Imputed) -> list[_Cases]:
    without = {key(one): one for one in contest.without[method].models}
    complete = {key(one): one for one in contest.complete[method].models}
    known = without.keys() & complete.keys()
    met = [
        _met(one, without[key(one)], complete[key(one)])
        for one in imputed.models
        if key(one) in known
    ]
    return [one for one in met if one.case]


def _met(errors: Errors, without: Model, complete: Model) -> _Cases:
    """The cases of which both predictions and the error are known."""
    after, before = _bits(without), _bits(complete)
    rows = [row for row, case in enumerate(errors.case) if case in after.keys() & before.keys()]
    cases = tuple(errors.case[row] for row in rows)
    return _Cases(
        cases,
        tuple(errors.subject[row] for row in rows),
        {figure: worse(figure, values[rows]) for figure, values in errors.by_figure.items()},
        np.array([before[case] - after[case] for case in cases]),
    )


def _bits(model: Model) -> dict[str, float]:
    """Case -> log2 of the probability of its label."""
    given = model.scored.probabilities[np.arange(len(model.case)), model.scored.label]
    surprise = np.log2(np.clip(given, SMALLEST_PROBABILITY, 1.0))
    return dict(zip(model.case, surprise.tolist(), strict=True))


def _of_imputer(found: Sequence[_Cases], resampling: Resampling, *, level: float) -> Iterator[Row]:
    if not found:
        return
    lost = _averaged(found, resampling, lambda one, weights: _mean(one.lost, weights))
    bounds = lost.interval(level) or (None, None)
    for figure in found[0].worse:

        def correlated(one: _Cases, weights: Floats, figure: str = figure) -> Floats:
            return rank_correlation(one.worse[figure], one.lost, weights)

        rho = _averaged(found, resampling, correlated)
        low, high = percentiles(rho, level) or (None, None)
        yield {
            "figure": figure,
            "n": len({case for one in found for case in one.case}),
            "models": len(found),
            "bits_lost": lost.value,
            "bits_lost_low": bounds[0],
            "bits_lost_high": bounds[1],
            "rho": rho.value if np.isfinite(rho.value) else None,
            "low": low,
            "high": high,
            "p": _p(rho) if low is not None and np.isfinite(rho.value) else None,
            "holm": None,
        }


def _averaged(
    found: Sequence[_Cases], resampling: Resampling, score: Callable[[_Cases, Floats], Floats]
) -> Estimate:
    """The mean over models, in every resample."""

    def of(one: _Cases) -> Estimate:
        return resampling.estimate(lambda weights: {"": score(one, weights)}, one.subject)[""]

    return average([of(one) for one in found])


def _mean(values: Floats, weights: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(values @ weights / weights.sum(axis=0))


def _p(rho: Estimate) -> float | None:
    drawn = rho.replicates[1 : 1 + rho.draws]
    error = float(drawn[np.isfinite(drawn)].std(ddof=1))
    return float(2 * ndtr(-abs(rho.value) / error)) if error > 0 else None
