"""The gap between two measured sets: how large, how sure, how small it could have been and be seen.

error      standard deviation of the gap over draws of subjects: other subjects, these models
spread     standard deviation over seeds of the gap of one seed: other trainings
training   standard error that other trainings bring: variances over the seeds of a fold, averaged
           over folds, as if folds were trained independently
p          two-sided, gap over its error, normal: what other subjects say
p_claim    the same with training^2 added to error^2, by Student's t with Satterthwaite's degrees
           of freedom (1946, Biometrics Bulletin 2): what a claim about methods needs, as one
           trained model may be luckier than another; equal to p where no fold was trained twice
no worse   one-sided: the gap is above -margin; equal: it is within the margin (both sides)
seen       the gap that a two-sided test at alpha finds with the stated power, given this error; two
           readers that differ more may have a larger one, so it is the least that can be said

The interval is the percentile one and speaks of other subjects alone; the spread stands beside it.
Of 400 simulated cohorts of 60 subjects with an AUROC of .96 the BCa interval of a gap held the
truth 89.5 % of the time and the percentile one 96.8 %, where 95 % was promised; at .87 it was
93.0 % and 94.2 %. Scores and areas have BCa intervals: for a score it was 94.8 % and 90.2 %, then
96.8 % and 93.8 %. Of 100 simulated studies of four equally good methods, each trained model lucky
or not, p told two of them apart in 48 (Holm at .05) and p_claim in 1.
A gap that is the same in every resample (two perfect scores) shows nothing, unless the predictions
are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy.special import ndtri
from scipy.stats import t as student

from mmmed.evaluation.bootstrap import FEWEST_DEFINED, Estimate
from mmmed.evaluation.predictions import Model
from mmmed.evaluation.study.measured import Measured
from mmmed.evaluation.study.plan import Plan

SMALLEST_ERROR = 1e-12
"""An error below this is rounding: every resample gives the same gap."""

NOTHING_SHARED = "no fold, seed and case in common"


@dataclass(frozen=True)
class Gap:
    """First minus second, on the same folds, seeds and cases.

    Attributes:
        n: cases.
        models: folds x seeds.
        seeds: number of them.
        value: of the gap; None, as all below, where `reason` says why.
        low: of its interval.
        high: of its interval.
        error: over draws of subjects.
        spread: over seeds; None with one.
        training: over trainings; None where no fold was trained with two seeds.
        p: two-sided, of other subjects.
        p_claim: two-sided, of other subjects and other trainings.
        p_no_worse: one-sided, that it is not above -margin; of both.
        p_equal: that it is not within the margin; of both.
        seen: the smallest that the study could have seen by one test.
        reason: why there is no gap.
    """

    n: int
    models: int
    seeds: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    spread: float | None = None
    training: float | None = None
    p: float | None = None
    p_claim: float | None = None
    p_no_worse: float | None = None
    p_equal: float | None = None
    seen: float | None = None
    reason: str | None = None


def find_gap(first: Measured, second: Measured, measure: str, *, plan: Plan) -> Gap:
    """The gap of two sets that are alike; a reason in place of numbers where it has none."""
    count = len({case for model in first.models for case in model.case})
    seeds = len({model.seed for model in first.models})
    reason = _why_none(first, second, measure)
    if reason:
        return Gap(count, len(first.models), seeds, reason=reason)
    difference = first.mean[measure] - second.mean[measure]
    bounds = percentiles(difference, plan.interval.level)
    if bounds is None:
        return Gap(count, len(first.models), seeds, reason="most resamples lack a class")
    value, error = difference.value, float(_drawn(difference).std(ddof=1))
    by_seed = first.by_seed(measure) - second.by_seed(measure)
    spread = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None
    training, freedom = _training(first, second, measure)
    both, freedom = _both(error, training or 0.0, freedom)
    same = error < SMALLEST_ERROR and _identical(first, second)
    above = 0.0 if same else _tail(value + plan.margin, both, freedom)
    below = 0.0 if same else _tail(plan.margin - value, both, freedom)
    return Gap(
        n=count,
        models=len(first.models),
        seeds=seeds,
        value=value,
        low=bounds[0],
        high=bounds[1],
        error=error,
        spread=spread,
        training=training,
        p=min(1.0, 2 * _tail(abs(value), error, inf)),
        p_claim=min(1.0, 2 * _tail(abs(value), both, freedom)),
        p_no_worse=above,
        p_equal=max(above, below),
        seen=smallest_seen(error, alpha=plan.alpha, power=plan.power),
    )


def smallest_seen(error: float, *, alpha: float, power: float) -> float:
    """The gap found with `power` by a two-sided test at `alpha`, its error being known."""
    return float(ndtri(1 - alpha / 2) + ndtri(power)) * error


def percentiles(estimate: Estimate, level: float) -> tuple[float, float] | None:
    """The percentile interval; None where too few resamples define the number."""
    drawn = _drawn(estimate)
    if len(drawn) < FEWEST_DEFINED * estimate.draws:
        return None
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _why_none(first: Measured, second: Measured, measure: str) -> str | None:
    if not first.models:
        return NOTHING_SHARED
    known = np.isfinite(first.single[measure]), np.isfinite(second.single[measure])
    if not (known[0].any() and known[1].any()):
        return "not estimable: a class is absent, or the predictions separate the classes"
    means = first.mean[measure].value, second.mean[measure].value
    if (known[0] != known[1]).any() or not np.isfinite(means).all():
        return "not estimable in the same models throughout"
    return None


def _drawn(estimate: Estimate) -> np.ndarray:
    drawn = estimate.replicates[1 : 1 + estimate.draws]
    return drawn[np.isfinite(drawn)]


def _training(first: Measured, second: Measured, measure: str) -> tuple[float | None, float]:
    """Standard error over trainings, and its degrees of freedom; None without a second one."""
    gaps = first.single[measure] - second.single[measure]
    fold = np.array([model.fold for model in first.models])
    groups = [gaps[(fold == name) & np.isfinite(gaps)] for name in np.unique(fold)]
    freedom = sum(len(one) - 1 for one in groups if len(one))
    if freedom == 0:
        return None, inf
    within = sum(float(((one - one.mean()) ** 2).sum()) for one in groups if len(one)) / freedom
    return sqrt(within / sum(map(len, groups))), freedom


def _both(error: float, training: float, freedom: float) -> tuple[float, float]:
    """Standard error over subjects and trainings, and its degrees of freedom."""
    total = error**2 + training**2
    return sqrt(total), inf if training == 0 else total**2 / (training**4 / freedom)


def _tail(value: float, error: float, freedom: float) -> float:
    """Chance of at least `value` where nothing is; 1 where no error is known."""
    return 1.0 if error < SMALLEST_ERROR else float(student.sf(value / error, freedom))


def _identical(first: Measured, second: Measured) -> bool:
    """Whether both say the same of every case."""
    pairs = zip(first.models, second.models, strict=True)
    return all(_said(one) == _said(other) for one, other in pairs)


def _said(model: Model) -> dict[str, list[float]]:
    return dict(zip(model.case, model.scored.probabilities.tolist(), strict=True))
