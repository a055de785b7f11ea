"""Expected values: textbook tables worked by hand, and scipy where it has the figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mmmed.evaluation.absence_text import sentences
from mmmed.evaluation.dependence import dependence


def frame(absent, **factors):
    """One case per subject; `absent` per case."""
    index = [f"s{place}" for place in range(len(absent))]
    owned = pd.DataFrame({"pet": ~np.array(absent, dtype=bool)}, index=index)
    return (
        owned,
        {name: pd.Series(values, index=index) for name, values in factors.items()},
        pd.Series(index, index=index),
    )


def two_by_two(lost_a, kept_a, lost_b, kept_b):
    absent = [1] * lost_a + [0] * kept_a + [1] * lost_b + [0] * kept_b
    group = ["AD"] * (lost_a + kept_a) + ["CN"] * (lost_b + kept_b)
    return dependence(*frame(absent, diagnosis=group))


def test_the_risk_difference_has_newcombes_interval():
    """His example: 56/70 against 48/80 gives 0.20 [0.0524, 0.3339] (method 10, table II a)."""
    risk, _ = two_by_two(48, 32, 56, 14)
    assert risk.groups == "CN - AD"
    assert risk.value == pytest.approx(0.20)
    assert (risk.low, risk.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_odds_ratio_and_its_test_are_fishers():
    _, odds = two_by_two(8, 2, 1, 9)
    counts = np.array([[1, 9], [8, 2]])
    expected = stats.contingency.odds_ratio(counts)
    assert odds.value == pytest.approx(expected.statistic)
    assert (odds.low, odds.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert odds.p == pytest.approx(stats.fisher_exact(counts).pvalue)


def test_an_empty_cell_keeps_an_exact_bound():
    _, odds = two_by_two(5, 5, 0, 10)
    assert (odds.value, odds.low) == (0.0, 0.0)
    assert 0 < odds.high < 1.5
    assert odds.p == pytest.approx(stats.fisher_exact([[0, 10], [5, 5]]).pvalue)


def test_the_standardised_difference_of_a_number():
    """By hand: means 4 and 2, both variances 2.5, so 2 / sqrt(2.5)."""
    ages = [2.0, 3, 4, 5, 6, 0, 1, 2, 3, 4]
    (effect,) = dependence(*frame([1] * 5 + [0] * 5, age=ages))
    assert effect.value == pytest.approx(2 / np.sqrt(2.5))
    error = np.sqrt(10 / 25 + effect.value**2 / 20)
    assert effect.high - effect.value == pytest.approx(stats.norm.ppf(0.975) * error)
    assert effect.p == pytest.approx(stats.ttest_ind(ages[:5], ages[5:], equal_var=False).pvalue)


def test_a_group_of_one_age_alone_has_the_p_value_of_welchs_test():
    """By hand: means 4 and 7, variances 2.5 and 0: t is 3 / sqrt(.5) of 4 degrees of freedom."""
    (effect,) = dependence(*frame([1] * 5 + [0] * 5, age=[2.0, 3, 4, 5, 6, 7, 7, 7, 7, 7]))
    assert effect.p == pytest.approx(2 * stats.t.sf(3 / np.sqrt(0.5), 4))


def test_cramers_v_of_several_groups_is_scipys():
    lost, kept = [12, 6, 2], [8, 14, 18]
    absent, site = [], []
    for name, a, b in zip("ABC", lost, kept, strict=True):
        absent += [1] * a + [0] * b
        site += [name] * (a + b)
    (effect,) = dependence(*frame(absent, site=site))
    counts = np.array([lost, kept])
    assert effect.value == pytest.approx(stats.contingency.association(counts, method="cramer"))
    assert effect.low < effect.value < effect.high
    assert effect.p == pytest.approx(stats.chi2_contingency(counts).pvalue, abs=0.004)


def test_small_sites_are_taken_together():
    site = ["A"] * 20 + ["B"] * 20 + list("CDEFGH")
    (effect,) = dependence(*frame([1, 0] * 23, site=site))
    assert effect.groups == "3 groups"
    assert effect.p > 0.2


@pytest.mark.parametrize(
    ("absent", "age", "reason"),
    [
        ([1, 1, 0, 0, 0, 0, 0, 0], list(range(8)), "too few"),
        ([1] * 6 + [0] * 6, [70.0] * 12, "it does not vary"),
    ],
)
def test_what_cannot_be_given_has_a_reason(absent, age, reason):
    (effect,) = dependence(*frame(absent, age=[float(one) for one in age]))
    assert effect.value is None
    assert effect.reason.startswith(reason)


def test_several_visits_of_a_subject_are_one_witness():
    """Each case copied four times over: intervals and tests must not shrink as if new."""
    rng = np.random.default_rng(1)
    group = ["AD"] * 40 + ["CN"] * 40
    absent = rng.random(80) < np.where(np.array(group) == "AD", 0.6, 0.3)
    owned, factors, subject = frame(absent, diagnosis=group, age=list(rng.normal(70, 5, 80)))
    single = dependence(owned, factors, subject)
    index = [f"{case}-{copy}" for case in owned.index for copy in range(4)]
    many = dependence(
        pd.DataFrame(np.repeat(owned.to_numpy(), 4, axis=0), index=index, columns=["pet"]),
        {name: pd.Series(np.repeat(v.to_numpy(), 4), index=index) for name, v in factors.items()},
        pd.Series(np.repeat(subject.to_numpy(), 4), index=index),
    )
    for one, copied in zip(single, many, strict=True):
        if one.measure != "odds ratio":
            assert copied.value == pytest.approx(one.value, abs=0.02)
        assert copied.high - copied.low > 0.85 * (one.high - one.low)
        assert copied.p == pytest.approx(one.p, abs=0.05)


def test_one_subject_of_several_visits_tells_nothing():
    owned, factors, subject = frame([1, 0] * 6, age=[float(one) for one in range(12)])
    (effect,) = dependence(owned, factors, subject.map(lambda _: "s0"))
    assert effect.reason == "too few: below 5 subjects"


def test_p_values_are_adjusted_by_holm_once_per_comparison():
    """By hand: sorted p times 2, then 1; two measures of one comparison are one."""
    rng = np.random.default_rng(3)
    absent = rng.random(60) < 0.5
    sex = np.where(absent, "F", "M")
    effects = dependence(*frame(absent, sex=sex, age=rng.normal(size=60)))
    risk, odds, age = effects
    assert risk.holm == odds.holm == pytest.approx(2 * risk.p)
    assert age.holm == pytest.approx(age.p)


def test_words_claim_no_more_than_data_can():
    rng = np.random.default_rng(5)
    absent = rng.random(80) < 0.4
    blind = dependence(*frame(absent, age=list(rng.normal(size=80)), sex=["F", "M"] * 40))
    first, counted, last = sentences(blind)
    assert first == "pet: no sign against MCAR in age, sex"
    assert counted.startswith("absence: 2 comparison(s), p adjusted by Holm, 5% in all")
    assert last.endswith("(MNAR) cannot be excluded by data")
    telling = dependence(*frame(absent, age=list(absent * 1.0 + 0.1 * rng.normal(size=80))))
    assert sentences(telling)[0].startswith("pet: absence depends on age (standardised difference")
    few = dependence(*frame([1, 0, 0, 0], age=[1.0, 2, 3, 4]))
    assert sentences(few)[0].startswith("pet: too few to say what absence depends on")
    none = dependence(*frame([0] * 9, age=list(map(float, range(9)))))
    assert sentences(none)[0] == "pet: nobody lacks it; nothing to compare"
    assert not any("is MCAR" in one for one in [*sentences(blind), *sentences(telling)])
