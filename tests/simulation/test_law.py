"""The laws of the burdens."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score

from mmmed.modality import Pattern
from mmmed.simulation import law as laws

N = 40_000
LABEL = np.arange(N) % 2
NOBODY = np.zeros(N, dtype=bool)


def _burdens(law: laws.Law, subgroup: np.ndarray = NOBODY) -> np.ndarray:
    random = np.random.default_rng(0)
    return laws.draw_burdens(law, LABEL, subgroup, random, matched=False)


def test_separation_is_that_of_the_notes() -> None:
    # d = 1.466 and 1.987 for AUROC .85 and .92
    assert laws.separation(0.85) == pytest.approx(1.466, abs=5e-4)
    assert laws.separation(0.92) == pytest.approx(1.987, abs=5e-4)


@pytest.mark.parametrize(
    ("law", "mri", "pet"),
    [
        (laws.Gaussian(), 0.85, 0.92),
        (laws.Gaussian(auroc_mri=0.7, auroc_pet=0.6, correlation=-0.5), 0.7, 0.6),
        (laws.Synergy(), 0.70, 0.75),
        (laws.Redundant(), 0.92, None),
    ],
)
def test_each_burden_alone_has_the_stated_auroc(
    law: laws.Law, mri: float, pet: float | None
) -> None:
    burdens = _burdens(law)
    assert roc_auc_score(LABEL, burdens[:, 0]) == pytest.approx(mri, abs=0.01)
    if pet is not None:
        assert roc_auc_score(LABEL, burdens[:, 1]) == pytest.approx(pet, abs=0.01)


def test_in_the_redundant_law_pet_is_independent_of_the_label_given_mri() -> None:
    burdens = _burdens(laws.Redundant())
    known = np.stack([np.ones(N), burdens[:, 0]], axis=1)
    left = burdens[:, 1] - known @ np.linalg.lstsq(known, burdens[:, 1], rcond=None)[0]
    assert abs(np.corrcoef(left, LABEL)[0, 1]) < 0.015


def test_in_the_synergy_law_the_product_tells_what_neither_burden_does() -> None:
    law = laws.Synergy()
    burdens = _burdens(law)
    centred = burdens - np.where(
        LABEL[:, None] == 1, law.component(1, False).mean, law.component(0, False).mean
    )
    product = centred.prod(axis=1)
    assert product[LABEL == 1].mean() == pytest.approx(law.interaction, abs=0.03)
    assert product[LABEL == 0].mean() == pytest.approx(-law.interaction, abs=0.03)


def test_in_the_subgroup_law_the_effect_is_weaker_in_the_subgroup() -> None:
    law = laws.Subgroup(strength=0.5)
    inside = np.arange(N) % 4 < 2
    z = _burdens(law, inside)[:, 0]
    shift = [
        z[(LABEL == 1) & who].mean() - z[(LABEL == 0) & who].mean() for who in (inside, ~inside)
    ]
    assert shift[0] == pytest.approx(0.5 * laws.separation(0.85), abs=0.05)
    assert shift[1] == pytest.approx(laws.separation(0.85), abs=0.05)


def test_members_are_those_of_the_named_sex_or_site() -> None:
    people = pd.DataFrame({"sex": ["F", "M", "F"], "site": ["A", "B", "B"]})
    assert laws.members(laws.Subgroup(), people).tolist() == [True, False, True]
    by_site = laws.Subgroup(column="site", value="B")
    assert laws.members(by_site, people).tolist() == [False, True, True]
    assert laws.members(laws.Gaussian(), people).tolist() == [False] * 3


@pytest.mark.parametrize("names", ["mri", "pet", "mri+pet"])
def test_log_density_is_scipys(names: str) -> None:
    component = laws.Gaussian(correlation=-0.4).component(1, False).only(Pattern.parse(names))
    points = np.random.default_rng(1).standard_normal((5, len(component.mean)))
    expected = multivariate_normal(component.mean, component.covariance).logpdf(points)
    np.testing.assert_allclose(component.log_density(points), expected)


@given(st.integers(5, 60), st.integers(0, 1000))
def test_whitened_draws_have_mean_0_and_covariance_1_exactly(count: int, seed: int) -> None:
    draws = laws.whiten(np.random.default_rng(seed).standard_normal((count, 2)))
    np.testing.assert_allclose(draws.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(draws, rowvar=False, ddof=0), np.eye(2), atol=1e-9)


def test_too_few_draws_are_left_as_they_are() -> None:
    draws = np.random.default_rng(0).standard_normal((3, 2))
    np.testing.assert_array_equal(laws.whiten(draws), draws)


def test_matching_does_not_change_how_much_randomness_is_used() -> None:
    after = []
    for matched in (True, False):
        random = np.random.default_rng(5)
        laws.draw_burdens(laws.Gaussian(), LABEL[:50], NOBODY[:50], random, matched=matched)
        after.append(random.random())
    assert after[0] == after[1]


@pytest.mark.parametrize(
    "settings",
    [{"auroc_mri": 0.5}, {"auroc_mri": 1.0}, {"correlation": 1.0}, {"correlation": -1.0}],
)
def test_an_impossible_gaussian_law_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        laws.Gaussian.model_validate(settings)


def test_a_subgroup_of_a_third_sex_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no sex; write F or M"):
        laws.Subgroup(value="female")
