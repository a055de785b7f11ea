"""What is best on simulated tissue, against counting and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from mmmed.modality import Pattern, every_pattern
from mmmed.simulation.tissue.law import MAGNIFICATIONS, TissueLaw, best, draw_burdens, log_odds

LAW = TissueLaw()
WHOLE = Pattern.of(MAGNIFICATIONS)


def drawn(count: int = 200_000) -> tuple[np.ndarray, np.ndarray]:
    label = np.arange(count) % 2
    return label, draw_burdens(LAW, label, np.random.default_rng(0), matched=False)


@pytest.mark.parametrize("name", MAGNIFICATIONS)
def test_one_magnification_alone_has_the_auroc_that_the_law_states(name: str) -> None:
    assert best(LAW, {Pattern.of([name]): 1.0}, prior=0.0)["auroc"] == pytest.approx(
        getattr(LAW, name)
    )


@pytest.mark.parametrize("pattern", every_pattern(MAGNIFICATIONS), ids=str)
def test_the_best_auroc_is_that_of_many_draws(pattern: Pattern) -> None:
    label, burdens = drawn()
    score = log_odds(LAW, burdens, pattern, prior=0.0)
    assert best(LAW, {pattern: 1.0}, prior=0.0)["auroc"] == pytest.approx(
        roc_auc_score(label, score), abs=0.004
    )


def test_the_best_accuracy_counts_the_prior() -> None:
    """Four of five slides malignant, drawn; the sign of the log-odds decides."""
    label = (np.arange(200_000) % 5 > 0).astype(int)
    burdens = draw_burdens(LAW, label, np.random.default_rng(1), matched=False)
    prior = float(np.log(4))
    decided = log_odds(LAW, burdens, WHOLE, prior=prior) > 0
    found = best(LAW, {WHOLE: 1.0}, prior=prior)["accuracy"]
    assert found == pytest.approx((decided == label).mean(), abs=0.003)
    assert found > norm.cdf(LAW.distance(WHOLE) / 2)


def test_a_mixture_of_patterns_is_scored_as_one_table() -> None:
    one, two = Pattern.of(["x40"]), WHOLE
    label, burdens = drawn()
    seen = np.random.default_rng(2).random(len(label)) < 0.3
    score = np.where(
        seen, log_odds(LAW, burdens, one, prior=0.0), log_odds(LAW, burdens, two, prior=0.0)
    )
    found = best(LAW, {one: 0.3, two: 0.7}, prior=0.0)
    assert found["auroc"] == pytest.approx(roc_auc_score(label, score), abs=0.004)


def test_matched_burdens_have_the_moments_of_the_law_in_each_class() -> None:
    label = (np.arange(60) % 3 == 0).astype(int)
    burdens = draw_burdens(LAW, label, np.random.default_rng(3), matched=True)
    for value in (0, 1):
        own = burdens[label == value]
        assert own.mean(axis=0) == pytest.approx(value * LAW.shifts)
        assert np.cov(own.T, bias=True) == pytest.approx(np.eye(4))
