"""True expected bits: none under the redundant law, else as drawn PETs tell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from mmmed.simulation.expected import expected_bits
from mmmed.simulation.law import Gaussian, Law, Redundant, Subgroup, Synergy

BURDENS = (-1.0, 0.3, 0.8, 2.5)


def truth(law: Law) -> dict[str, object]:
    mean = law.component(1, False).mean[0]
    odds = [norm.logpdf(z, mean) - norm.logpdf(z) for z in BURDENS]
    return {
        "law": law.model_dump(mode="json"),
        "cases": {
            str(z): {"z_mri": z, "log_odds": {"mri": float(one)}}
            for z, one in zip(BURDENS, odds, strict=True)
        },
    }


def test_the_redundant_law_promises_nothing() -> None:
    assert max(expected_bits(truth(Redundant())).values()) < 1e-9


@pytest.mark.parametrize("law", [Gaussian(), Synergy()])
def test_bits_are_those_of_drawn_burdens(law: Gaussian | Synergy) -> None:
    found = expected_bits(truth(law))
    random = np.random.default_rng(0)
    parts = [law.component(label, False) for label in (0, 1)]
    for z in BURDENS:
        prior = np.array([norm.pdf(z, part.mean[0]) for part in parts])
        prior = prior / prior.sum()
        label = (random.random(100_000) < prior[1]).astype(int)
        pet = np.empty(len(label))
        for each, part in enumerate(parts):
            slope = part.covariance[0, 1]
            where = label == each
            place = part.mean[1] + slope * (z - part.mean[0])
            pet[where] = random.normal(place, np.sqrt(1 - slope**2), where.sum())
        both = np.stack([np.full(len(pet), z), pet], axis=1)
        density = np.stack([multivariate_normal(p.mean, p.covariance).pdf(both) for p in parts])
        told = np.log2(density[label, np.arange(len(label))] / density.sum(axis=0)) - np.log2(
            prior[label]
        )
        error = told.std() / np.sqrt(len(told))
        assert found[str(z)] == pytest.approx(told.mean(), abs=4 * error)


@pytest.mark.parametrize("law", [Gaussian(), Synergy()])
def test_twice_the_nodes_give_the_same_bits(law: Gaussian | Synergy) -> None:
    once, twice = (expected_bits(truth(law), nodes=nodes) for nodes in (64, 128))
    assert list(once.values()) == pytest.approx(list(twice.values()), abs=1e-4)


def test_nothing_is_stated_of_a_law_with_a_subgroup() -> None:
    assert expected_bits(truth(Subgroup())) == {}
