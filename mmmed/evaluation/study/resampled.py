"""Scores of one fitted model in every resample, by products of matrices.

Every number here is a ratio of sums over cases or pairs, so D resamples cost one product with their
weights. Calibration slope and intercept are fitted once, by maximum likelihood; in a resample they
take one Newton step from there, which agrees with a new fit to first order (Moulton and Zeger 1991,
"Bootstrapping generalized linear models", Computational Statistics and Data Analysis 11).

A resample that lacks a class leaves all scores but accuracy and Brier undefined (NaN).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mmmed.evaluation import recalibration
from mmmed.evaluation.pairs import pair_auroc
from mmmed.evaluation.scores import Floats, Scored, auroc

MEASURES = (
    "auroc",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "brier",
    "calibration_slope",
    "calibration_intercept",
)
"""In the order of the rows of `resampled_scores`."""

MOST_PAIRS = 1 << 18
"""Beyond so many pairs of a positive and a negative case, sorting costs less than their product."""


def resampled_scores(cases: Scored, weights: Floats) -> Floats:
    """(len(MEASURES), D) the scores of every resample; NaN where undefined.

    Args:
        cases: n of one fitted model.
        weights: (n, D) how often each case counts.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack(
            [_auroc(cases, weights), *_decisions(cases, weights), *_chances(cases, weights)]
        )


def positive_of(cases: Scored) -> int:
    """The class that scores of two classes are about: the one named, else the last."""
    return cases.classes - 1 if cases.positive is None else cases.positive


def _auroc(cases: Scored, weights: Floats) -> Floats:
    """Of the positive class; with more than two classes the mean of each against the rest."""
    targets = range(cases.classes) if cases.classes > 2 else [positive_of(cases)]
    areas = [_area(cases.label == k, cases.probabilities[:, k], weights) for k in targets]
    return np.asarray(np.mean(areas, axis=0))


def _area(hit: NDArray[np.bool_], value: Floats, weights: Floats) -> Floats:
    if hit.sum() * (~hit).sum() > MOST_PAIRS:
        return auroc(hit, value, weights)
    return pair_auroc(
        value[hit], value[~hit], positive_weights=weights[hit], negative_weights=weights[~hit]
    )


def _decisions(cases: Scored, weights: Floats) -> list[Floats]:
    """Accuracy, balanced accuracy, F1."""
    names = np.arange(cases.classes)[:, None]
    truth, called = names == cases.label, names == cases.decision
    stacked = np.concatenate([truth, called, truth & called]).astype(np.float64)
    truly, decided, right = np.split(stacked @ weights, 3)  # (K, D) each
    f1 = 2 * right / (truly + decided)
    whole = (truly > 0).all(axis=0)
    mean = f1[positive_of(cases)] if cases.classes == 2 else f1.mean(axis=0)
    return [
        right.sum(axis=0) / weights.sum(axis=0),
        (right / truly).mean(axis=0),
        np.where(whole, mean, np.nan),
    ]


def _chances(cases: Scored, weights: Floats) -> list[Floats]:
    """Brier score, calibration slope, calibration intercept."""
    truth = np.arange(cases.classes) == cases.label[:, None]
    square = ((cases.probabilities - truth) ** 2).sum(axis=1) / (2 if cases.classes == 2 else 1)
    brier = square @ weights / weights.sum(axis=0)
    if cases.classes > 2:
        nothing = np.full(weights.shape[1], np.nan)
        return [brier, nothing, nothing]
    return [brier, *_recalibrated(cases, weights)]


def _recalibrated(cases: Scored, weights: Floats) -> tuple[Floats, Floats]:
    k = positive_of(cases)
    hit = cases.label == k
    fitted = recalibration.fit(cases.probabilities[:, k], hit, np.ones((len(hit), 1)))
    limit = recalibration.LARGEST_LOGIT
    x = np.clip(logit(cases.probabilities[:, k]), -limit, limit)
    p = expit(fitted.intercept + fitted.slope * x)
    residual, curvature = hit - p, p * (1 - p)
    rows = [residual, residual * x, curvature, curvature * x, curvature * x * x, 1.0 * hit, ~hit]
    g0, g1, h0, h1, h2, positives, negatives = np.stack(rows) @ weights
    determinant = h0 * h2 - h1 * h1
    known = (positives > 0) & (negatives > 0) & (determinant > 1e-12 * h0 * h2)
    slope = fitted.slope + (h0 * g1 - h1 * g0) / determinant
    intercept = fitted.intercept + (h2 * g0 - h1 * g1) / determinant
    return np.where(known, slope, np.nan), np.where(known, intercept, np.nan)
