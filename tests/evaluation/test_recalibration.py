from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from mmmed.evaluation import recalibration


def draw(*, slope: float, noise: float, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    x = generator.normal(scale=1.5, size=n)
    label = generator.random(n) < expit(0.4 + slope * x)
    return expit(x + noise * generator.normal(size=n)), label


@pytest.mark.parametrize(("slope", "noise"), [(1, 0), (0.3, 3), (2, 0.1)])
def test_the_fit_is_scikit_learns(slope: float, noise: float) -> None:
    probability, label = draw(slope=slope, noise=noise)
    fit = recalibration.fit(probability, label, np.ones((len(label), 1)))
    other = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(probability)[:, None], label)
    assert fit.slope[0] == pytest.approx(other.coef_[0, 0], rel=1e-5)
    assert fit.intercept[0] == pytest.approx(other.intercept_[0], abs=1e-5)


def test_doubled_logits_halve_the_slope() -> None:
    probability, label = draw(slope=1, noise=0)
    weights = np.ones((len(label), 1))
    once = recalibration.fit(probability, label, weights)
    twice = recalibration.fit(expit(2 * logit(probability)), label, weights)
    assert twice.slope[0] == pytest.approx(once.slope[0] / 2)


def test_separated_classes_have_no_slope() -> None:
    fit = recalibration.fit(
        np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]), np.ones((4, 1))
    )
    assert np.isnan(fit.slope[0])


def test_equal_predictions_have_no_slope() -> None:
    fit = recalibration.fit(np.full(4, 0.7), np.array([False, True] * 2), np.ones((4, 1)))
    assert np.isnan(fit.slope[0])


def test_certain_predictions_are_cut_and_not_infinite() -> None:
    fit = recalibration.fit(
        np.array([0.0, 0.0, 1.0, 1.0, 0.5]), np.array([0, 1, 0, 1, 1], dtype=bool), np.ones((5, 1))
    )
    assert np.isfinite(fit.slope[0])


def test_columns_are_fits_of_their_own() -> None:
    probability, label = draw(slope=1, noise=1)
    weights = np.random.default_rng(1).integers(0, 3, size=(len(label), 4)).astype(float)
    together = recalibration.fit(probability, label, weights)
    alone = [recalibration.fit(probability, label, weights[:, [k]]).slope[0] for k in range(4)]
    assert together.slope == pytest.approx(alone)
