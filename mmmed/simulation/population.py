"""Who the simulated subjects are: age, sex, site, and how these are tied to the label.

By default age, sex and site are independent of the label; the ties are options. A tie is a
log-likelihood ratio, so that its weight as evidence of AD is known.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field, model_validator
from scipy.stats import norm

from mmmed.config import Spec

Share = Annotated[float, Field(gt=0, lt=1)]


class Population(Spec):
    """The distribution of the covariates.

    Attributes:
        sites: names of the sites, equally frequent among CN.
        women: share of women among CN.
        age_mean: of CN, in years.
        age_sd: within a class, in years.
        age_gap: how much older AD is on average, in years.
        sex_log_odds: change of the log-odds of being a woman from CN to AD.
        site_log_odds: change of the log-odds of AD from the first site to the last; sites between
            are spaced evenly.
    """

    sites: Annotated[tuple[str, ...], Field(min_length=1)] = ("A", "B", "C")
    women: Share = 0.5
    age_mean: float = 73.0
    age_sd: Annotated[float, Field(gt=0)] = 7.0
    age_gap: float = 0.0
    sex_log_odds: float = 0.0
    site_log_odds: float = 0.0

    @model_validator(mode="after")
    def _sites_differ(self) -> Population:
        if len(set(self.sites)) != len(self.sites) or not all(
            name.isalnum() for name in self.sites
        ):
            raise ValueError("sites: names are letters and digits, each once")
        return self

    @property
    def is_tied(self) -> bool:
        """Whether a covariate tells of the label."""
        return any((self.age_gap, self.sex_log_odds, self.site_log_odds))

    def mean_age(self, label: np.ndarray | int) -> np.ndarray:
        """The mean age of a class, or of everyone's class, in years."""
        return np.asarray(self.age_mean + self.age_gap * np.asarray(label))

    def share_of_women(self, label: int) -> float:
        """The share of women in a class."""
        odds = self.women / (1 - self.women) * np.exp(label * self.sex_log_odds)
        return float(odds / (1 + odds))

    def site_shares(self, label: int) -> np.ndarray:
        """The shares of the sites in a class, (number of sites,)."""
        steps = np.linspace(0, 1, len(self.sites)) if len(self.sites) > 1 else np.zeros(1)
        weights = np.exp(label * self.site_log_odds * steps)
        return np.asarray(weights / weights.sum())


def draw_covariates(
    population: Population, label: np.ndarray, generator: np.random.Generator
) -> pd.DataFrame:
    """Columns `age` (years, one decimal), `sex` (F, M) and `site` of n subjects."""
    age, sex, site = np.split(generator.random((len(label), 3)), 3, axis=1)

    years = (
        population.age_mean + label * population.age_gap + population.age_sd * norm.ppf(age[:, 0])
    )
    women = np.array([population.share_of_women(value) for value in (0, 1)])[label]
    cumulative = np.array([population.site_shares(value).cumsum() for value in (0, 1)])[label]
    place = (site > cumulative[:, :-1]).sum(axis=1)
    return pd.DataFrame(
        {
            "age": years.round(1),
            "sex": np.where(sex[:, 0] < women, "F", "M"),
            "site": np.array(population.sites)[place],
        }
    )
