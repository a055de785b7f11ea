"""What a score is: one number about predicted cases.

weights    (n, D): how often each of n cases counts in each of D replicates; a column of ones is
           the plain score, other columns are resamples, so every score is vectorised over D
           (the calibration line of a resample to first order, all else exactly)
undefined  NaN: a replicate lacks a class that the score needs; `why_undefined` says it in words

With two classes AUROC, AP, F1, sensitivity and specificity are about the positive class. With
more, AUROC, AP and F1 are macro averages of one class against the rest, and sensitivity and
specificity need a positive class to be named. The Brier score is the mean squared error of the
positive class's probability with two classes (0 to 1), and summed over classes with more (0 to 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmed.evaluation import recalibration

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

METRICS = (
    "auroc",
    "ap",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "sensitivity",
    "specificity",
    "brier",
    "log_loss",
    "calibration_slope",
    "calibration_intercept",
)

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""A probability of 0 counts as this in the log loss, as in scikit-learn."""


@dataclass(frozen=True)
class Scored:
    """Predicted cases with their labels.

    Attributes:
        label: (n,) index of the true class.
        probabilities: (n, K).
        decision: (n,) index of the class decided for.
        positive: index of the positive class; None where no class is named.
    """

    label: Integers
    probabilities: Floats
    decision: Integers
    positive: int | None

    @property
    def classes(self) -> int:
        """K, the number of classes."""
        return int(self.probabilities.shape[1])

    def rows(self, chosen: Integers | NDArray[np.bool_]) -> Scored:
        """The chosen cases alone."""
        return Scored(
            self.label[chosen], self.probabilities[chosen], self.decision[chosen], self.positive
        )


