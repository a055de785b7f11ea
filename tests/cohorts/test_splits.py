from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmmed.cohorts.split_spec import Folds, Holdout, LeaveOneSiteOut
from mmmed.cohorts.splits import PARTS, Fold, check_leakage, split
from mmmed.errors import DataError, LeakageError

BOTH = ("mri", "pet")
RELAXED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def rows(count, *, sites="AB", visits=1):
    """`count` subjects, classes alternating, sites in runs, so that the two are crossed."""
    return [
        (f"s{index:03d}", index % 2, sites[(index // 2) % len(sites)], BOTH, None)
        for index in range(count)
        for _ in range(visits)
    ]


SPECS = st.one_of(
    st.builds(Holdout, seed=st.integers(0, 99)),
    st.builds(Folds, kind=st.just("folds"), folds=st.integers(2, 6), seed=st.integers(0, 99)),
    st.builds(LeaveOneSiteOut, kind=st.just("leave-one-site-out"), seed=st.integers(0, 99)),
)


@RELAXED
@given(spec=SPECS, count=st.integers(60, 90), visits=st.integers(1, 3))
def test_every_case_has_one_part_and_every_subject_too(make_cohort, spec, count, visits):
    cohort = make_cohort(rows(count, visits=visits))
    for fold in split(cohort, spec):
        assert list(fold.part.index) == [case.id for case in cohort.cases]
        assert set(fold.part) == set(PARTS)
        assert fold.part.groupby(cohort.subjects()).nunique().max() == 1


@RELAXED
@given(seed=st.integers(0, 1000), count=st.integers(100, 200))
def test_shares_are_met_and_classes_and_sites_are_alike(make_cohort, seed, count):
    cohort = make_cohort(rows(count))
    (fold,) = split(cohort, Holdout(seed=seed))
    strata = cohort.labels().astype(str) + cohort.covariates()["site"]
    for part, share in zip(PARTS, (0.6, 0.1, 0.1, 0.2), strict=True):
        chosen = fold.cases(part)
        assert abs(len(chosen) - share * count) <= 1
        for stratum, size in strata.value_counts().items():
            assert abs((strata[chosen] == stratum).sum() - share * size) <= 2, stratum


@RELAXED
@given(seed=st.integers(0, 1000), folds=st.integers(2, 6))
def test_folds_test_every_case_once(make_cohort, seed, folds):
    cohort = make_cohort(rows(90, visits=2))
    tested = [
        case
        for fold in split(cohort, Folds(kind="folds", folds=folds, seed=seed))
        for case in fold.cases("test")
    ]
    assert sorted(tested) == [case.id for case in cohort.cases]


def test_inner_shares_are_of_the_whole(make_cohort):
    for fold in split(make_cohort(rows(200)), Folds(kind="folds", folds=5)):
        assert {part: len(fold.cases(part)) for part in PARTS} == {
            "train": 120,
            "validation": 20,
            "calibration": 20,
            "test": 40,
        }


def test_a_seed_decides_and_another_seed_differs(make_cohort):
    cohort = make_cohort(rows(100))
    (first,), (again,), (other,) = (split(cohort, Holdout(seed=seed)) for seed in (1, 1, 2))
    pd.testing.assert_series_equal(first.part, again.part)
    assert not first.part.equals(other.part)


def test_the_draw_does_not_depend_on_the_order_of_cases(make_cohort):
    table = rows(100)
    forward, backward = make_cohort(table), make_cohort(table[::-1])
    parts = [
        dict(zip(cohort.subjects(), split(cohort, Holdout())[0].part, strict=True))
        for cohort in (forward, backward)
    ]
    assert parts[0] == parts[1]


def test_the_cohorts_own_parts_are_taken(make_cohort):
    parts = ["train"] * 4 + ["validation"] * 2 + ["calibration"] * 2 + ["test"] * 2
    table = [(f"s{i}", i % 2, "A", BOTH, part) for i, part in enumerate(parts)]
    (fold,) = split(make_cohort(table), Holdout(seed=7))
    assert list(fold.part) == parts


@pytest.mark.parametrize(("word", "shown"), [("dev", "'dev'"), (None, "'n/a'")])
def test_a_part_that_is_no_part_is_refused(make_cohort, word, shown):
    parts = ["train", "train", "test", word]
    table = [(f"s{i}", i % 2, "A", BOTH, part) for i, part in enumerate(parts)]
    with pytest.raises(DataError, match=f"case case-0003: part is {shown}; allowed: train,"):
        split(make_cohort(table), Holdout())


def test_a_part_the_cohort_lacks_is_named(make_cohort):
    table = [(f"s{i}", i % 2, "A", BOTH, part) for i, part in enumerate(["train", "train", "test"])]
    with pytest.raises(DataError) as caught:
        split(make_cohort(table), Holdout())
    assert "holdout: no case for validation" in str(caught.value)
    assert "holdout: no case for calibration" in str(caught.value)


def test_a_subject_in_two_parts_is_a_leak(make_cohort):
    parts = ["train", "train", "test", "test"]
    table = [(f"s{i % 3}", i % 2, "A", BOTH, part) for i, part in enumerate(parts)]
    with pytest.raises(LeakageError, match="holdout: subject s0 stands in test and train; give"):
        split(make_cohort(table), Holdout())


def test_a_leak_is_found_in_any_fold(make_cohort):
    cohort = make_cohort(rows(4, visits=2))
    part = pd.Series(["train"] * 7 + ["test"], index=cohort.labels().index)
    with pytest.raises(LeakageError, match="fold-3: subject s003"):
        check_leakage(Fold("fold-3", part), cohort.subjects())


def test_a_site_is_left_out_whole(make_cohort):
    cohort = make_cohort(rows(120, sites="ABC"))
    folds = split(cohort, LeaveOneSiteOut(kind="leave-one-site-out"))
    assert [fold.name for fold in folds] == ["site-A", "site-B", "site-C"]
    sites = cohort.covariates()["site"]
    for fold in folds:
        assert (fold.part == "test").equals((sites == fold.name[-1]).rename("split"))


def test_leaving_sites_out_needs_two_known_sites(make_cohort):
    spec = LeaveOneSiteOut(kind="leave-one-site-out")
    with pytest.raises(DataError, match="all cases are of site A; use folds"):
        split(make_cohort(rows(60, sites="A")), spec)
    with pytest.raises(DataError, match="site of subject s000 is not recorded"):
        split(make_cohort([("s000", 0, None, BOTH, None), *rows(60)[1:]]), spec)


def test_a_cohort_of_one_class_is_refused(make_cohort):
    table = [(f"s{i}", 0, "A", BOTH, None) for i in range(30)]
    with pytest.raises(DataError, match="no case of class AD"):
        split(make_cohort(table), Holdout())


def test_a_class_too_small_for_every_part_is_named(make_cohort):
    table = [(f"s{i:02d}", int(i == 0), "A", BOTH, None) for i in range(40)]
    with pytest.raises(DataError, match="has no case of class AD; take fewer folds"):
        split(make_cohort(table), Folds(kind="folds"))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Holdout, {"validation": 0.5, "calibration": 0.3, "test": 0.2}),
        (Folds, {"kind": "folds", "folds": 2, "validation": 0.3, "calibration": 0.2}),
        (LeaveOneSiteOut, {"kind": "leave-one-site-out", "validation": 0.5, "calibration": 0.5}),
    ],
)
def test_shares_must_leave_something_to_train_on(kind, values):
    with pytest.raises(ValueError, match="leave nothing to train on"):
        kind(**values)
