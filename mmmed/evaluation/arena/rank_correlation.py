"""Spearman's rank correlation in every resample of cases.

A case that counts w times stands w times in the sample, so its rank is the mean of the w places it
takes, ties included. Spearman 1904, "The proof and measurement of association between two things",
American Journal of Psychology 15.
"""

from __future__ import annotations

import numpy as np

from mmmed.evaluation.scores import Floats


def rank_correlation(first: Floats, second: Floats, weights: Floats) -> Floats:
    """(D,) the correlation of the ranks; NaN where one side does not vary.

    Args:
        first: (n,).
        second: (n,).
        weights: (n, D) how often each case counts.
    """
    total = weights.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = (
            ranks - (weights * ranks).sum(axis=0) / total
            for ranks in (_ranks(first, weights), _ranks(second, weights))
        )
        spread = np.sqrt((weights * x * x).sum(axis=0) * (weights * y * y).sum(axis=0))
        return np.asarray((weights * x * y).sum(axis=0) / np.where(spread > 0, spread, np.nan))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """(n, D) the mean place of each case among those that count."""
    _, group = np.unique(values, return_inverse=True)
    counts = np.zeros((int(group.max()) + 1, weights.shape[1]))
    np.add.at(counts, group, weights)
    below = np.cumsum(counts, axis=0) - counts
    return np.asarray((below + (counts + 1) / 2)[group])
