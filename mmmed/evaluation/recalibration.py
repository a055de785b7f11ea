"""Logistic recalibration: how predicted log-odds relate to what happened.

slope      of the true log-odds on the predicted ones; 1 is right, below 1 is overconfident
intercept  of the same line, where the predicted probability is one half; 0 is right

Both come from one logistic regression of the label on the predicted log-odds (Cox 1958, "Two
further applications of a model for binary regression", Biometrika 45).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]

LARGEST_LOGIT = 30.0
"""Predicted log-odds beyond this are cut: e^-30 is below any frequency a study can see."""

STEPS = 25
"""Newton steps; five are enough where the maximum is finite."""

STEEPEST = 1e3
"""A slope beyond this means that the predictions separate the classes: no finite maximum."""

TOLERANCE = 1e-9
"""Largest Newton step of a fit that has arrived."""


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
    with np.errstate(divide="ignore"):
        x = np.clip(logit(probability), -LARGEST_LOGIT, LARGEST_LOGIT)
    intercept, slope = np.zeros(weights.shape[1]), np.ones(weights.shape[1])
    arrived = np.zeros(weights.shape[1], dtype=bool)
    for _ in range(STEPS):
        going = ~arrived & (np.abs(slope) < STEEPEST)
        if not going.any():
            break
        columns = weights if going.all() else weights[:, going]
        up, along = _step(x, is_positive, columns, intercept[going], slope[going])
        intercept[going] += up
        slope[going] += along
        arrived[going] = np.maximum(np.abs(up), np.abs(along)) < TOLERANCE
    return Recalibration(np.where(arrived, intercept, np.nan), np.where(arrived, slope, np.nan))


def _step(
    x: Floats, is_positive: NDArray[np.bool_], weights: Floats, intercept: Floats, slope: Floats
) -> tuple[Floats, Floats]:
    """One Newton step of every fit; (0 / 0 becomes a step out of range, so the fit ends)."""
    p = expit(intercept + x[:, None] * slope)  # (n, D)
    residual = weights * (is_positive[:, None] - p)
    curvature = weights * p * (1 - p)
    g0, g1 = residual.sum(axis=0), x @ residual
    h0, h1, h2 = curvature.sum(axis=0), x @ curvature, (x * x) @ curvature
    determinant = h0 * h2 - h1 * h1
    flat = determinant <= 1e-12 * h0 * h2
    determinant = np.where(flat, 1.0, determinant)
    along = np.where(flat, 2 * STEEPEST, (h0 * g1 - h1 * g0) / determinant)
    return (h2 * g0 - h1 * g1) / determinant, along
