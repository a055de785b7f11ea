from __future__ import annotations

from dataclasses import replace

import pytest

from mmmed.cohorts.cohort import Fault, require_classes, require_modalities
from mmmed.errors import DataError, NothingReadable

BOTH = ("mri", "pet")


@pytest.fixture
def three(make_cohort):
    return make_cohort(
        [
            ("s0", 0, "A", BOTH, None),
            ("s1", 1, "B", ("mri",), None),
            ("s1", 1, None, ("pet",), None),
        ]
    )


def test_owned_labels_subjects_and_covariates_share_an_index(three):
    index = ["case-0000", "case-0001", "case-0002"]
    for table in (three.owned(), three.labels(), three.subjects(), three.covariates()):
        assert list(table.index) == index
    assert three.owned().to_numpy().tolist() == [[True, True], [True, False], [False, True]]
    assert three.labels().tolist() == [0, 1, 1]
    assert three.subjects().tolist() == ["s0", "s1", "s1"]
    assert three.covariates()["site"].fillna("unknown").tolist() == ["A", "B", "unknown"]


def test_unreadable_items_leave_and_an_emptied_case_goes(three):
    first, _, last = three.cases
    bad = {
        ("pet", first.sources["pet"][0]): "is empty",
        ("pet", last.sources["pet"][0]): "is a web page",
    }
    left = three.without(bad)
    assert [case.id for case in left.cases] == ["case-0000", "case-0001"]
    assert left.owned().loc["case-0000"].tolist() == [True, False]
    assert left.faults == (
        Fault("case-0000", "pet", "is empty"),
        Fault("case-0002", "pet", "is a web page"),
        Fault("case-0002", None, "nothing of it can be read; left out"),
    )


def test_a_study_of_one_modality_drops_cases_that_lack_it(three):
    mri = three.only(["mri"])
    assert mri.modalities == ("mri",)
    assert [case.id for case in mri.cases] == ["case-0000", "case-0001"]
    with pytest.raises(DataError, match=r"no modality 'ct' \(mri, pet\)"):
        three.only(["ct"])


def test_a_modality_nobody_owns_is_named_where_it_is_asked_for(make_cohort):
    cohort = make_cohort([("s0", 0, "A", ("mri",), None), ("s1", 1, "A", ("mri",), None)])
    require_modalities(cohort, ["mri"])
    with pytest.raises(DataError, match="no case owns pet; leave it out of the study"):
        require_modalities(cohort, ["mri", "pet"])


def test_a_cohort_of_which_nothing_is_left_is_nothing_readable(three):
    sources = {item: "is empty" for _, _, items in three.items() for item in items}
    left = three.without(three.unreadable(sources))
    with pytest.raises(NothingReadable, match=r"nothing can be read .* case-0000 mri: is empty"):
        require_modalities(left, ["mri"])


def test_every_class_needs_a_case(make_cohort, three):
    require_classes(three)
    require_classes(replace(three, classes=()))
    with pytest.raises(DataError, match="no case of class AD; all 2 cases are CN"):
        require_classes(make_cohort([("a", 0, "A", BOTH, None), ("b", 0, "A", BOTH, None)]))


def test_ids_are_unique_and_ascending(three):
    with pytest.raises(DataError, match="unique and ascending"):
        replace(three, cases=three.cases[::-1])
    with pytest.raises(DataError, match="unique and ascending"):
        replace(three, cases=(three.cases[0], three.cases[0]))


def test_a_case_that_owns_nothing_is_no_case(three):
    with pytest.raises(DataError, match="case-0000 owns nothing"):
        replace(three, cases=(replace(three.cases[0], sources={}),))
