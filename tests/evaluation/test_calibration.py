from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression

from mmmed.errors import DataError
from mmmed.evaluation.calibration import TEMPERATURES, Calibration, fit_calibration


def draw(
    n: int, *, temperature: float, bias: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Logits of two classes whose truth is softmax(logits / temperature + (0, bias))."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=3, size=(n, 2))
    chance = expit((logits[:, 1] - logits[:, 0]) / temperature + bias)
    return logits, (generator.random(n) < chance).astype(np.int64)


def test_two_classes_are_a_logistic_regression_on_the_difference_of_logits() -> None:
    logits, label = draw(400, temperature=2.5, bias=-0.7)
    found = fit_calibration(logits, label, [f"p{i % 10}" for i in range(400)])
    assert found.own == {}
    other = LogisticRegression(C=np.inf, tol=1e-10).fit((logits @ [-1, 1])[:, None], label)
    assert found.temperature == pytest.approx(1 / other.coef_[0, 0], rel=1e-4)
    assert found.bias == pytest.approx((0, other.intercept_[0]), abs=1e-4)


def test_the_temperature_of_many_views_is_recovered() -> None:
    logits, label = draw(20000, temperature=2.5, bias=-0.7)
    found = fit_calibration(logits, label, ["mri"] * len(label))
    assert found.temperature == pytest.approx(2.5, rel=0.05)
    assert found.bias[1] == pytest.approx(-0.7, abs=0.05)


def test_more_classes_are_recovered() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(scale=3, size=(20000, 3))
    chances = softmax(logits / 2 + np.array([0, 0.5, -0.5]), axis=1)
    label = (generator.random((20000, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    found = fit_calibration(logits, label, ["a"] * 20000)
    assert found.temperature == pytest.approx(2, rel=0.05)
    assert found.bias == pytest.approx((0, 0.5, -0.5), abs=0.1)


def test_a_pattern_with_many_views_gets_its_own_bias() -> None:
    first, second = draw(4000, temperature=1, bias=1), draw(4000, temperature=1, bias=-1, seed=1)
    logits, label = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    found = fit_calibration(logits, label, ["mri"] * 4000 + ["pet"] * 4000)
    assert found.own["mri"][1] == pytest.approx(1, abs=0.15)
    assert found.own["pet"][1] == pytest.approx(-1, abs=0.15)
    assert found.bias[1] == pytest.approx(0, abs=0.15)


@pytest.mark.parametrize(
    ("views", "positives", "own"), [(50, 10, True), (49, 24, False), (60, 9, False), (50, 40, True)]
)
def test_a_bias_of_its_own_needs_fifty_views_and_ten_of_each_class(
    views: int, positives: int, own: bool
) -> None:
    logits, _ = draw(views + 40, temperature=1, bias=0)
    label = np.concatenate([np.arange(views) < positives, np.arange(40) % 2]).astype(np.int64)
    found = fit_calibration(logits, label, ["mri"] * views + ["pet"] * 40)
    assert ("mri" in found.own) is own
    assert "pet" not in found.own
    assert found.views == {"mri": views, "pet": 40}


def test_an_unknown_pattern_takes_the_common_bias() -> None:
    own = {"mri": (0.0, 2.0)}
    calibration = Calibration(2.0, (0.0, 1.0), own, {"mri": 60})
    found = calibration.probabilities(np.array([[0.0, 2.0]] * 2), ["mri", "pet"])
    assert found[:, 1] == pytest.approx([expit(3), expit(2)])


def test_one_class_falls_back_to_the_identity_and_says_why() -> None:
    logits, _ = draw(60, temperature=1, bias=0)
    found = fit_calibration(logits, np.zeros(60, dtype=np.int64), ["mri"] * 60)
    assert (found.temperature, found.bias, found.own) == (1, (0, 0), {})
    assert found.reason == "not calibrated: 60 calibration views, none of class number 1"
    assert found.probabilities(logits, ["mri"] * 60) == pytest.approx(softmax(logits, axis=1))


def test_no_views_fall_back_to_the_identity() -> None:
    found = fit_calibration(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), [])
    assert found.reason is not None
    assert found.probabilities(np.zeros((0, 2)), []).shape == (0, 2)


def test_a_logit_that_is_not_finite_falls_back_to_the_identity() -> None:
    logits, label = draw(60, temperature=1, bias=0)
    logits[3, 1] = np.nan
    assert fit_calibration(logits, label, ["mri"] * 60).reason is not None


def test_separated_classes_do_not_become_certain() -> None:
    label = np.arange(100) % 2
    logits = np.stack([-(label - 0.5), label - 0.5], axis=1)
    assert fit_calibration(logits, label, ["mri"] * 100).temperature == pytest.approx(
        TEMPERATURES[0]
    )


def test_scores_worse_than_chance_become_flat() -> None:
    logits, label = draw(400, temperature=1, bias=0)
    found = fit_calibration(logits, 1 - label, ["mri"] * 400)
    assert found.temperature == pytest.approx(TEMPERATURES[1])


def test_json_gives_the_same_bits_back() -> None:
    logits, label = draw(300, temperature=1.7, bias=0.3)
    found = fit_calibration(logits, label, ["mri"] * 150 + ["mri+pet"] * 150)
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_broken_json_is_named() -> None:
    with pytest.raises(DataError, match="calibration: cannot be read"):
        Calibration.from_json({"temperature": 1})
