from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from mmmed.evaluation.delong import delong

OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0
1.6 5.6 5 1   3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1
4.3 7.0 4 1   3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1
3.0 4.7 8 0   4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1
3.2 5.1 5 1   2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1
3.5 6.2 5 1   2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
3.6 6.6 5 1
"""
"""Albumin, total protein, K-G score, benefit: the data of DeLong et al. 1988, table of the complete
cases in the SAS/STAT User's Guide, "Comparing Receiver Operating Characteristic Curves"."""


def ovarian() -> tuple[np.ndarray, np.ndarray]:
    table = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4)
    return table[:, 3] == 1, np.stack([table[:, 0], table[:, 1], 10 - table[:, 2]])


def test_areas_and_errors_are_the_published_ones() -> None:
    found = delong(*ovarian())
    assert found.area == pytest.approx([0.7366, 0.6478, 0.7258], abs=5e-5)
    errors = np.sqrt(np.diag(found.covariance))
    assert errors == pytest.approx([0.0927, 0.1000, 0.1028], abs=5e-5)


def test_differences_are_the_published_ones() -> None:
    found = delong(*ovarian())
    albumin, protein = found.difference(0, 2), found.difference(1, 2)
    assert (albumin.value, albumin.error) == pytest.approx((0.0108, 0.0953), abs=5e-5)
    assert (protein.value, protein.error) == pytest.approx((-0.0780, 0.1046), abs=5e-5)
    assert (albumin.p, protein.p) == pytest.approx((0.9102, 0.4561), abs=5e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_covariance_is_that_of_the_u_statistic(seed: int) -> None:
    """Components summed pair by pair, with many ties."""
    random = np.random.default_rng(seed)
    label = random.permutation(np.arange(23) < 9)
    values = random.integers(0, 6, (3, 23)).astype(float) + label
    x, y = values[:, label], values[:, ~label]
    kernel = np.sign(x[:, :, None] - y[:, None, :]) / 2 + 0.5  # (3, P, N)
    expected = np.cov(kernel.mean(axis=2)) / x.shape[1] + np.cov(kernel.mean(axis=1)) / y.shape[1]
    found = delong(label, values)
    assert found.area == pytest.approx(kernel.mean(axis=(1, 2)))
    assert found.covariance == pytest.approx(expected)


def test_the_interval_is_symmetric_in_log_odds() -> None:
    found = delong(*ovarian())
    low, high = found.interval(0, level=0.95) or (0, 0)
    area = found.area[0]
    half = norm.ppf(0.975) * np.sqrt(found.covariance[0, 0]) / (area * (1 - area))
    middle = np.log(area / (1 - area))
    assert np.log([low / (1 - low), high / (1 - high)]) == pytest.approx(
        [middle - half, middle + half]
    )


def test_one_class_has_no_area() -> None:
    found = delong(np.ones(4, dtype=bool), np.zeros((2, 4)))
    assert np.isnan(found.area).all()
    assert found.interval(0, level=0.95) is None


def test_equal_scores_do_not_differ_and_a_perfect_one_has_no_interval() -> None:
    label = np.arange(8) % 2 == 1
    found = delong(label, np.stack([label, label]).astype(float))
    assert (found.difference(0, 1).value, found.difference(0, 1).p) == (0, 1)
    assert found.interval(0, level=0.95) is None


def test_a_single_positive_case_has_an_area_and_no_error() -> None:
    found = delong(np.arange(5) == 4, np.arange(5.0)[None])
    assert found.area[0] == 1
    assert np.isnan(found.covariance[0, 0])
