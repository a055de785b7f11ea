"""Whose lost scan is worth acquiring? Scores as more and more of the lost scans are acquired.

share     of the cases whose scan is acquired, from none (0) to all (1); a case whose scan is
          acquired is predicted with it, the others without
order     who comes first: `bits`, the expected information, which no label enters; `random`;
          `truth`, the true expected information, on simulated data; `hindsight`, what the scan in
          fact spares in log-loss, which only who knows the labels can follow
random    each case counts as acquired with the chance `share`, on its own, and scores are those
          expected: log-loss and balanced accuracy are linear in who is acquired, AUROC in pairs
          of cases, so nothing is drawn
tie       cases that an order cannot tell apart are acquired at random among themselves; with an
          order that tells nothing apart nothing is gained over random
gain      how much better a score gets; a log-loss falls

It speaks of cases that own everything, one modality being hidden. Scores are computed inside each
fold x seed and averaged; intervals speak of other subjects under these trained models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from mmmed.evaluation.arena.rank_correlation import rank_correlation
from mmmed.evaluation.bootstrap import Estimate, Resampling, average
from mmmed.evaluation.scores import SMALLEST_PROBABILITY, Floats, Integers, Scored, score
from mmmed.evaluation.study.gap import SMALLEST_ERROR, percentiles
from mmmed.evaluation.study.plan import Plan

SHARES = tuple(step / 10 for step in range(11))
HALF = 0.5
MEASURES = {"log_loss": -1, "auroc": 1, "balanced_accuracy": 1}
"""Score -> 1 where more is better, -1 where less is."""

DECIMALS = 6
"""Of the bits that order cases: what differs by less is rounding, and a tie."""

MOST_OF_IT = 0.9
"""Share of the full gain that is called most of it."""


@dataclass(frozen=True)
class Lacking:
    """Of one fitted model: cases with and without a modality.

    Attributes:
        subject: (n,) ids.
        now: predictions without it.
        then: of the same cases with it.
        bits: (n,) expected information.
        truth: (n,) true expected information; None where it is unknown.
    """

    subject: tuple[str, ...]
    now: Scored
    then: Scored
    bits: Floats
    truth: Floats | None = None

    @property
    def realised(self) -> Floats:
        """(n,) bits by which the label became likelier."""
        return _log2_of_label(self.then) - _log2_of_label(self.now)

    def orders(self) -> dict[str, Floats]:
        """Order -> (n,) values, the largest first."""
        known = {} if self.truth is None else {"truth": self.truth}
        nothing = np.zeros(len(self.subject))
        return {
            "bits": np.round(self.bits, DECIMALS),
            "random": nothing,
            **known,
            "hindsight": self.realised,
        }


def acquired(value: Floats, weights: Floats, share: float) -> Floats:
    """(n, D) how much of each case's weight is acquired, the largest values first.

    Args:
        value: (n,) what orders the cases; equal values share what is left to them.
        weights: (n, D) how often each case counts.
        share: of the total weight.
    """
    _, group = np.unique(-value, return_inverse=True)
    total = np.zeros((int(group.max()) + 1, weights.shape[1]))
    np.add.at(total, group, weights)
    left = share * total.sum(axis=0) - (np.cumsum(total, axis=0) - total)
    portion = np.divide(left, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(np.clip(portion, 0.0, 1.0)[group] * weights)


def scores_at(one: Lacking, value: Floats, share: float, weights: Floats) -> dict[str, Floats]:
    """Each of MEASURES, (D,), once this share is acquired in the order of `value`."""
    taken = acquired(value, weights, share)
    both = Scored(
        np.concatenate([one.then.label, one.now.label]),
        np.concatenate([one.then.probabilities, one.now.probabilities]),
        np.concatenate([one.then.decision, one.now.decision]),
        one.now.positive,
    )
    found = score(both, np.concatenate([taken, weights - taken]))
    return {name: found[name] for name in MEASURES}


def curves(models: Sequence[Lacking]) -> dict[str, dict[str, list[float | None]]]:
    """Order -> measure -> its value at each of SHARES, averaged over the models."""
    names = [name for name in models[0].orders() if all(name in one.orders() for one in models)]
    return {
        order: {
            name: [_mean([point[name] for point in points]) for points in _points(models, order)]
            for name in MEASURES
        }
        for order in names
    }


def gains(models: Sequence[Lacking], resampling: Resampling, plan: Plan) -> dict[str, Any]:
    """Measure -> the full gain, and what the order by bits gains over random at half."""
    none, half, all_ = (_estimates(models, resampling, "bits", share) for share in (0.0, HALF, 1.0))
    chance = _estimates(models, resampling, "random", HALF)
    return {
        name: {
            "full": _gain(all_[name], none[name], sign, plan),
            "over_random": _gain(half[name], chance[name], sign, plan),
        }
        for name, sign in MEASURES.items()
    }


def most_of_it(curve: Sequence[float | None], full: Mapping[str, Any]) -> float | None:
    """The share at which most of the full gain is reached and kept; None where none is shown."""
    known = [value for value in curve if value is not None]
    if full["low"] is None or full["low"] <= 0 or len(known) < len(curve):
        return None
    short = (np.array(known) - known[0]) / (known[-1] - known[0]) < MOST_OF_IT
    return SHARES[int(np.flatnonzero(short)[-1]) + 1]


def bits_told(models: Sequence[Lacking], resampling: Resampling, plan: Plan) -> dict[str, Any]:
    """Mean bits expected, realised and true, and the rank correlation of expected and true."""
    told = {
        "expected": [one.bits for one in models],
        "realised": [one.realised for one in models],
    }
    truths = [one.truth for one in models if one.truth is not None]
    if len(truths) == len(models):
        told["true"] = truths
    found = {
        name: _bounded(_averaged(values, models, resampling), plan) for name, values in told.items()
    }
    rho = _rho(models, resampling) if "true" in told else None
    return {**found, "rank_correlation": None if rho is None else _bounded(rho, plan)}


def _averaged(
    values: Sequence[Floats], models: Sequence[Lacking], resampling: Resampling
) -> Estimate:
    """The mean over cases, then over models."""

    def mean(value: Floats, weights: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(value @ weights / weights.sum(axis=0))

    def of(value: Floats, one: Lacking) -> Estimate:
        return resampling.estimate(lambda weights: {"": mean(value, weights)}, one.subject)[""]

    return average([of(value, one) for value, one in zip(values, models, strict=True)])


def _rho(models: Sequence[Lacking], resampling: Resampling) -> Estimate:
    def of(one: Lacking) -> Estimate:
        truth = one.bits if one.truth is None else one.truth
        return resampling.estimate(
            lambda weights: {"": rank_correlation(one.bits, truth, weights)}, one.subject
        )[""]

    return average([of(one) for one in models])


def _points(models: Sequence[Lacking], order: str) -> list[list[dict[str, float]]]:
    """Of each share, the scores of each model."""
    return [
        [
            {
                name: float(value[0])
                for name, value in scores_at(
                    one, one.orders()[order], share, np.ones((len(one.subject), 1))
                ).items()
            }
            for one in models
        ]
        for share in SHARES
    ]


def _estimates(
    models: Sequence[Lacking], resampling: Resampling, order: str, share: float
) -> dict[str, Estimate]:
    def of(one: Lacking) -> dict[str, Estimate]:
        value = one.orders()[order]
        return resampling.estimate(
            lambda weights: scores_at(one, value, share, weights), one.subject
        )

    each = [of(one) for one in models]
    return {name: average([one[name] for one in each]) for name in MEASURES}


def _gain(better: Estimate, worse: Estimate, sign: int, plan: Plan) -> dict[str, Any]:
    """The gain with its interval and two-sided p, normal; p is 1 where no resample differs."""
    gap = better - worse if sign > 0 else worse - better
    drawn = gap.replicates[1 : 1 + gap.draws]
    error = float(np.std(drawn[np.isfinite(drawn)], ddof=1)) if np.isfinite(gap.value) else 0.0
    p = float(2 * ndtr(-abs(gap.value) / error)) if error > SMALLEST_ERROR else 1.0
    return {**_bounded(gap, plan), "p": p}


def _bounded(estimate: Estimate, plan: Plan) -> dict[str, Any]:
    if not np.isfinite(estimate.value):
        return {"value": None, "low": None, "high": None}
    low, high = percentiles(estimate, plan.interval.level) or (None, None)
    return {"value": estimate.value, "low": low, "high": high}


def _mean(values: Sequence[float]) -> float | None:
    known = [one for one in values if np.isfinite(one)]
    return float(np.mean(known)) if known else None


def _log2_of_label(cases: Scored) -> Floats:
    rows: Integers = np.arange(len(cases.label))
    given = cases.probabilities[rows, cases.label]
    return np.asarray(np.log2(np.clip(given, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)))
