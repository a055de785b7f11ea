"""The AUROC as a mean over pairs of a positive and a negative case.

kernel  1 where the positive case has the higher value, 1/2 where they tie, 0 else

A case that counts w times makes w times as many pairs, so the AUROC of D resamples is
sum(w_i kernel_ij w_j) / (sum(w_i) sum(w_j)): one product of matrices for all of them. It is the
statistic of Mann and Whitney 1947; that it is the area: Bamber 1975, J. Math. Psychology 12.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOCK = 1 << 22
"""Pairs held at a time: 32 MiB."""


def pair_kernel(positive: Floats, negative: Floats) -> Floats:
    """(P, N) of the values of positive (P,) and negative (N,) cases."""
    above = positive[:, None] > negative
    return np.asarray(above + (positive[:, None] == negative) / 2)


def pair_auroc(
    positive: Floats, negative: Floats, *, positive_weights: Floats, negative_weights: Floats
) -> Floats:
    """(D,) the AUROC of every resample; NaN where one holds a single class.

    Args:
        positive: (P,) values of the positive cases.
        negative: (N,) values of the negative cases.
        positive_weights: (P, D) how often each counts.
        negative_weights: (N, D).
    """
    right = np.zeros(positive_weights.shape[1])
    rows = max(1, BLOCK // max(1, len(negative)))
    for start in range(0, len(positive), rows):
        part = slice(start, start + rows)
        beaten = pair_kernel(positive[part], negative) @ negative_weights
        right += np.einsum("pd,pd->d", positive_weights[part], beaten)
    pairs = positive_weights.sum(axis=0) * negative_weights.sum(axis=0)
    return np.asarray(right / np.where(pairs > 0, pairs, np.nan))
