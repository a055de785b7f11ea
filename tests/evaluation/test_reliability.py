from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from mmmed.evaluation.reliability import reliability, wilson


def test_bins_hold_their_cases_and_empty_ones_are_left_out() -> None:
    bins = reliability(np.array([0.02, 0.08, 0.55, 1.0]), np.array([False, True, True, True]))
    assert [one.n for one in bins] == [2, 1, 1]
    assert bins[0].predicted == pytest.approx(0.05)
    assert [one.observed for one in bins] == [0.5, 1, 1]


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (3, 7), (7, 7), (40, 100)])
def test_the_interval_is_scipys_wilson(hits: int, n: int) -> None:
    other = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits, n, level=0.95) == pytest.approx((other.low, other.high))


def test_no_cases_have_no_bins() -> None:
    assert reliability(np.zeros(0), np.zeros(0, dtype=bool)) == ()
