"""Scores of one fitted model in every resample, by products of matrices.

Every number here is a ratio of sums over cases or pairs, so D resamples cost one product with their
weights, calibration slope and intercept included (`recalibration.resampled`).

A resample that lacks a class leaves all scores but accuracy and Brier undefined (NaN).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    k = positive_of(cases)
    line = recalibration.resampled(cases.probabilities[:, k], cases.label == k, weights)
    return [brier, line.slope, line.intercept]
