from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from mmmed.evaluation import recalibration
from mmmed.evaluation.scores import Scored, score
from mmmed.evaluation.study import resampled
from mmmed.evaluation.study.resampled import MEASURES, resampled_scores

EXACT = [name for name in MEASURES if not name.startswith("calibration")]


def predicted(n: int, classes: int, *, seed: int) -> tuple[Scored, np.ndarray]:
    """Predictions with many ties, and resamples of which some lack a class."""
    random = np.random.default_rng(seed)
    label = random.integers(0, classes, n)
    chances = np.round(random.dirichlet(np.ones(classes), n) + np.eye(classes)[label], 1)
    chances /= chances.sum(axis=1, keepdims=True)
    drawn = random.multinomial(n, np.full(n, 1 / n), size=60).T.astype(float)
    return Scored(label, chances, chances.argmax(axis=1), 1 if classes == 2 else None), drawn


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("n", [6, 40])
def test_every_resample_scores_as_its_copies_would(n: int, classes: int) -> None:
    cases, weights = predicted(n, classes, seed=n + classes)
    found = dict(zip(MEASURES, resampled_scores(cases, weights), strict=True))
    expected = score(cases, weights)
    for name in EXACT:
        assert found[name] == pytest.approx(expected[name], nan_ok=True), name


def overconfident(n: int) -> tuple[Scored, np.ndarray]:
    """Predictions whose log-odds are too large, and resamples."""
    random = np.random.default_rng(1)
    label = random.integers(0, 2, n)
    p = expit(2 * (1.5 * label - 0.75 + random.normal(size=n)))
    cases = Scored(label, np.stack([1 - p, p], axis=1), (p > 0.5).astype(np.int64), 1)
    return cases, random.multinomial(n, np.full(n, 1 / n), size=400).T.astype(float)


def test_the_calibration_line_is_the_maximum_of_likelihood() -> None:
    cases, _ = overconfident(150)
    found = dict(zip(MEASURES, resampled_scores(cases, np.ones((150, 1))), strict=True))
    x, y = logit(cases.probabilities[:, 1]), cases.label

    def surprise(line: np.ndarray) -> float:
        odds = line[0] + line[1] * x
        return float((np.logaddexp(0, odds) - y * odds).sum())

    best = minimize(surprise, [0.0, 1.0], tol=1e-10).x
    assert found["calibration_intercept"][0] == pytest.approx(best[0], abs=1e-4)
    assert found["calibration_slope"][0] == pytest.approx(best[1], abs=1e-4)
    assert best[1] < 0.9


def test_one_newton_step_spreads_as_new_fits_do() -> None:
    cases, weights = overconfident(400)
    p, label = cases.probabilities[:, 1], cases.label
    found = dict(zip(MEASURES, resampled_scores(cases, weights), strict=True))
    fits = recalibration.fit(p, label == 1, weights)
    for name, exact in (("slope", fits.slope), ("intercept", fits.intercept)):
        stepped = found[f"calibration_{name}"]
        assert stepped.std() == pytest.approx(exact.std(), rel=0.05)
        assert np.corrcoef(stepped, exact)[0, 1] > 0.99


def test_separated_classes_have_no_calibration_line() -> None:
    label = np.arange(10) % 2
    p = 0.2 + 0.6 * label + 0.01 * np.arange(10)
    cases = Scored(label, np.stack([1 - p, p], axis=1), label, 1)
    found = dict(zip(MEASURES, resampled_scores(cases, np.ones((10, 3))), strict=True))
    assert np.isnan(found["calibration_slope"]).all()
    assert (found["auroc"] == 1).all()


def test_many_pairs_are_sorted_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    cases, weights = predicted(40, 3, seed=2)
    by_pairs = resampled_scores(cases, weights)
    monkeypatch.setattr(resampled, "MOST_PAIRS", 0)
    assert resampled_scores(cases, weights) == pytest.approx(by_pairs, nan_ok=True)
