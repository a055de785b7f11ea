"""Reliability: of the cases given a probability near p, how many were positive.

A bin holds the cases whose probability falls in one stretch of [0, 1]; an empty bin is left out.
Its interval is Wilson's (1927), which stays inside [0, 1] and is honest with few cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """The cases of one stretch of probability.

    Attributes:
        n: cases.
        predicted: mean probability.
        observed: share of positives.
        low: lower end of the interval of `observed`.
        high: upper end.
    """

    n: int
    predicted: float
    observed: float
    low: float
    high: float


def reliability(
    probability: Floats, is_positive: NDArray[np.bool_], *, bins: int = 10, level: float = 0.95
) -> tuple[Bin, ...]:
    """The bins that hold cases, lowest first.

    Args:
        probability: (n,).
        is_positive: (n,).
        bins: stretches of equal width.
        level: of the interval of each share.
    """
    place = np.minimum((probability * bins).astype(int), bins - 1)
    return tuple(
        _bin(probability[place == here], is_positive[place == here], level)
        for here in np.unique(place)
    )


def wilson(hits: int, n: int, *, level: float) -> tuple[float, float]:
    """Wilson's interval of a share of `hits` in `n` cases."""
    z = float(ndtri((1 + level) / 2))
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _bin(probability: Floats, is_positive: NDArray[np.bool_], level: float) -> Bin:
    n, hits = len(probability), int(is_positive.sum())
    low, high = wilson(hits, n, level=level)
    return Bin(n, float(probability.mean()), hits / n, low, high)
