"""The law of what predictions become, against closed forms and drawn cohorts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm, t

from mmmed.errors import DataError
from mmmed.evaluation.foreseen import (
    Floats,
    Integers,
    Law,
    chances,
    entropy,
    fit_law,
    log_odds,
    why_not,
)
from mmmed.evaluation.outlook import Thens


def cohort(n: int, *, tells: float, classes: int = 2, seed: int) -> tuple[Floats, Floats, Integers]:
    """Two Gaussian measurements per class direction, read by Bayes' rule; the second is absent now.

    `tells` is the distance of the classes in the second; 0 tells nothing, but is read all the same.
    """
    random = np.random.default_rng(seed)
    label = np.arange(n) % classes
    direction = np.eye(classes)[label] - 1 / classes
    first = 1.5 * direction + random.normal(size=(n, classes))
    second = tells * direction + random.normal(size=(n, classes))
    believed = tells or 1.0
    now = 1.5 * first
    return softmax(now), softmax(now + believed * second), label


def softmax(x: Floats) -> Floats:
    grown = np.exp(x - x.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


def noise(law: Law, seed: int = 0) -> Floats:
    return law.noise(np.random.default_rng(seed))


def test_a_class_that_is_sure_has_the_t_of_a_linear_regression() -> None:
    now, then, label = cohort(40, tells=2.0, seed=1)
    law = fit_law(now, then, label)
    x = np.stack([np.ones(40), log_odds(now)[:, 0], label], axis=1)
    y = log_odds(then)[:, 0]
    best, (left,), *_ = np.linalg.lstsq(x, y, rcond=None)
    at = np.array([1.0, 12.0, 1.0])  # log-odds are cut at 12
    spread = np.sqrt(left / 37 * (1 + at @ np.linalg.solve(x.T @ x, at)))
    expected = t.logpdf(log_odds(np.array([0.3, 0.7]))[0], 37, at @ best, spread)
    assert law.log_density(np.array([0.0, 1.0]), np.array([0.3, 0.7])) == pytest.approx(
        expected, abs=1e-4
    )


def test_expected_bits_are_those_of_gaussian_evidence() -> None:
    """Evidence of a reading at distance d is N(+-d^2/2, d^2), whatever was known before."""
    distance = np.sqrt(2.0)  # of direction vectors (1/2, -1/2) and its negative
    law = fit_law(*cohort(6000, tells=1.0, seed=2))

    def left(chance: float) -> float:
        prior = np.log(chance / (1 - chance))

        def of(label: int) -> float:
            sign = 2 * label - 1
            return quad(
                lambda e: norm.pdf(e, sign * distance**2 / 2, distance)
                * entropy(np.array([expit(-prior - e), expit(prior + e)])),
                -30, 30, limit=200,
            )[0]  # fmt: skip

        return chance * of(1) + (1 - chance) * of(0)

    for chance in (0.5, 0.8):
        before = np.array([1 - chance, chance])
        expected = entropy(before) - left(chance)
        assert law.bits(before, noise(law)) == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("seed", range(4))
def test_what_moves_predictions_and_tells_nothing_has_next_to_no_bits(seed: int) -> None:
    now, then, label = cohort(100, tells=0.0, seed=seed)
    law = fit_law(now, then, label)
    thens = Thens.of_law(law, np.array([0.5, 0.5]), noise(law))
    low, high = thens.interval(1)
    assert high - low > 0.3
    assert law.bits(np.array([0.5, 0.5]), noise(law)) < 0.03


def test_a_class_shift_that_luck_explains_has_no_bits_at_all() -> None:
    now, then, label = cohort(100, tells=0.0, seed=5)
    law = fit_law(now, then, label)
    assert law.telling == 0.0
    assert law.bits(np.array([0.4, 0.6]), noise(law)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_intervals_hold_unseen_cases_as_often_as_they_say(classes: int) -> None:
    held = []
    for seed in range(8):
        law = fit_law(*cohort(100, tells=1.5, classes=classes, seed=seed))
        now, then, _ = cohort(120, tells=1.5, classes=classes, seed=100 + seed)
        for row in range(len(now)):
            low, high = Thens.of_law(law, now[row], noise(law, row)).interval(1)
            held.append(low <= then[row, 1] <= high)
    assert np.mean(held) == pytest.approx(0.9, abs=0.03)


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda one: sum(one) > 0.01),
    st.integers(0, 3),
)
def test_bits_are_never_below_0_nor_above_what_is_unknown(now: list[float], seed: int) -> None:
    law = LAWS[seed]
    before = np.array(now) / sum(now)
    bits = law.bits(before, noise(law, seed))
    assert 0 <= bits <= entropy(before) + 1e-9


LAWS = [fit_law(*cohort(60, tells=1.0, classes=3, seed=seed)) for seed in range(4)]


def test_a_law_comes_back_from_its_plain_values_bit_for_bit() -> None:
    law = LAWS[0]
    back = Law.from_json(json.loads(json.dumps(law.to_json())))
    now = np.array([0.2, 0.3, 0.5])
    assert back.bits(now, noise(back)) == law.bits(now, noise(law))
    assert back.n == 60
    with pytest.raises(DataError, match="save the package again"):
        Law.from_json({"n": 3})


def test_a_model_that_ignores_the_modality_has_a_law_without_width() -> None:
    now, _, label = cohort(60, tells=1.0, seed=0)
    law = fit_law(now, now, label)
    low, high = Thens.of_law(law, now[7], noise(law)).interval(1)
    assert low == pytest.approx(now[7, 1], abs=0.01)
    assert high == pytest.approx(now[7, 1], abs=0.01)
    assert law.bits(now[7], noise(law)) < 0.01


def test_few_pairs_make_no_law_and_say_how_few() -> None:
    assert why_not(np.arange(12) % 2, 2) == "too few calibration pairs (n = 12)"
    assert why_not(np.arange(13) % 2, 2) is None
    lone = np.array([1] * 2 + [0] * 40)
    assert why_not(lone, 2) == "too few calibration pairs of a class (n = 2 of 42)"


def test_log_odds_and_chances_are_each_others_inverse_and_finite_at_the_ends() -> None:
    sure = np.array([[0.0, 0.0, 1.0], [0.2, 0.3, 0.5]])
    assert np.isfinite(log_odds(sure)).all()
    np.testing.assert_allclose(chances(log_odds(sure[1])), sure[1])
