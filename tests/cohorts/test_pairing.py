"""Distances in days are counted by hand from the dates."""

from __future__ import annotations

import pytest

from mmmed.cohorts.bids import read_bids
from mmmed.errors import StudyError

PAIRING = {"anchor": "mri", "window_days": 100}


@pytest.fixture
def dated(empty_bids):
    """MRI on 1 January; PETs of sessions of their own on the dates a test names."""

    def make(*pets, mri="2020-01-01"):
        empty_bids.case("sub-1", "ses-M000", "mri")
        lines = [f"ses-M000 {mri}"]
        for number, day in enumerate(pets, start=1):
            empty_bids.case("sub-1", f"ses-P{number}", "pet")
            lines.append(f"ses-P{number} {day}")
        empty_bids.table("sub-1/sub-1_sessions.tsv", "session_id acq_time", *lines)
        return read_bids(empty_bids.spec(label=None, pairing=PAIRING), "dated")

    return make


def owned(cohort):
    return {case.session: sorted(case.sources) for case in cohort.cases}


def told(cohort):
    return {(one.session, one.modality): (one.status, one.reason) for one in cohort.asides}


def test_a_pet_within_the_window_joins_its_mri(dated):
    cohort = dated("2020-01-31T10:00:00")
    assert owned(cohort) == {"ses-M000": ["mri", "pet"]}
    assert cohort.bare == ()
    assert told(cohort)["ses-P1", "pet"] == (
        "excluded",
        "makes one case with ses-M000, 30 days away",
    )


def test_the_nearest_of_several_is_taken(dated):
    cohort = dated("2020-03-01", "2020-01-11", "2019-12-01")
    assert owned(cohort) == {"ses-M000": ["mri", "pet"]}
    (case,) = cohort.cases
    assert case.sources["pet"][0].path.parts[-3] == "ses-P2"
    assert told(cohort)["ses-P1", "pet"] == ("excluded", "ses-P2 has one nearer to ses-M000")


def test_a_pet_outside_the_window_is_a_case_of_its_own(dated):
    cohort = dated("2021-01-01")
    assert owned(cohort) == {"ses-M000": ["mri"], "ses-P1": ["pet"]}
    assert told(cohort)["ses-M000", "pet"] == (
        "outside the time window",
        "the nearest, of ses-P1, is 366 days away; 100 are allowed",
    )


def test_of_two_equally_near_the_earlier_is_taken(dated):
    cohort = dated("2020-01-11", "2019-12-22")
    (case,) = cohort.cases
    assert case.sources["pet"][0].path.parts[-3] == "ses-P2"


def test_scans_of_one_session_far_apart_by_their_own_dates_are_no_pair(empty_bids):
    empty_bids.case("sub-1", "ses-M000", "mri", "pet")
    empty_bids.table(
        "sub-1/ses-M000/sub-1_ses-M000_scans.tsv",
        "filename acq_time",
        "anat/sub-1_ses-M000_T1w.nii.gz 2020-01-01T09:00:00",
        "pet/sub-1_ses-M000_trc-18FFDG_pet.nii.gz 2020-12-31T09:00:00",
    )
    cohort = read_bids(empty_bids.spec(label=None, pairing=PAIRING), "far")
    assert owned(cohort) == {"ses-M000": ["mri"]}
    assert told(cohort)["ses-M000", "pet"][0] == "outside the time window"


def test_without_dates_a_session_is_a_case(empty_bids):
    empty_bids.case("sub-1", "ses-M000", "mri")
    empty_bids.case("sub-1", "ses-M003", "pet")
    cohort = read_bids(empty_bids.spec(label=None, pairing=PAIRING), "undated")
    assert owned(cohort) == {"ses-M000": ["mri"], "ses-M003": ["pet"]}


def test_a_pet_belongs_to_its_nearest_mri_alone(empty_bids):
    for session, modality in (("ses-A", "mri"), ("ses-B", "mri"), ("ses-C", "pet")):
        empty_bids.case("sub-1", session, modality)
    empty_bids.table(
        "sub-1/sub-1_sessions.tsv",
        "session_id acq_time",
        "ses-A 2020-01-01",
        "ses-B 2020-03-01",
        "ses-C 2020-02-15",
    )
    cohort = read_bids(empty_bids.spec(label=None, pairing=PAIRING), "two")
    assert owned(cohort) == {"ses-A": ["mri"], "ses-B": ["mri", "pet"]}


def test_an_anchor_that_is_no_modality_is_refused(empty_bids):
    empty_bids.case("sub-1", "ses-A", "mri")
    with pytest.raises(StudyError, match=r"pairing\.anchor: 'mir' is no modality; did you mean"):
        read_bids(empty_bids.spec(label=None, pairing={"anchor": "mir"}), "odd")
