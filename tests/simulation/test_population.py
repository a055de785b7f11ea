"""Age, sex and site of simulated subjects."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import ttest_ind

from mmmed.simulation.population import Population, draw_covariates

LABEL = np.arange(20_000) % 2


def _draw(population: Population):
    return draw_covariates(population, LABEL, np.random.default_rng(0))


def test_by_default_age_sex_and_site_are_independent_of_the_label() -> None:
    people = _draw(Population())
    assert not Population().is_tied
    assert ttest_ind(people["age"][LABEL == 0], people["age"][LABEL == 1]).pvalue > 0.001
    for column, value in (("sex", "F"), ("site", "A"), ("site", "C")):
        share = [(people[column][k == LABEL] == value).mean() for k in (0, 1)]
        assert share[0] == pytest.approx(share[1], abs=0.02)


def test_shares_and_ages_are_those_asked_for() -> None:
    people = _draw(Population(women=0.3, age_mean=60, age_sd=5, sites=("X", "Y")))
    assert (people["sex"] == "F").mean() == pytest.approx(0.3, abs=0.015)
    assert people["age"].mean() == pytest.approx(60, abs=0.15)
    assert people["age"].std() == pytest.approx(5, abs=0.1)
    assert (people["site"] == "X").mean() == pytest.approx(0.5, abs=0.015)


def test_ties_are_log_odds_and_years() -> None:
    people = _draw(Population(age_gap=4, sex_log_odds=1.0, site_log_odds=2.0, sites=("A", "B")))
    assert Population(age_gap=4).is_tied
    gap = people["age"][LABEL == 1].mean() - people["age"][LABEL == 0].mean()
    assert gap == pytest.approx(4, abs=0.3)
    for column, value, change in (("sex", "F", 1.0), ("site", "B", 2.0)):
        share = [(people[column][k == LABEL] == value).mean() for k in (0, 1)]
        odds = [p / (1 - p) for p in share]
        assert np.log(odds[1] / odds[0]) == pytest.approx(change, abs=0.1)


def test_a_larger_draw_begins_with_the_smaller_one() -> None:
    few = draw_covariates(Population(), LABEL[:10], np.random.default_rng(3))
    many = draw_covariates(Population(), LABEL[:50], np.random.default_rng(3))
    assert many.head(10).equals(few)


@pytest.mark.parametrize("sites", [(), ("A", "A"), ("A/B",)])
def test_impossible_sites_are_refused(sites: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Population(sites=sites)
