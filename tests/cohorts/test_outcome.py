"""Expected classes are worked out by hand from the definitions in `label`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mmmed.cohorts.label import Label
from mmmed.cohorts.outcome import Seen, judge

CONVERSION = {
    "column": "dx",
    "classes": ["sMCI", "pMCI"],
    "exclude": ["FTD"],
    "values": {"Dementia": "AD"},
    "rule": {"kind": "conversion", "months": 36},
}


def conversion(visits, **changes):
    rule = {**CONVERSION["rule"], **changes}
    seen = [Seen(month, diagnosis) for month, diagnosis in visits]
    return judge(seen[0], seen[1:], Label.model_validate({**CONVERSION, "rule": rule}))


@pytest.mark.parametrize(
    ("later", "answer"),
    [
        ([(12, "MCI"), (36, "MCI")], "sMCI"),
        ([(12, "MCI"), (48, "MCI")], "sMCI"),
        ([(36, "MCI"), (48, "AD")], "sMCI"),
        ([(36, "AD")], "pMCI"),
        ([(12, "MCI"), (24, "Dementia"), (36, "AD")], "pMCI"),
        ([(6, "AD")], "pMCI"),
        ([], "followed for 0 of 36 months without AD"),
        ([(24, "MCI"), (30, "n/a")], "followed for 24 of 36 months without AD"),
        ([(24, "MCI"), (48, "AD")], "AD between 24 and 48 months: unknown at 36"),
        ([(12, "CN"), (36, "MCI")], "reverter: CN at 12 months"),
        ([(12, "AD"), (24, "MCI"), (36, "AD")], "reverter: MCI at 24 months"),
        ([(36, "MCI"), (48, "CN")], "sMCI"),
        ([(12, "FTD")], "dx is FTD at 12 months"),
        ([(12, "Alzheimer")], "Alzheimer"),
    ],
)
def test_a_conversion_is_what_later_visits_say_within_the_horizon(later, answer):
    verdict = conversion([(0, "MCI"), *later])
    assert (verdict.text or verdict.reason) == answer


def test_visits_before_the_case_do_not_count():
    assert conversion([(12, "MCI"), (0, "AD"), (48, "MCI")]).text == "sMCI"


def test_reverters_are_kept_where_the_cohort_says_so():
    visits = [(0, "MCI"), (12, "CN"), (36, "MCI")]
    assert conversion(visits).kind == "excluded"
    assert conversion(visits, reverters="keep").text == "sMCI"


def test_a_tolerance_lets_visits_around_the_horizon_count():
    assert conversion([(0, "MCI"), (35.2, "MCI")]).kind == "excluded"
    assert conversion([(0, "MCI"), (35.2, "MCI")], tolerance=3).text == "sMCI"
    assert conversion([(0, "MCI"), (37.5, "AD")], tolerance=3).text == "pMCI"


def test_another_stage_at_the_visit_is_excluded_and_none_is_missing():
    assert conversion([(0, "CN")]).reason == "dx is CN, not MCI"
    assert conversion([(0, None)]).kind == "missing"
    assert conversion([(None, "MCI")]).reason == "has neither month nor date of its visit; left out"


def test_the_rule_is_a_sentence():
    label = Label.model_validate(CONVERSION)
    assert label.sentence("pMCI", visits="baseline") == (
        "sMCI against pMCI (positive: pMCI): dx MCI at each subject's first visit, and AD within "
        "36 months or not; followed for less: left out; reverters: left out; left out: FTD"
    )
    plain = Label.model_validate({"column": "dx", "classes": ["CN", "AD"], "exclude": ["MCI"]})
    assert plain.sentence("AD", visits="all") == (
        "CN against AD (positive: AD): dx at each visit; left out: MCI"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"months": -6},
        {"start": "AD", "end": "MCI"},
        {"start": "EMCI"},
        {"stages": ["CN", "CN"]},
        {"tolerance": -1},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(changes):
    with pytest.raises(ValidationError):
        conversion([(0, "MCI")], **changes)
