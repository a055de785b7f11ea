from __future__ import annotations

import pandas as pd
import pytest

from mmmed.cohorts.protocol import apply_test, apply_train, forced_views, presence_rows
from mmmed.cohorts.split_spec import Holdout
from mmmed.cohorts.splits import split
from mmmed.errors import DataError, StudyError
from mmmed.mechanism import ByLabel, Complete, EveryPattern, Mar, Mcar, Mnar

BOTH = ("mri", "pet")
PET = Mcar(modality="pet", rate=0.5)


@pytest.fixture
def cohort(make_cohort):
    """100 cases, every tenth without PET."""
    return make_cohort(
        [
            (f"s{i:03d}", i % 2, "AB"[(i // 2) % 2], BOTH if i % 10 else ("mri",), None)
            for i in range(100)
        ]
    )


@pytest.fixture
def fold(cohort):
    return split(cohort, Holdout())[0]


def test_train_protocols_leave_calibration_and_test_untouched(cohort, fold):
    shown = apply_train([PET], cohort, fold)
    kept = fold.cases("calibration", "test")
    pd.testing.assert_frame_equal(shown.table.loc[kept], cohort.owned().loc[kept])
    assert list(shown.table.index) == list(fold.part.index)
    assert {hiding.split for hiding in shown.hidings} == {"train", "validation"}


def test_the_rate_is_met_inside_each_part(cohort, fold):
    shown = apply_train([PET], cohort, fold)
    for part in ("train", "validation"):
        rows = fold.cases(part)
        owners = cohort.owned().loc[rows, "pet"].sum()
        left = shown.table.loc[rows, "pet"].sum()
        assert owners - left == int(0.5 * owners + 0.5)
    words = str(shown.hidings[0])
    assert "naturally absent" in words
    assert "hidden" in words
    assert words.endswith("without")


def test_no_case_is_emptied(cohort, fold):
    for modality in ("pet", "mri", "any"):
        shown = apply_train([Mcar(modality=modality, rate=1.0)], cohort, fold)
        assert shown.table.any(axis=1).all()


def test_test_protocols_touch_test_cases_alone(cohort, fold):
    shown = apply_test(Mcar(modality="pet", rate=(0.0, 1.0)), cohort, fold, rate=1.0)
    assert list(shown.table.index) == fold.cases("test")
    assert not shown.table["pet"].any()
    assert apply_test(Mcar(modality="pet", rate=(0.0, 1.0)), cohort, fold, rate=0.0).table.equals(
        cohort.owned().loc[fold.cases("test")]
    )


@pytest.mark.parametrize("protocol", [Complete(), EveryPattern(kind="every-pattern")])
def test_a_protocol_without_rate_hides_nothing(cohort, fold, protocol):
    shown = apply_test(protocol, cohort, fold, rate=None)
    assert shown.table.equals(cohort.owned().loc[fold.cases("test")])


def test_forced_views_are_every_case_under_every_pattern_it_owns(cohort):
    views = forced_views(cohort.owned())
    counts = pd.Series([str(pattern) for _, pattern in views]).value_counts().to_dict()
    assert counts == {"mri": 100, "pet": 90, "mri+pet": 90}
    assert [str(pattern) for _, pattern in views[::100]] == ["mri", "pet", "mri+pet"]


def test_labels_and_withheld_columns_reach_the_draws_that_may_read_them(cohort, fold):
    burden = pd.DataFrame({"z": range(100)}, index=cohort.labels().index)
    hidden = apply_train(
        [Mnar(modality="pet", rate=0.5, column="z", slope=1000.0)], cohort, fold, withheld=burden
    )
    rows = fold.cases("train")
    owners = cohort.owned().loc[rows, "pet"]
    gone = (owners & ~hidden.table.loc[rows, "pet"]).pipe(lambda column: column.index[column])
    kept = hidden.table.loc[rows, "pet"].pipe(lambda column: column.index[column])
    assert burden.loc[gone, "z"].min() > burden.loc[kept, "z"].max()
    by_label = apply_train([ByLabel(modality="pet", rate=0.5, slope=1000.0)], cohort, fold)
    left = by_label.table.loc[rows, "pet"]
    assert cohort.labels()[left.index[left]].mean() < 0.2


def test_only_mnar_may_read_a_withheld_column(cohort, fold):
    burden = pd.DataFrame({"z": range(100)}, index=cohort.labels().index)
    with pytest.raises(StudyError, match="column 'z' is withheld; use kind mnar"):
        apply_train(
            [Mar(modality="pet", rate=0.5, slopes={"z": 1.0})], cohort, fold, withheld=burden
        )
    with pytest.raises(StudyError, match="no column 'z'"):
        apply_train([Mnar(modality="pet", rate=0.5, column="z", slope=1.0)], cohort, fold)


def test_hiding_a_modality_nobody_owns_is_refused(make_cohort):
    cohort = make_cohort([(f"s{i:03d}", i % 2, "A", ("mri",), None) for i in range(60)])
    (fold,) = split(cohort, Holdout())
    with pytest.raises(DataError, match="no case owns pet"):
        apply_train([PET], cohort, fold)
    with pytest.raises(DataError, match="no case owns pet"):
        apply_test(PET, cohort, fold, rate=0.5)


def test_an_unknown_modality_is_a_study_error(cohort, fold):
    with pytest.raises(StudyError, match="'ct' is not in the cohort"):
        apply_train([Mcar(modality="ct", rate=0.5)], cohort, fold)


def test_presence_rows_say_shown_hidden_or_absent(cohort, fold):
    shown = apply_test(PET, cohort, fold, rate=0.5)
    rows = presence_rows(shown, cohort=cohort, fold=fold, protocol="mcar pet", rate=0.5)
    assert len(rows) == 2 * len(fold.cases("test"))
    pet = pd.DataFrame(rows).query("modality == 'pet'").set_index("case_id")["status"]
    owned = cohort.owned().loc[pet.index, "pet"]
    assert set(pet[~owned]) == {"absent"}
    assert (pet[owned] == "hidden").sum() == shown.hidings[0].hidden
    assert rows[0] == {
        "protocol": "mcar pet",
        "rate": 0.5,
        "fold": "holdout",
        "case_id": fold.cases("test")[0],
        "split": "test",
        "modality": "mri",
        "status": "shown",
        "train": None,
    }
