from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom, bootstrap

from mmmed.evaluation.bootstrap import (
    JACKKNIFE_GROUPS,
    Estimate,
    Resampling,
    average,
    paired_difference,
)
from mmmed.evaluation.scores import auroc


def names(n: int) -> list[str]:
    return [f"sub-{i:04d}" for i in range(n)]


def auroc_of(label: np.ndarray, value: np.ndarray, *, draws: int = 1000, seed: int = 0) -> Estimate:
    subject = names(len(label))
    resampling = Resampling.draw(subject, draws=draws, seed=seed)
    return resampling.estimate(lambda w: {"auroc": auroc(label == 1, value, w)}, subject)["auroc"]


def test_coverage_of_the_interval_is_what_it_promises() -> None:
    """Cohorts of 200 i.i.d. subjects; the score is the oracle's log-odds plus noise.

    The truth is closed form: log-odds of a d-separated gaussian are N(+-d^2/2, d^2), so with noise
    of sd s the AUROC is Phi(d^2 / sqrt(2 (d^2 + s^2))). If each interval covers with probability
    .95, the count of 200 is Binomial(200, .95); a sound program leaves its central 99.9 % range
    (179 to 198) once in a thousand versions, and one whose coverage were .85 would be caught with
    a probability above .95.
    """
    d, noise, cohorts, n = 2.267, 1.0, 200, 200
    truth = ndtr(d * d / np.sqrt(2 * (d * d + noise**2)))
    generator = np.random.default_rng(0)
    covered = 0
    for seed in range(cohorts):
        label = generator.integers(0, 2, n)
        odds = d * (generator.normal(size=n) + d * label) - d * d / 2
        value = odds + noise * generator.normal(size=n)
        low, high = auroc_of(label, value, draws=600, seed=seed).interval(0.95) or (1, 0)
        covered += bool(low <= truth <= high)
    low, high = binom.interval(0.999, cohorts, 0.95)
    assert (low, high) == (179, 198)
    assert low <= covered <= high


def test_the_interval_of_a_mean_is_scipys_bca() -> None:
    values = np.random.default_rng(3).gamma(1.0, size=60)
    subject = names(60)
    resampling = Resampling.draw(subject, draws=20000, seed=0)
    mean = resampling.estimate(lambda w: {"mean": values @ w / w.sum(axis=0)}, subject)["mean"]
    other = bootstrap((values,), np.mean, n_resamples=20000, method="BCa", rng=1)
    low, high = mean.interval(0.95) or (0, 0)
    assert low == pytest.approx(other.confidence_interval.low, abs=0.01)
    assert high == pytest.approx(other.confidence_interval.high, abs=0.01)


def test_cases_of_one_subject_are_drawn_together() -> None:
    """A second copy of every case under the same subject adds no information."""
    generator = np.random.default_rng(0)
    label, value = generator.integers(0, 2, 40), generator.normal(size=40)
    subject = names(40)
    resampling = Resampling.draw(subject, draws=500, seed=0)
    once = resampling.estimate(lambda w: {"a": auroc(label == 1, value, w)}, subject)["a"]
    two = np.tile(np.arange(40), 2)
    twice = resampling.estimate(
        lambda w: {"a": auroc(label[two] == 1, value[two], w)}, [subject[i] for i in two]
    )["a"]
    assert twice.interval(0.95) == pytest.approx(once.interval(0.95))


def test_replicates_do_not_depend_on_the_order_of_cases() -> None:
    generator = np.random.default_rng(0)
    label, value = generator.integers(0, 2, 30), generator.normal(size=30)
    order = generator.permutation(30)
    subject = np.array(names(30))
    resampling = Resampling.draw(list(subject), draws=100, seed=0)
    first = resampling.estimate(lambda w: {"a": auroc(label == 1, value, w)}, list(subject))["a"]
    second = resampling.estimate(
        lambda w: {"a": auroc(label[order] == 1, value[order], w)}, list(subject[order])
    )["a"]
    assert second.replicates == pytest.approx(first.replicates, nan_ok=True)


def test_the_same_seed_gives_the_same_draw() -> None:
    one, same, other = (Resampling.draw(names(9), draws=50, seed=seed) for seed in (0, 0, 1))
    assert (one.counts == same.counts).all()
    assert (one.counts != other.counts).any()


def test_every_drawn_replicate_holds_as_many_subjects_as_there_are() -> None:
    counts = Resampling.draw(names(9), draws=50, seed=0).counts
    assert (counts[:, 0] == 1).all()
    assert (counts[:, 1:51].sum(axis=0) == 9).all()
    assert (counts[:, 51:].sum(axis=0) == 8).all()


def test_many_subjects_are_left_out_in_groups() -> None:
    counts = Resampling.draw(names(450), draws=10, seed=0).counts
    assert counts.shape == (450, 1 + 10 + JACKKNIFE_GROUPS)
    assert (counts[:, 11:] == 0).sum() == 450


def test_a_paired_difference_of_equal_scores_is_zero_without_width() -> None:
    generator = np.random.default_rng(0)
    label, value = generator.integers(0, 2, 40), generator.normal(size=40)
    estimate = auroc_of(label, value)
    gap = paired_difference(estimate, estimate)
    assert (gap.value, gap.interval(0.95)) == (0, (0, 0))


def test_a_paired_difference_is_narrower_than_an_unpaired_one() -> None:
    generator = np.random.default_rng(0)
    label = np.arange(200) % 2
    value = label + generator.normal(size=200)
    one = auroc_of(label, value)
    near = auroc_of(label, value + 0.2 * generator.normal(size=200))
    paired = np.subtract(*(paired_difference(one, near).interval(0.95) or (0, 9))[::-1])
    apart = auroc_of(label, value + 0.2 * generator.normal(size=200), seed=9)
    unpaired = np.subtract(*(paired_difference(one, apart).interval(0.95) or (0, 0))[::-1])
    assert paired < unpaired / 2


def test_a_paired_difference_needs_one_resampling() -> None:
    label, value = np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.2, 0.8])
    with pytest.raises(ValueError, match="one resampling"):
        paired_difference(auroc_of(label, value), auroc_of(label, value, draws=100))


def test_an_average_takes_what_is_defined() -> None:
    first = Estimate(np.array([0.5, np.nan, np.nan]), 1)
    second = Estimate(np.array([0.7, 0.9, np.nan]), 1)
    mean = average([first, second])
    assert mean.replicates == pytest.approx([0.6, 0.9, np.nan], nan_ok=True)


def test_an_average_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        average([])


def test_too_few_defined_replicates_give_no_interval() -> None:
    replicates = np.array([0.5, *[np.nan] * 60, *[0.5] * 40, 0.5])
    assert Estimate(replicates, 100).interval(0.95) is None


def test_a_perfect_score_has_an_interval_without_width() -> None:
    label = np.arange(20) % 2
    assert auroc_of(label, label.astype(float)).interval(0.95) == (1, 1)
