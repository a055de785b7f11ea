from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom, norm
from scipy.stats import t as student

from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.study.gap import find_gap, smallest_seen
from mmmed.evaluation.study.measured import Measured
from mmmed.evaluation.study.plan import Plan


def measure(law: object, noise: float, **told: object) -> Measured:
    return law.bench().measure(law.models(noise, **told))


def test_a_gap_of_one_seed_has_a_normal_p_value(make_law: Callable[..., object]) -> None:
    law = make_law(80, folds=2)
    bench = law.bench()
    one, other = bench.measure(law.models(0.3)), bench.measure(law.models(1.5))
    gap = find_gap(one, other, "auroc", plan=Plan())
    drawn = (one.mean["auroc"].replicates - other.mean["auroc"].replicates)[1:201]
    error = np.nanstd(drawn, ddof=1)
    assert gap.value == one.mean["auroc"].value - other.mean["auroc"].value
    assert gap.error == pytest.approx(error)
    assert gap.p == pytest.approx(2 * norm.sf(abs(gap.value) / error))
    assert gap.p_claim == pytest.approx(gap.p)
    assert gap.p_no_worse == pytest.approx(norm.sf((gap.value + 0.02) / error))
    assert (gap.low, gap.high) == pytest.approx(tuple(np.nanquantile(drawn, [0.025, 0.975])))
    assert (gap.seeds, gap.spread, gap.training) == (1, None, None)


def test_other_trainings_widen_what_is_claimed(make_law: Callable[..., object]) -> None:
    """Variance over the seeds of a fold, averaged over two folds of three seeds: 4 degrees."""
    law = make_law(80, folds=2)
    bench = law.bench()
    one = bench.measure(law.models(0.5, seeds=3))
    other = bench.measure(law.models(0.5, seeds=3, luck=1.0))
    gap = find_gap(one, other, "auroc", plan=Plan())
    single = (one.single["auroc"] - other.single["auroc"]).reshape(2, 3)
    training = single.var(axis=1, ddof=1).mean() / 6
    total = training + gap.error**2
    assert gap.training == pytest.approx(np.sqrt(training))
    assert gap.spread == pytest.approx(single.mean(axis=0).std(ddof=1))
    expected = 2 * student.sf(abs(gap.value) / np.sqrt(total), total**2 / (training**2 / 4))
    assert gap.p_claim == pytest.approx(expected)
    assert gap.p_claim > gap.p


def test_seeds_of_different_folds_say_nothing_of_other_trainings(
    make_law: Callable[..., object],
) -> None:
    """Two seeds, but each fold kept one of them: nothing was trained twice."""
    law = make_law(80, folds=2)
    kept = [("0", "0"), ("1", "1")]
    one, other = (
        tuple(model for model in law.models(noise, seeds=2) if (model.fold, model.seed) in kept)
        for noise in (0.3, 1.5)
    )
    bench = law.bench()
    gap = find_gap(bench.measure(one), bench.measure(other), "auroc", plan=Plan())
    assert (gap.seeds, gap.training) == (2, None)


def test_the_smallest_gap_seen_is_found_with_the_stated_power() -> None:
    """A test at .05 of an estimate N(seen, error^2), counted over a million draws."""
    seen = smallest_seen(0.03, alpha=0.05, power=0.8)
    drawn = np.random.default_rng(0).normal(seen, 0.03, 1_000_000)
    assert (np.abs(drawn) / 0.03 > norm.ppf(0.975)).mean() == pytest.approx(0.8, abs=0.002)


def test_a_method_is_no_worse_than_itself(make_law: Callable[..., object]) -> None:
    law = make_law(40)
    one = measure(law, 1.0)
    gap = find_gap(one, one, "auroc", plan=Plan())
    assert (gap.value, gap.p, gap.p_no_worse, gap.p_equal) == (0, 1, 0, 0)


def test_two_perfect_scores_show_nothing(make_law: Callable[..., object]) -> None:
    """Both tell ten subjects apart, so no resample can tell one from the other."""
    law = make_law(10, distance=7.0)
    bench = law.bench()
    one, other = bench.measure(law.models(0.1)), bench.measure(law.models(0.2))
    gap = find_gap(one, other, "auroc", plan=Plan())
    assert (gap.value, gap.error) == (0, 0)
    assert (gap.p, gap.p_no_worse, gap.p_equal) == (1, 1, 1)


def test_a_line_that_cannot_be_fitted_is_not_estimable(make_law: Callable[..., object]) -> None:
    law = make_law(10, distance=50.0)
    one = measure(law, 0.1)
    gap = find_gap(one, one, "calibration_slope", plan=Plan())
    assert gap.value is None
    assert gap.reason == (
        "not estimable: a class is absent, or the predictions separate the classes"
    )


def test_scores_of_other_models_are_not_compared(make_law: Callable[..., object]) -> None:
    """One reader separates the classes of a fold, the other does not."""
    law = make_law(40, folds=2)
    one, other = measure(law, 1.0), measure(law, 1.0)
    other.single["brier"][0] = np.nan
    gap = find_gap(one, other, "brier", plan=Plan())
    assert (gap.value, gap.reason) == (None, "not estimable in the same models throughout")


def test_without_a_shared_model_there_is_no_gap(make_law: Callable[..., object]) -> None:
    nothing = make_law(10).bench().measure(())
    gap = find_gap(nothing, nothing, "auroc", plan=Plan())
    assert gap.reason == "no fold, seed and case in common"


def test_the_interval_of_a_gap_covers_as_promised(make_law: Callable[..., object]) -> None:
    """Two readers of known AUROC (closed form) in 100 cohorts of 50 subjects in two folds.

    With coverage .95 the count falls below 87 once in a thousand times; intervals of half the width
    would hold about 67.
    """

    def truth(noise: float) -> float:
        d = 2.2
        return float(norm.cdf(d * d / np.sqrt(2 * (d * d + noise**2))))

    covered = 0
    for seed in range(100):
        law = make_law(50, folds=2, seed=seed, distance=2.2)
        bench = law.bench(draws=200, seed=seed)
        one, other = bench.measure(law.models(0.5)), bench.measure(law.models(1.2))
        plan = Plan(interval=Interval(draws=200))
        gap = find_gap(one, other, "auroc", plan=plan)
        covered += bool(gap.low <= truth(0.5) - truth(1.2) <= gap.high)
    assert binom.ppf(0.001, 100, 0.95) <= covered
