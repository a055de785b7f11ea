"""Logistic recalibration: how predicted log-odds relate to what happened.

slope      of the true log-odds on the predicted ones; 1 is right, below 1 is overconfident
intercept  of the same line, where the predicted probability is one half; 0 is right

Both come from one logistic regression of the label on the predicted log-odds (Cox 1958, "Two
further applications of a model for binary regression", Biometrika 45). A resample takes one Newton
step from the fit of all cases, which agrees with a new fit to first order (Moulton and Zeger 1991,
"Bootstrapping generalized linear models", Computational Statistics and Data Analysis 11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]

LARGEST_LOGIT = 30.0
"""Predicted log-odds beyond this are cut: e^-30 is below any frequency a study can see."""

STEPS = 50
"""Newton steps; ten are enough where the maximum is finite."""

LONGEST_STEP = 1.0
"""A step changes no case's log-odds by more than this many spreads of the predicted ones, so that
Newton's method cannot jump over the maximum of a concave function."""

STEEPEST = 1e3
"""A slope beyond this, per spread of the predicted log-odds, means that the predictions separate
the classes: there is no finite maximum."""

TOLERANCE = 1e-9
"""Largest Newton step of a fit that has arrived."""

FLATTEST = 1e-12
"""Share of its bound below which a determinant of curvatures is rounding."""


@dataclass(frozen=True)
class Recalibration:
    """Intercept and slope of D fits, (D,) each; NaN where no finite maximum exists."""

    intercept: Floats
    slope: Floats


def fit(probability: Floats, is_positive: NDArray[np.bool_], weights: Floats) -> Recalibration:
    """Weighted logistic regressions of the label on the predicted log-odds, all at once.

    Args:
        probability: (n,) of the positive class.
        is_positive: (n,).
        weights: (n, D), one column per fit.
    """
    x = _log_odds(probability)
    spread = float(x.std()) or 1.0
    intercept, slope = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    arrived = np.zeros(weights.shape[1], dtype=bool)
    for _ in range(STEPS):
        going = np.flatnonzero(~arrived & (np.abs(slope) < STEEPEST))
        if len(going) == 0:
            break
        up, along = _step(
            x / spread, is_positive, weights[:, going], intercept[going], slope[going]
        )
        length = np.maximum(np.abs(up), np.abs(along))
        short = np.minimum(1.0, LONGEST_STEP / np.maximum(length, LONGEST_STEP))
        intercept[going] += up * short
        slope[going] += along * short
        arrived[going] = length < TOLERANCE
    return Recalibration(
        np.where(arrived, intercept, np.nan), np.where(arrived, slope / spread, np.nan)
    )


def resampled(
    probability: Floats, is_positive: NDArray[np.bool_], weights: Floats
) -> Recalibration:
    """One Newton step of every resample from the fit of all cases; NaN where it lacks a class.

    Args:
        probability: (n,) of the positive class.
        is_positive: (n,).
        weights: (n, D), one column per resample; in one of ones the fit itself.
    """
    fitted = fit(probability, is_positive, np.ones((len(is_positive), 1)))
    x = _log_odds(probability)
    p = expit(fitted.intercept + fitted.slope * x)
    residual, curvature = is_positive - p, p * (1 - p)
    rows = [residual, residual * x, curvature, curvature * x, curvature * x * x]
    sums = np.stack([*rows, 1.0 * is_positive, 1.0 * ~is_positive]) @ weights
    g0, g1, h0, h1, h2, positives, negatives = sums
    determinant = h0 * h2 - h1 * h1
    known = (positives > 0) & (negatives > 0) & (determinant > FLATTEST * h0 * h2)
    determinant = np.where(known, determinant, np.nan)
    return Recalibration(
        fitted.intercept + (h2 * g0 - h1 * g1) / determinant,
        fitted.slope + (h0 * g1 - h1 * g0) / determinant,
    )


def _log_odds(probability: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(logit(probability), -LARGEST_LOGIT, LARGEST_LOGIT))


def _step(
    x: Floats, is_positive: NDArray[np.bool_], weights: Floats, intercept: Floats, slope: Floats
) -> tuple[Floats, Floats]:
    """One Newton step of every fit; without curvature a step along which no fit arrives."""
    p = expit(intercept + x[:, None] * slope)  # (n, D)
    residual = weights * (is_positive[:, None] - p)
    curvature = weights * p * (1 - p)
    g0, g1 = residual.sum(axis=0), x @ residual
    h0, h1, h2 = curvature.sum(axis=0), x @ curvature, (x * x) @ curvature
    determinant = h0 * h2 - h1 * h1
    flat = determinant <= FLATTEST * h0 * h2
    determinant = np.where(flat, 1.0, determinant)
    up = np.where(flat, 0.0, (h2 * g0 - h1 * g1) / determinant)
    return up, np.where(flat, LONGEST_STEP, (h0 * g1 - h1 * g0) / determinant)
