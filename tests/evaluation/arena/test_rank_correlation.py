"""Weighted rank correlation: a case that counts w times stands w times in the sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from mmmed.evaluation.arena.rank_correlation import rank_correlation


def test_weights_are_repetitions_ties_included() -> None:
    random = np.random.default_rng(0)
    x = random.integers(0, 6, size=20).astype(float)
    y = x + random.integers(0, 9, size=20)
    weights = random.integers(0, 4, size=(20, 5)).astype(float)
    found = rank_correlation(x, y, weights)
    for column, rho in zip(weights.T.astype(int), found, strict=True):
        assert rho == pytest.approx(spearmanr(x.repeat(column), y.repeat(column)).statistic)


def test_what_does_not_vary_correlates_with_nothing() -> None:
    x = np.array([1.0, 2.0, 3.0])
    weights = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    assert np.isnan(rank_correlation(np.ones(3), x, weights)).all()
    assert np.isnan(rank_correlation(x, x, weights)[1])  # one case is left
