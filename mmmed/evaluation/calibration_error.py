"""The expected calibration error (ECE), beside what chance alone makes of it.

ECE   the mean over cases of |share of positives - mean probability| of their bin, in bins of equal
      width (Naeini, Cooper and Hauskrecht 2015, AAAI)
null  the ECE to be expected of predictions that are perfectly calibrated: never 0, as a bin of few
      cases is never hit exactly; an ECE near its null says nothing against the predictions

If every probability is right, the positives of a bin are a sum of independent Bernoulli draws
(Poisson-binomial), whose mean absolute deviation is summed exactly here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST = 200
"""Cases below which no ECE is stated: its null would be as large as any fault worth finding."""

BINS = 10

MOST_EXACT = 2000
"""Cases of a bin up to which the sum is exact; beyond, the normal limit is good to 1e-4 of it."""


@dataclass(frozen=True)
class CalibrationError:
    """The ECE of n cases, and its mean if they were perfectly calibrated."""

    value: float
    null: float
    n: int


def calibration_error(
    probability: Floats, is_positive: NDArray[np.bool_], *, bins: int = BINS
) -> CalibrationError | None:
    """The ECE of the positive class's probability; None below `FEWEST` cases.

    Args:
        probability: (n,).
        is_positive: (n,).
        bins: stretches of equal width.
    """
    n = len(probability)
    if n < FEWEST:
        return None
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gap = np.bincount(place, weights=is_positive - probability, minlength=bins)
    by_chance = sum(_deviation(probability[place == here]) for here in np.unique(place))
    return CalibrationError(float(np.abs(gap).sum() / n), by_chance / n, n)


def _deviation(chance: Floats) -> float:
    """E |S - E S| of a sum S of independent Bernoulli draws."""
    if len(chance) > MOST_EXACT:
        return sqrt(2 / pi * float((chance * (1 - chance)).sum()))
    mass = np.zeros(len(chance) + 1)
    mass[0] = 1.0
    for p in chance:
        mass[1:] = mass[1:] * (1 - p) + mass[:-1] * p
        mass[0] *= 1 - p
    return float(mass @ np.abs(np.arange(len(mass)) - chance.sum()))
