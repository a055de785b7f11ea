"""Standard errors of AUROCs without resampling: DeLong, DeLong and Clarke-Pearson 1988.

component  of a positive case the share of the negative ones it stands above, of a negative one the
           share of the positive ones above it; the AUROC is the mean of either, and its variance is
           theirs, each over its number of cases

Biometrics 44, 837-845; components by midranks as in Sun and Xu 2014, IEEE Signal Processing Letters
21, 1389-1393. It holds for fixed scores of independent cases, so only inside one fitted model and
one test set: scores of several models have no common ROC curve, and means over folds and seeds take
the bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Areas:
    """AUROCs of one set of cases.

    Attributes:
        area: (M,); NaN where a class is absent.
        covariance: (M, M); NaN where a class has fewer than two cases.
    """

    area: Floats
    covariance: Floats

    def interval(self, index: int, *, level: float) -> tuple[float, float] | None:
        """Of one AUROC, symmetric on the logit scale; None at 0 and 1, where no error is known."""
        area, error = float(self.area[index]), sqrt(self.covariance[index, index])
        if isnan(error) or not 0 < area < 1:
            return None
        half = float(ndtri((1 + level) / 2)) * error / (area * (1 - area))
        odds = area / (1 - area)
        low, high = odds * np.exp(-half), odds * np.exp(half)
        return float(low / (1 + low)), float(high / (1 + high))

    def difference(self, first: int, second: int) -> Difference:
        """`first - second`, which stand on the same cases."""
        spread = self.covariance
        variance = spread[first, first] + spread[second, second] - 2 * spread[first, second]
        value = float(self.area[first] - self.area[second])
        error = sqrt(max(0.0, variance)) if not isnan(variance) else nan
        z = value / error if error > 0 else (0.0 if value == 0 else nan)
        return Difference(value, error, float(2 * ndtr(-abs(z))))


@dataclass(frozen=True)
class Difference:
    """A difference of two AUROCs, its standard error and its two-sided p value."""

    value: float
    error: float
    p: float


def delong(is_positive: NDArray[np.bool_], values: Floats) -> Areas:
    """The AUROCs of M scores on the same n cases and their covariance.

    Args:
        is_positive: (n,).
        values: (M, n).
    """
    hits, others = values[:, is_positive], values[:, ~is_positive]
    p, n = hits.shape[1], others.shape[1]
    if min(p, n) == 0:
        size = len(values)
        return Areas(np.full(size, np.nan), np.full((size, size), np.nan))
    together = rankdata(np.concatenate([hits, others], axis=1), axis=1)
    of_hits = (together[:, :p] - rankdata(hits, axis=1)) / n  # (M, P)
    of_others = 1 - (together[:, p:] - rankdata(others, axis=1)) / p  # (M, N)
    return Areas(of_hits.mean(axis=1), _spread(of_hits) / p + _spread(of_others) / n)


def _spread(components: Floats) -> Floats:
    """Sample covariance of the rows; NaN of a single column."""
    size, count = components.shape
    if count < 2:
        return np.full((size, size), np.nan)
    return np.cov(components).reshape(size, size)