def score(cases: Scored, weights: Floats | None = None) -> dict[str, Floats]:
    """Every metric of `METRICS`, (D,) each, NaN where a replicate leaves it undefined.

    Args:
        cases: what was predicted.
        weights: (n, D); one column of ones where not given.
    """
    if weights is None:
        weights = np.ones((len(cases.label), 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            **_ranking(cases, weights),
            **_decisions(cases, weights),
            **_probabilities(cases, weights),
        }


def headline(classes: Sequence[str]) -> str:
    """The metric that stands first: AUROC of two classes, accuracy of more.

    One class against nine others is told apart by almost any method, so that a macro AUROC of many
    classes hardly varies.
    """
    return "accuracy" if len(classes) > 2 else "auroc"


def auroc(is_positive: NDArray[np.bool_], value: Floats, weights: Floats) -> Floats:
    """Area under the ROC curve, (D,); a tie between a positive and a negative counts one half."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _auroc(_curve(is_positive, value, weights))


def why_undefined(metric: str, cases: Scored, names: Sequence[str]) -> str | None:
    """Why these cases do not define a metric; None where they do."""
    if len(cases.label) == 0:
        return "no cases"
    if metric in ("accuracy", "brier", "log_loss"):
        return None
    if metric.startswith("calibration") and cases.classes > 2:
        return "stated for two classes only"
    if metric in ("sensitivity", "specificity") and cases.positive is None:
        return "no positive class is named"
    present = set(cases.label.tolist())
    absent = [name for index, name in enumerate(names) if index not in present]
    if len(present) == 1:
        return f"all cases are {names[next(iter(present))]}"
    if absent and metric not in ("sensitivity", "specificity"):
        return f"no case is {', '.join(absent)}"
    if metric == "sensitivity" and cases.positive not in present:
        return f"no case is {names[cases.positive or 0]}"
    return None


def _ranking(cases: Scored, weights: Floats) -> dict[str, Floats]:
    targets = range(cases.classes) if cases.classes > 2 else [_positive(cases)]
    curves = [_curve(cases.label == k, cases.probabilities[:, k], weights) for k in targets]
    return {
        "auroc": np.mean([_auroc(curve) for curve in curves], axis=0),
        "ap": np.mean([_average_precision(curve) for curve in curves], axis=0),
    }


@dataclass(frozen=True)
class _Curve:
    """What stands at or above each of the P positive cases; (P, D), totals (D,).

    `true` and `false` count the threshold at the case's value, `false_above` the next higher one:
    they differ where negatives tie with the case.
    """

    weight: Floats
    true: Floats
    false: Floats
    false_above: Floats
    positives: Floats
    negatives: Floats


def _curve(is_positive: NDArray[np.bool_], value: Floats, weights: Floats) -> _Curve:
    order = np.argsort(-value, kind="stable")
    weights, hit, ordered = weights[order], is_positive[order], value[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    tie = np.searchsorted(first, np.flatnonzero(hit), side="right") - 1
    start, end = first[tie], np.append(first[1:], len(ordered))[tie]
    called = _accumulated(weights)
    true = _accumulated(weights[hit])
    before = np.append(0, np.cumsum(hit))  # positives among the first so many cases
    return _Curve(
        weight=weights[hit],
        true=true[before[end]],
        false=called[end] - true[before[end]],
        false_above=called[start] - true[before[start]],
        positives=true[-1],
        negatives=called[-1] - true[-1],
    )


def _accumulated(weights: Floats) -> Floats:
    """Sums of the first 0, 1, ... n rows."""
    sums = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums


def _auroc(curve: _Curve) -> Floats:
    below = curve.negatives - (curve.false + curve.false_above) / 2
    area = np.einsum("pd,pd->d", curve.weight, below)
    return np.asarray(area / (curve.positives * curve.negatives))


def _average_precision(curve: _Curve) -> Floats:
    called = curve.true + curve.false
    precision = np.divide(curve.true, called, out=np.zeros_like(called), where=called > 0)
    area = np.einsum("pd,pd->d", curve.weight, precision) / curve.positives
    return np.where(curve.negatives > 0, area, np.nan)


def _decisions(cases: Scored, weights: Floats) -> dict[str, Floats]:
    confusion = _confusion(cases, weights)  # (true K, decided K, D)
    correct = np.einsum("kkd->kd", confusion)
    truly, called = confusion.sum(axis=1), confusion.sum(axis=0)
    recall = correct / truly
    f1 = np.where(truly > 0, 2 * correct / (truly + called), np.nan)
    binary = cases.classes == 2
    return {
        "accuracy": correct.sum(axis=0) / weights.sum(axis=0),
        "balanced_accuracy": recall.mean(axis=0),
        "f1": _both(truly, f1[_positive(cases)]) if binary else f1.mean(axis=0),
        **_of_positive(cases, confusion),
    }


def _confusion(cases: Scored, weights: Floats) -> Floats:
    size = cases.classes
    cell = cases.label * size + cases.decision
    indicator = (np.arange(size * size)[:, None] == cell).astype(np.float64)
    return np.asarray((indicator @ weights).reshape(size, size, -1))


def _of_positive(cases: Scored, confusion: Floats) -> dict[str, Floats]:
    if cases.classes > 2 and cases.positive is None:
        nothing = np.full(confusion.shape[2], np.nan)
        return {"sensitivity": nothing, "specificity": nothing}
    k = _positive(cases)
    truly, called, hit = confusion[k].sum(axis=0), confusion[:, k].sum(axis=0), confusion[k, k]
    others = confusion.sum(axis=(0, 1)) - truly
    return {"sensitivity": hit / truly, "specificity": 1 - (called - hit) / others}


def _both(truly: Floats, values: Floats) -> Floats:
    """NaN where a replicate holds one class only: F1 of one class alone says nothing."""
    return np.where((truly > 0).all(axis=0), values, np.nan)


def _probabilities(cases: Scored, weights: Floats) -> dict[str, Floats]:
    truth = np.arange(cases.classes) == cases.label[:, None]
    square = ((cases.probabilities - truth) ** 2).sum(axis=1)
    if cases.classes == 2:
        square = square / 2
    given = cases.probabilities[np.arange(len(cases.label)), cases.label]
    surprise = -np.log(np.clip(given, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    total = weights.sum(axis=0)
    return {
        "brier": square @ weights / total,
        "log_loss": surprise @ weights / total,
        **_calibration(cases, weights),
    }


def _calibration(cases: Scored, weights: Floats) -> dict[str, Floats]:
    if cases.classes > 2:
        nothing = np.full(weights.shape[1], np.nan)
        return {"calibration_slope": nothing, "calibration_intercept": nothing}
    k = _positive(cases)
    fit = recalibration.resampled(cases.probabilities[:, k], cases.label == k, weights)
    return {"calibration_slope": fit.slope, "calibration_intercept": fit.intercept}


def _positive(cases: Scored) -> int:
    """The class that two-class scores are about: the one named, else the second."""
    return cases.classes - 1 if cases.positive is None else cases.positive
