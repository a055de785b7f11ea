"""Ceilings: closed forms against the notes, against Monte-Carlo and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from mmmed.mechanism import ByLabel, Complete, Mar, Mcar, Mnar
from mmmed.modality import Pattern, every_pattern
from mmmed.simulation.ceiling import ceiling, information, pattern_ceiling
from mmmed.simulation.law import Gaussian, Law, Redundant, Subgroup, Synergy, draw_burdens
from mmmed.simulation.oracle import World
from mmmed.simulation.population import Population

DEFAULT = World(Gaussian(), Population())
MRI, PET, BOTH = every_pattern(["mri", "pet"])


def _world(law: Law, **population: float) -> World:
    return World(law, Population.model_validate(population))


@pytest.mark.parametrize(
    ("pattern", "auroc", "accuracy"),
    [(MRI, 0.85, 0.7682), (PET, 0.92, 0.8398), (BOTH, 0.9455, 0.8715)],
)
def test_patterns_of_the_default_law(pattern: Pattern, auroc: float, accuracy: float) -> None:
    best = pattern_ceiling(DEFAULT, pattern)
    assert best.auroc.value == pytest.approx(auroc, abs=5e-5)
    assert best.accuracy.value == pytest.approx(accuracy, abs=5e-5)
    assert best.auroc.error == 0


@pytest.mark.parametrize(
    ("rate", "auroc", "accuracy"),
    [
        (0.0, 0.9455, 0.8715),
        (0.25, 0.9268, 0.8456),
        (0.5, 0.9046, 0.8198),
        (0.75, 0.8790, 0.7940),
        (1.0, 0.8500, 0.7682),
    ],
)
def test_mixtures_of_the_default_law(rate: float, auroc: float, accuracy: float) -> None:
    best = ceiling(DEFAULT, Mcar(modality="pet", rate=rate))
    assert best.images.auroc.value == pytest.approx(auroc, abs=6e-5)
    assert best.images.accuracy.value == pytest.approx(accuracy, abs=6e-5)
    assert best.all == best.images


@pytest.mark.parametrize("rate", [0.25, 0.75])
def test_monte_carlo_meets_the_closed_form(rate: float) -> None:
    # absence by sex is unrelated to everything here, so the closed form of mcar holds
    exact = ceiling(DEFAULT, Mcar(modality="pet", rate=rate)).images
    drawn = ceiling(DEFAULT, Mar(modality="pet", rate=rate, slopes={"sex=F": 1.0}))
    for estimate in (drawn.images, drawn.all):
        assert 0 < estimate.auroc.error < 0.001
        assert abs(estimate.auroc.value - exact.auroc.value) < 5 * estimate.auroc.error
        assert abs(estimate.accuracy.value - exact.accuracy.value) < 5 * estimate.accuracy.error


def test_the_oracles_of_plain_draws_reach_the_ceiling_on_average() -> None:
    law = Synergy()
    label = np.arange(40_000) % 2
    random = np.random.default_rng(7)
    z = draw_burdens(law, label, np.zeros(len(label), dtype=bool), random, matched=False)
    positive, negative = law.component(1, False), law.component(0, False)
    score = positive.log_density(z) - negative.log_density(z)
    best = pattern_ceiling(_world(law), BOTH).auroc
    assert roc_auc_score(label, score) == pytest.approx(best.value, abs=0.005)


def test_information_is_that_of_numerical_integration() -> None:
    def equivocation(distance: float) -> float:
        def integrand(t: float) -> float:
            log_odds = distance**2 / 2 + distance * t
            return float(norm.pdf(t) * np.logaddexp(0, -log_odds) / np.log(2))

        return float(quad(integrand, -9, 9)[0])

    distances = {
        p: np.sqrt(2) * norm.ppf(pattern_ceiling(DEFAULT, p).auroc.value) for p in (MRI, BOTH)
    }
    bits = information(DEFAULT)
    expected = equivocation(distances[MRI]) - equivocation(distances[BOTH])
    assert abs(bits.value - expected) < 5 * bits.error


def test_in_the_redundant_law_pet_adds_nothing() -> None:
    world = _world(Redundant(auroc_mri=0.9, correlation=0.6))
    alone, both = (pattern_ceiling(world, pattern) for pattern in (MRI, BOTH))
    assert both.auroc.value == pytest.approx(alone.auroc.value)
    assert alone.auroc.value == pytest.approx(0.9)
    assert information(world).value == pytest.approx(0, abs=1e-12)


def test_in_the_synergy_law_both_tell_more_than_a_sum_could() -> None:
    synergy = pattern_ceiling(_world(Synergy(interaction=0.8)), BOTH).auroc
    no_interaction = pattern_ceiling(
        _world(Gaussian(auroc_mri=0.70, auroc_pet=0.75, correlation=0)), BOTH
    ).auroc
    assert synergy.value > no_interaction.value + 0.1


def test_in_the_subgroup_law_knowing_the_subgroup_helps() -> None:
    world = _world(Subgroup(strength=0.3))
    blind = pattern_ceiling(world, BOTH).auroc
    known = pattern_ceiling(world, BOTH, covariates=True).auroc
    assert world.covariates_tell
    assert known.value > blind.value + 3 * (known.error + blind.error)


def test_a_law_without_effect_in_half_the_people_is_a_known_mixture() -> None:
    # in women nothing tells (log-odds 0), in men the default law: three kinds of pairs
    world = _world(Subgroup(strength=0.0))
    known = pattern_ceiling(world, MRI, covariates=True).auroc
    distance = np.sqrt(2) * norm.ppf(0.85)
    expected = 0.25 * 0.85 + 0.25 * 0.5 + 0.5 * norm.cdf(distance / 2)
    assert known.value == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("law", [Gaussian(), Synergy()], ids=lambda one: one.kind)
def test_absence_by_the_hidden_burden_is_evidence(law: Law) -> None:
    protocol = Mnar(modality="pet", rate=0.5, column="z_pet", slope=2.0)
    best = ceiling(_world(law), protocol)
    assert best.all.auroc.value > best.images.auroc.value + 3 * best.all.auroc.error


def test_absence_by_the_label_adds_its_log_ratio() -> None:
    # everything hidden from AD only as often as the slope says, burdens nearly useless:
    # the pattern is then the whole evidence, with AUROC (1 + p1 - p0) / 2
    world = _world(Gaussian(auroc_mri=0.5001, auroc_pet=0.5001, correlation=0.0))
    best = ceiling(world, ByLabel(modality="pet", rate=0.5, slope=3.0))
    hidden = [1 / (1 + np.exp(1.5)), 1 / (1 + np.exp(-1.5))]
    assert best.all.auroc.value == pytest.approx((1 + hidden[1] - hidden[0]) / 2, abs=0.003)
    assert best.images.auroc.value == pytest.approx(0.5, abs=0.003)


def test_covariates_tied_to_the_label_raise_the_ceiling_that_knows_them() -> None:
    world = _world(Gaussian(), age_gap=7.0)
    blind = pattern_ceiling(world, MRI).auroc
    known = pattern_ceiling(world, MRI, covariates=True).auroc
    assert blind.value == pytest.approx(0.85)
    # age is one more independent burden of distance 7 years / sd 7 years = 1
    expected = norm.cdf(np.hypot(np.sqrt(2) * norm.ppf(0.85), 1.0) / np.sqrt(2))
    assert abs(known.value - expected) < max(5 * known.error, 1e-3)


def test_site_and_sex_tied_to_the_label_count_as_evidence() -> None:
    world = _world(Gaussian(auroc_mri=0.5001, auroc_pet=0.5001, correlation=0.0), sex_log_odds=2.0)
    women = [world.population.share_of_women(label) for label in (0, 1)]
    known = pattern_ceiling(world, MRI, covariates=True).auroc
    assert known.value == pytest.approx((1 + women[1] - women[0]) / 2, abs=0.01)


def test_a_complete_table_has_the_ceiling_of_its_pattern() -> None:
    assert ceiling(DEFAULT, Complete()).images == pattern_ceiling(DEFAULT, BOTH)


def test_natural_absence_is_counted() -> None:
    natural = Mcar(modality="pet", rate=0.5)
    half = ceiling(DEFAULT, Complete(), natural=natural).images.auroc.value
    three_quarters = ceiling(DEFAULT, natural, natural=natural).images.auroc.value
    assert half == pytest.approx(0.9046, abs=6e-5)
    assert three_quarters == pytest.approx(0.8790, abs=6e-5)
