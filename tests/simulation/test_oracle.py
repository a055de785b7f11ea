"""The best possible reader is calibrated, whatever it knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from mmmed.mechanism import ByLabel, Mar, Mcar, Mechanism, Mnar
from mmmed.modality import Pattern, every_pattern
from mmmed.simulation.law import Gaussian, Law, Subgroup, Synergy, draw_burdens, members
from mmmed.simulation.oracle import Knowledge, World, reader_log_odds
from mmmed.simulation.population import Population, draw_covariates
from mmmed.simulation.selection import selection_of

N = 60_000
TIED = Population(age_gap=4.0, sex_log_odds=0.7, site_log_odds=1.0)


def _people(world: World) -> pd.DataFrame:
    random = np.random.default_rng(3)
    label = np.arange(N) % 2
    table = draw_covariates(world.population, label, random)
    z = draw_burdens(world.law, label, members(world.law, table), random, matched=False)
    return table.assign(label=label, z_mri=z[:, 0], z_pet=z[:, 1])


def _assert_calibrated(log_odds: np.ndarray, label: np.ndarray) -> None:
    """In every tenth of the predictions, AD is as frequent as predicted, to 4.5 sd."""
    chance = expit(log_odds)
    for who in np.array_split(np.argsort(log_odds), 10):
        sd = np.sqrt((chance[who] * (1 - chance[who])).sum())
        assert abs(label[who].sum() - chance[who].sum()) < 4.5 * sd


@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize(
    "world",
    [
        World(Gaussian(), Population()),
        World(Gaussian(), TIED),
        World(Synergy(), Population()),
        World(Subgroup(strength=0.2), Population()),
        World(Subgroup(column="site", value="A"), TIED),
    ],
    ids=["gaussian", "gaussian-tied", "synergy", "subgroup-sex", "subgroup-site-tied"],
)
def test_log_odds_are_calibrated_for_every_pattern(world: World, covariates: bool) -> None:
    people = _people(world)
    for pattern in every_pattern(["mri", "pet"]):
        odds = reader_log_odds(world, people, Knowledge(pattern, covariates=covariates))
        _assert_calibrated(odds, people["label"].to_numpy())


@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize(
    ("law", "population", "protocol"),
    [
        (Gaussian(), Population(), Mnar(modality="pet", rate=0.5, column="z_pet", slope=2.0)),
        (Synergy(), Population(), Mnar(modality="any", rate=0.4, column="z_mri", slope=-1.5)),
        (Gaussian(), TIED, Mar(modality="pet", rate=0.3, slopes={"age": 1.5, "site=C": 2.0})),
        (Subgroup(), TIED, Mar(modality="pet", rate=0.5, slopes={"sex=F": 2.0})),
        (Gaussian(), Population(), ByLabel(modality="pet", rate=0.6, slope=-2.0)),
        (Gaussian(), Population(), Mcar(modality="pet", rate=0.6)),
    ],
    ids=["mnar", "mnar-any", "mar-age-site", "mar-sex", "by-label", "mcar"],
)
def test_log_odds_with_absence_as_evidence_are_calibrated_among_those_it_left(
    law: Law, population: Population, protocol: Mechanism, covariates: bool
) -> None:
    world = World(law, population)
    people = _people(world)
    selection = selection_of([protocol], people)
    shares = selection.shares(selection.evidence.at(people))
    patterns = list(shares)
    ends = np.cumsum([shares[pattern] for pattern in patterns], axis=0)
    shown = (np.random.default_rng(4).random(N) > ends).sum(axis=0)
    for place, pattern in enumerate(patterns):
        left = people[shown == place].reset_index(drop=True)
        knowledge = Knowledge(pattern, covariates=covariates, selection=selection)
        _assert_calibrated(reader_log_odds(world, left, knowledge), left["label"].to_numpy())


def test_hiding_at_random_is_no_evidence() -> None:
    world = World(Gaussian(), Population())
    people = _people(world).head(50)
    selection = selection_of([Mcar(modality="pet", rate=0.5)], people)
    mri = Pattern.of(["mri"])
    np.testing.assert_allclose(
        reader_log_odds(world, people, Knowledge(mri, selection=selection)),
        reader_log_odds(world, people, Knowledge(mri)),
        atol=1e-12,
    )
