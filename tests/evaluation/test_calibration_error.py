from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from mmmed.evaluation import calibration_error as module
from mmmed.evaluation.calibration_error import FEWEST, calibration_error


def test_the_error_by_hand() -> None:
    """Half the cases are given .15 and are never positive, half .85 and always are."""
    hit = np.arange(200) % 2 == 1
    found = calibration_error(np.where(hit, 0.85, 0.15), hit)
    assert found is not None
    assert found.value == pytest.approx(0.15)
    assert found.n == 200


def test_the_null_of_one_probability_is_the_binomials_mean_deviation() -> None:
    found = calibration_error(np.full(200, 0.3), np.arange(200) < 60)
    counts = np.arange(201)
    expected = (binom.pmf(counts, 200, 0.3) * np.abs(counts - 60)).sum() / 200
    assert found is not None
    assert found.value == pytest.approx(0)
    assert found.null == pytest.approx(expected)


def test_the_null_is_the_mean_error_of_calibrated_predictions() -> None:
    """4000 draws of labels from the probabilities, binned by hand."""
    random = np.random.default_rng(0)
    chance = random.beta(0.7, 0.7, 250)
    gap = (random.random((4000, 250)) < chance) - chance
    member = np.floor(chance * 10)[:, None] == np.arange(10)
    drawn = np.abs(gap @ member).sum(axis=1) / 250
    found = calibration_error(chance, chance > 0.5)
    assert found is not None
    assert abs(drawn.mean() - found.null) < 4 * drawn.std() / np.sqrt(4000)


def test_too_few_cases_have_no_error() -> None:
    chance = np.full(FEWEST - 1, 0.5)
    assert calibration_error(chance, chance > 0) is None


def test_the_limit_for_large_bins_agrees_with_the_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0).random(1500)
    exact = calibration_error(chance, chance > 0.5, bins=1)
    monkeypatch.setattr(module, "MOST_EXACT", 0)
    limit = calibration_error(chance, chance > 0.5, bins=1)
    assert exact is not None
    assert limit is not None
    assert limit.null == pytest.approx(exact.null, rel=1e-3)
