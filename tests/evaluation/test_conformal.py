from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import beta, binom

from mmmed.errors import DataError
from mmmed.evaluation.conformal import Conformal, fewest_cases, fit_conformal

CLASSES = ("CN", "AD")


def draw(n: int, *, seed: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    label = generator.integers(0, classes, n)
    logits = generator.normal(size=(n, classes)) + 1.2 * np.eye(classes)[label]
    return softmax(1.5 * logits, axis=1), label


@pytest.mark.parametrize(("level", "fewest"), [(0.9, 9), (0.95, 19), (0.8, 4), (0.5, 1), (0.7, 3)])
def test_fewest_cases_is_the_ceiling_of_one_over_alpha_less_one(level: float, fewest: int) -> None:
    assert fewest_cases(level) == fewest


def test_a_cell_with_too_few_cases_cannot_tell() -> None:
    chances, label = draw(17, seed=0)
    found = fit_conformal(chances, label, ["mri"] * 8 + ["pet"] * 9, level=0.9, classes=CLASSES)
    assert found.predict_set([0.5, 0.5], "mri") == (
        "cannot tell: too few calibration cases (n = 8)"
    )
    assert not found.predict_set([0.5, 0.5], "pet").startswith("cannot tell")
    assert found.predict_set([0.5, 0.5], "ct") == "cannot tell: too few calibration cases (n = 0)"


def test_the_threshold_is_the_right_order_statistic() -> None:
    # nine scores .1 ... .9 at level .9: l = floor(10 x .1) = 1, so the ninth smallest
    p = 1 - np.arange(1, 10) / 10
    chances = np.stack([p, 1 - p], axis=1)
    found = fit_conformal(chances, np.zeros(9, dtype=int), ["a"] * 9, level=0.9, classes=CLASSES)
    assert found.cells["a"].largest == pytest.approx(0.9)


@pytest.mark.parametrize("classes", [2, 4])
def test_sets_hold_the_truth_as_often_as_promised(classes: int) -> None:
    """Mean coverage over 400 calibration parts of 49 cases, level .9.

    l = 5, so coverage of one part is Beta(45, 5) with mean .9 and sd .042; the mean of 400 has a
    standard error of .0021 and sets are never empty, which can only raise it. With four classes
    and this skill hardly any set would be empty, so there the mean must not be far above either.
    """
    names = tuple("abcd"[:classes])
    chances, label = draw(4000, seed=1, classes=classes)
    shares = []
    for seed in range(400):
        mine, truth = draw(49, seed=1000 + seed, classes=classes)
        found = fit_conformal(mine, truth, ["a"] * 49, level=0.9, classes=names)
        kept = 1 - chances <= (found.cells["a"].largest or 0)
        shares.append(kept[np.arange(4000), label].mean())
    low, high = found.cells["a"].coverage or (0, 0)
    assert (low, high) == pytest.approx(beta.ppf([0.05, 0.95], 45, 5))
    assert np.mean(shares) == pytest.approx(0.9, abs=0.015)
    inside = sum(low <= share <= high for share in shares)
    # 360 of 400 are due; 4000 test cases add noise of .005, so the binomial band is eased
    assert binom.ppf(0.0005, 400, 0.87) <= inside <= binom.ppf(0.9995, 400, 0.92)


def test_a_set_is_never_empty() -> None:
    chances = np.tile([0.99, 0.01], (20, 1))
    found = fit_conformal(chances, np.zeros(20, dtype=int), ["a"] * 20, level=0.9, classes=CLASSES)
    assert found.predict_set([0.45, 0.55], "a") == "AD"


def test_an_open_case_keeps_both_classes_in_order() -> None:
    chances, label = draw(200, seed=0)
    found = fit_conformal(chances, label, ["a"] * 200, level=0.95, classes=CLASSES)
    assert found.predict_set([0.5, 0.5], "a") == "CN|AD"
    assert found.predict_set([0.999, 0.001], "a") == "CN"


def test_the_promise_is_stated_with_n_level_range_and_assumption() -> None:
    chances, label = draw(100, seed=0)
    found = fit_conformal(chances, label, ["mri"] * 100, level=0.9, classes=CLASSES)
    said = found.describe("mri")
    low, high = beta.ppf([0.05, 0.95], 91, 10)
    for part in ("90%", "n = 100", f"{low:.1%} to {high:.1%}", "exchangeable"):
        assert part in said


def test_json_gives_the_same_bits_back() -> None:
    chances, label = draw(30, seed=0)
    found = fit_conformal(chances, label, ["a"] * 25 + ["b"] * 5, level=0.9, classes=CLASSES)
    assert Conformal.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_broken_json_is_named() -> None:
    with pytest.raises(DataError, match="conformal: cannot be read"):
        Conformal.from_json({"level": 0.9})
