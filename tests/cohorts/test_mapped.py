"""Tables in the shape of ADNI's: ADNIMERGE (diagnoses as text) and DXSUM (as numbers)."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mmmed import config, library
from mmmed.cohorts.bids import BidsCohort
from mmmed.cohorts.caps import CapsCohort
from mmmed.cohorts.mapped import MappedTable
from mmmed.cohorts.reading import read
from mmmed.errors import DataError

MERGE = "RID,PTID,VISCODE,SITE,EXAMDATE,DX_bl,DX,AGE,PTGENDER"
DXSUM = "RID,PTID,VISCODE,VISCODE2,EXAMDATE,DIAGNOSIS"


def shipped(root, name="adni") -> BidsCohort:
    document = config.read(library.find("cohorts", name, start=None).path)
    spec = config.validate(document, BidsCohort, drop=("mmmed",))
    return spec.model_copy(update={"root": root})


@pytest.fixture
def adni(empty_bids):
    """Four subjects at baseline, two seen again."""
    for number in (1, 2, 3, 4):
        empty_bids.case(f"sub-ADNI00{number}S000{number}", "ses-M000", "mri", "pet")
    empty_bids.case("sub-ADNI001S0001", "ses-M012", "mri")
    return empty_bids


def write(tree, name, *lines, end="\n", start=""):
    (tree.root / name).write_bytes((start + end.join(lines) + end).encode())


MERGED = (
    MERGE,
    "1,001_S_0001,bl,1,2005-09-08,CN,CN,74.3,Male",
    "1,001_S_0001,m12,1,2006-09-12,CN,MCI,74.3,Male",
    "2,002_S_0002,bl,2,2005-09-12,AD,Dementia,81.3,Male",
    "3,003_S_0003,bl,3,2005-11-08,LMCI,MCI,67.5,Female",
    "4,004_S_0004,bl,4,2005-09-07,CN,CN,73.7,Female",
)


def labels(cohort):
    return {case.subject[-5:]: cohort.classes[case.label] for case in cohort.cases}


@pytest.mark.parametrize(("start", "end"), [("", "\n"), ("\ufeff", "\r\n")])
def test_adnimerge_is_read_with_byte_order_mark_and_carriage_returns(adni, start, end):
    write(adni, "ADNIMERGE.csv", *MERGED, start=start, end=end)
    cohort = read(shipped(adni.root), "adni")
    assert labels(cohort) == {"S0001": "CN", "S0002": "AD", "S0004": "CN"}
    assert cohort.cases[0].covariates == {"age": 74.3, "sex": "Male"}
    assert cohort.cases[0].site == "1"
    assert cohort.faults == ()
    asides = {(one.where[-14:], one.modality): one.reason for one in cohort.asides}
    assert asides["S0001_ses-M012", "mri"] == "not the subject's first visit, which is ses-M000"
    assert asides["S0003_ses-M000", "pet"] == "diagnosis is MCI"


def test_dxsum_codes_are_diagnoses_and_its_baseline_counts_before_its_screening(adni):
    write(
        adni,
        "DXSUM.csv",
        DXSUM,
        "1,,v01,sc,2005-08-20,2",
        "1,001_S_0001,v03,bl,2005-09-08,1",
        "2,002_S_0002,v01,sc,2005-09-12,3",
        "3,003_S_0003,v03,bl,2005-11-08,2",
        "4,004_S_0004,v03,bl,2005-09-07,-4",
    )
    cohort = read(shipped(adni.root), "adni")
    assert labels(cohort) == {"S0001": "CN", "S0002": "AD"}
    assert [str(fault) for fault in cohort.faults] == [
        "sub-ADNI004S0004_ses-M000: has no diagnosis; left out"
    ]


def test_tables_that_contradict_each_other_leave_the_visit_out(adni):
    write(adni, "ADNIMERGE.csv", *MERGED)
    write(adni, "DXSUM.csv", DXSUM, "1,001_S_0001,v03,bl,2005-09-08,3", "2,002_S_0002,,bl,,3")
    cohort = read(shipped(adni.root), "adni")
    assert labels(cohort) == {"S0002": "AD", "S0004": "CN"}
    first, second = map(str, cohort.faults)
    assert first.startswith("ADNI001S0001 M000: two rows of DXSUM.csv or of tables before it")
    assert second == "sub-ADNI001S0001_ses-M000: has no diagnosis; left out"


def test_equal_rows_are_one_and_two_diagnoses_for_one_visit_are_none(adni):
    write(adni, "ADNIMERGE.csv", *MERGED, MERGED[1])
    assert len(read(shipped(adni.root), "adni").cases) == 3
    write(adni, "ADNIMERGE.csv", *MERGED, MERGED[4].replace(",MCI,", ",CN,"), MERGED[5])
    cohort = read(shipped(adni.root), "adni")
    assert labels(cohort) == {"S0001": "CN", "S0002": "AD", "S0004": "CN"}
    assert "differ in diagnosis; keep one" in str(cohort.faults[0])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2005-09-07", "9/7/2005", "'9/7/2005' is no date written YYYY-MM-DD; state `day_format`"),
        ("2005-09-07", "2005-13-41", "is no date"),
        ("004_S_0004", "", "line 6: names no PTID"),
        (",bl,4", ",,4", "names no VISCODE"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault_of_its_own(adni, old, new, words):
    write(adni, "ADNIMERGE.csv", *MERGED[:5], MERGED[5].replace(old, new))
    cohort = read(shipped(adni.root), "adni")
    assert labels(cohort) == {"S0001": "CN", "S0002": "AD"}
    assert words in "\n".join(map(str, cohort.faults))


def test_dates_in_another_form_are_read_where_the_form_is_stated(adni):
    american = [line.replace("2005-09-0", "9/").replace("/8,", "/8/2005,") for line in MERGED]
    write(adni, "ADNIMERGE.csv", *american[:2], MERGED[3].replace("2005-09-12", "9/12/2005"))
    spec = shipped(adni.root)
    table = spec.tables[0].model_copy(update={"day_format": "%m/%d/%Y"})
    cohort = read(spec.model_copy(update={"tables": (table,)}), "adni")
    assert labels(cohort) == {"S0001": "CN", "S0002": "AD"}


@pytest.mark.parametrize("month", ["-3", "soon", "inf"])
def test_months_before_the_baseline_are_faults(adni, month):
    rows = ["PTID,VISCODE,M,DX", "001_S_0001,bl,0,CN", "002_S_0002,bl,0,AD"]
    write(adni, "ADNIMERGE.csv", *rows, f"004_S_0004,bl,{month},CN")
    table = {"file": "ADNIMERGE.csv", "subject": "PTID", "prefix": "ADNI", "session": "VISCODE",
             "month": "M", "columns": {"diagnosis": "DX"}}  # fmt: skip
    spec = shipped(adni.root).model_dump(mode="json") | {"tables": [table]}
    cohort = read(BidsCohort.model_validate(spec), "adni")
    assert f"line 4: {month!r} is no month since the baseline" in "\n".join(map(str, cohort.faults))


def test_a_diagnosis_nobody_maps_is_named_with_its_case(adni):
    write(adni, "ADNIMERGE.csv", *(line.replace(",MCI,", ",SCD,") for line in MERGED))
    with pytest.raises(DataError, match="case sub-ADNI003S0003_ses-M000: diagnosis is 'SCD'"):
        read(shipped(adni.root), "adni")


def test_all_of_one_class_is_refused(adni):
    write(adni, "ADNIMERGE.csv", *(line.replace("Dementia", "CN") for line in MERGED))
    with pytest.raises(DataError, match="no case of class AD; all 3 cases are CN"):
        read(shipped(adni.root), "adni")


def test_a_column_that_is_not_there_is_named(adni):
    write(adni, "ADNIMERGE.csv", *(line.replace("PTID", "SUBJECT") for line in MERGED))
    with pytest.raises(DataError, match="the column 'PTID' is missing"):
        read(shipped(adni.root), "adni")


def test_follow_up_without_scans_decides_who_converts(adni):
    seen = [("001_S_0001", "m36", "MCI"), ("002_S_0002", "m24", "Dementia"),
            ("003_S_0003", "m12", "MCI"), ("004_S_0004", "m12", "CN")]  # fmt: skip
    rows = [f"0,{who},bl,1,,,MCI,70,Male" for who, _, _ in seen]
    rows += [f"0,{who},{code},1,,,{dx},70,Male" for who, code, dx in seen]
    write(adni, "ADNIMERGE.csv", MERGE, *rows)
    cohort = read(shipped(adni.root, "adni-conversion"), "adni")
    assert labels(cohort) == {"S0001": "sMCI", "S0002": "pMCI"}
    reasons = {one.where[-14:]: one.reason for one in cohort.asides if one.status == "excluded"}
    assert reasons["S0003_ses-M000"] == "followed for 12 of 36 months without AD"
    assert reasons["S0004_ses-M000"] == "reverter: CN at 12 months"
    assert cohort.faults == ()


def test_a_visit_without_files_is_no_fault_and_a_person_without_any_is_bare(adni):
    write(adni, "ADNIMERGE.csv", *MERGED, "9,009_S_0009,bl,1,2005-01-01,AD,Dementia,70,Male")
    cohort = read(shipped(adni.root), "adni")
    assert [case.id for case in cohort.bare] == ["sub-ADNI009S0009_ses-M000"]
    assert cohort.faults == ()


def test_a_table_by_rid_knows_the_folders_that_end_with_it(adni):
    write(
        adni,
        "DXSUM.csv",
        "RID,VISCODE2,EXAMDATE,DIAGNOSIS",
        "1,bl,2005-09-08,1",
        "0002,bl,2005-09-12,3.0",
        "3.0,bl,2005-11-08,2",
        "77,bl,2005-11-08,1",
        "x,bl,2005-11-08,1",
    )
    cohort = read(shipped(adni.root), "adni")
    assert labels(cohort) == {"S0001": "CN", "S0002": "AD"}
    assert {one.id for one in cohort.bare} == {"sub-77_ses-M000", "sub-x_ses-M000"}
    assert [fault.where for fault in cohort.faults] == ["sub-ADNI004S0004_ses-M000"]


def test_both_tables_of_one_person_without_scans_are_one_person(adni):
    write(adni, "ADNIMERGE.csv", *MERGED, "9,009_S_0009,bl,1,2005-01-01,AD,Dementia,70,Male")
    write(adni, "DXSUM.csv", DXSUM, "9,,v03,bl,2005-01-01,3")
    assert [one.id for one in read(shipped(adni.root), "adni").bare] == [
        "sub-ADNI009S0009_ses-M000"
    ]


def test_a_number_that_two_folders_end_with_is_nobodys(adni):
    adni.case("sub-ADNI055S0001", "ses-M000", "mri")
    write(adni, "DXSUM.csv", DXSUM, "1,,,bl,,1", "2,,,bl,,3", "4,,,bl,,1")
    cohort = read(shipped(adni.root), "adni")
    assert labels(cohort) == {"S0002": "AD", "S0004": "CN"}
    assert "line 2: its RID may be that of ADNI001S0001 or ADNI055S0001" in str(cohort.faults[0])


@pytest.mark.parametrize(
    ("told", "diagnosis"),
    [("MCI to Dementia", "AD"), ("NL", "CN"), ("MCI to NL", "CN"), ("NL to Dementia", "AD")],
)
def test_transitions_of_older_tables_are_what_they_lead_to(adni, told, diagnosis):
    rows = [*MERGED[:2], MERGED[3], f"4,004_S_0004,bl,4,2005-09-07,CN,{told},73.7,Female"]
    write(adni, "ADNIMERGE.csv", *rows)
    assert labels(read(shipped(adni.root), "adni"))["S0004"] == diagnosis


DATED = {
    "file": "visits.csv",
    "subject": "RID",
    "match": "S([0-9]+)$",
    "session": None,
    "day": "EXAMDATE",
    "nearest_days": 90,
    "columns": {"diagnosis": "DX"},
    "missing": ["-4"],
}


def dated(tree, *lines, name="adni", **changes):
    """The cohort with a table that tells visits by dates alone."""
    write(tree, "visits.csv", "RID,EXAMDATE,DX", *lines)
    spec = shipped(tree.root, name).model_dump(mode="json")
    return read(BidsCohort.model_validate(spec | {"tables": [DATED | changes]}), "adni")


@pytest.fixture
def by_date(empty_bids):
    """Subject 1 at two dates, the others at one; each tells its date another way."""
    empty_bids.case("sub-ADNI001S0001", "ses-20060101", "mri")
    empty_bids.case("sub-ADNI001S0001", "ses-20070101T0930", "mri")
    empty_bids.case("sub-ADNI002S0002", "ses-1", "mri")
    empty_bids.table(
        "sub-ADNI002S0002/sub-ADNI002S0002_sessions.tsv", "session_id acq_time", "ses-1 2006-03-01"
    )
    empty_bids.case("sub-ADNI003S0003", None, "mri")
    empty_bids.table(
        "sub-ADNI003S0003/sub-ADNI003S0003_scans.tsv",
        "filename acq_time",
        "anat/sub-ADNI003S0003_T1w.nii.gz 2006-05-01T10:00:00",
    )
    return empty_bids


def test_a_session_takes_the_row_nearest_to_it_within_the_days_allowed(by_date):
    cohort = dated(
        by_date,
        "1,2005-12-01,CN",  # 31 days before the first session
        "1,2006-01-20,Dementia",  # 19 days after it
        "2,2006-05-30,CN",  # 90 days after it
        "3,2006-08-01,CN",  # 92 days after it
    )
    assert labels(cohort) == {"S0001": "AD", "S0002": "CN"}
    (fault,) = cohort.faults
    assert str(fault) == (
        "sub-ADNI003S0003: has no diagnosis; left out (the nearest row of visits.csv is 92 days "
        "away; 90 count)"
    )


def test_of_two_rows_equally_near_the_earlier_counts(by_date):
    cohort = dated(
        by_date,
        "1,2005-12-22,CN",
        "1,2006-01-11,Dementia",
        "2,2006-03-01,Dementia",
        "3,2006-05-01,CN",
    )
    assert labels(cohort)["S0001"] == "CN"


def test_a_row_without_a_diagnosis_gives_way_to_one_that_has_it(by_date):
    cohort = dated(
        by_date,
        "1,2006-01-02,-4",
        "1,2006-02-01,CN",
        "2,2006-03-01,Dementia",
        "3,2006-05-01,",
    )
    assert labels(cohort) == {"S0001": "CN", "S0002": "AD"}
    assert [str(one) for one in cohort.faults] == ["sub-ADNI003S0003: has no diagnosis; left out"]


def test_two_tables_of_dates_that_differ_tell_no_diagnosis(by_date):
    write(by_date, "again.csv", "RID,EXAMDATE,DX", "1,2006-01-03,Dementia", "2,2006-03-01,Dementia")
    write(by_date, "visits.csv", "RID,EXAMDATE,DX", "1,2006-01-01,CN", "3,2006-05-01,CN")
    spec = shipped(by_date.root).model_dump(mode="json")
    tables = [DATED, DATED | {"file": "again.csv"}]
    cohort = read(BidsCohort.model_validate(spec | {"tables": tables}), "adni")
    assert labels(cohort) == {"S0002": "AD", "S0003": "CN"}
    assert "(visits.csv and again.csv differ in diagnosis)" in str(cohort.faults[0])


AGES = {
    **DATED,
    "file": "age.csv",
    "columns": {"age": "AGE"},
}
PERSON = {"file": "people.csv", "subject": "RID", "match": "S([0-9]+)$", "session": None}


@pytest.mark.parametrize("ages", [[], [AGES]], ids=["diagnoses alone", "ages first"])
def test_a_table_of_ages_leaves_a_diagnosis_unknown_that_is_far_away(by_date, ages):
    write(by_date, "people.csv", "RID,diagnosis", "1,AD", "2,AD", "3,CN")
    write(by_date, "age.csv", "RID,EXAMDATE,AGE", "1,2006-01-01,70", "1,2009-01-01,73")
    write(by_date, "visits.csv", "RID,EXAMDATE,DX", "1,2008-01-01,CN")
    spec = shipped(by_date.root).model_dump(mode="json")
    cohort = read(
        BidsCohort.model_validate(spec | {"tables": [PERSON, *ages, DATED]}),
        "adni",
    )
    assert labels(cohort) == {"S0002": "AD", "S0003": "CN"}
    (fault,) = cohort.faults
    assert str(fault) == (
        "sub-ADNI001S0001_ses-20060101: has no diagnosis; left out (the nearest row of visits.csv "
        "is 730 days away; 90 count)"
    )


def test_the_row_of_an_age_is_no_visit_with_the_diagnosis_of_the_person(by_date):
    """The person is AD now; the row of an age in 2008 does not say that they were AD then."""
    write(by_date, "people.csv", "RID,diagnosis", "1,AD")
    write(by_date, "age.csv", "RID,EXAMDATE,AGE", "1,2008-01-01,72")
    write(
        by_date,
        "visits.csv",
        "RID,EXAMDATE,DX",
        "1,2006-01-01,MCI",
        "1,2009-02-01,MCI",
        "2,2006-03-01,MCI",
        "2,2008-03-01,Dementia",
    )
    spec = shipped(by_date.root, "adni-conversion").model_dump(mode="json")
    tables = [PERSON, AGES, DATED]
    cohort = read(BidsCohort.model_validate(spec | {"tables": tables}), "adni")
    assert labels(cohort) == {"S0001": "sMCI", "S0002": "pMCI"}


def test_rows_that_differ_on_one_day_do_not_count_and_neither_does_a_third(by_date):
    same = ["1,2006-01-01,CN", "1,2006-01-01,Dementia", "1,2006-01-01,CN"]
    cohort = dated(by_date, *same, "2,2006-03-01,Dementia", "3,2006-05-01,CN", "3,2006-05-01,CN")
    assert labels(cohort) == {"S0002": "AD", "S0003": "CN"}
    first, second = map(str, cohort.faults)
    assert first.startswith("ADNI001S0001 2006-01-01: two rows of visits.csv")
    assert "has no diagnosis" in second


@pytest.mark.parametrize("text", ["3/1/2006", "", "2006-02-30", "soon"])
def test_a_date_that_cannot_be_read_is_one_line(by_date, text):
    cohort = dated(by_date, f"1,{text},CN", "2,2006-03-01,Dementia", "3,2006-05-01,CN")
    said = [str(fault) for fault in cohort.faults]
    assert sum("visits.csv line 2" in one for one in said) == 1
    assert labels(cohort) == {"S0002": "AD", "S0003": "CN"}


def test_a_session_of_an_unknown_day_says_so(by_date):
    by_date.case("sub-ADNI004S0004", "ses-1", "mri")
    cohort = dated(
        by_date, "1,2006-01-01,CN", "2,2006-03-01,Dementia", "3,2006-05-01,CN", "4,2006-05-01,CN"
    )
    assert "when its scans were taken is not known" in str(cohort.faults[0])


def test_dates_alone_tell_who_converts(by_date):
    cohort = dated(
        by_date,
        "1,2006-01-05,MCI",
        "1,2008-01-05,Dementia",
        "2,2006-03-01,MCI",
        "2,2009-04-01,MCI",
        "3,2006-05-01,MCI",
        "3,2006-11-01,MCI",
        name="adni-conversion",
    )
    assert labels(cohort) == {"S0001": "pMCI", "S0002": "sMCI"}
    reasons = {one.where: one.reason for one in cohort.asides}
    assert reasons["sub-ADNI003S0003"].startswith("followed for 6.0")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"session": "VISCODE"}, "nearest_days needs"),
        ({"day": None}, "nearest_days needs"),
        ({"match": "S[0-9]+$"}, "needs one group"),
        ({"match": "("}, "no regular expression"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        MappedTable.model_validate(DATED | changes)


def test_the_same_tables_label_a_caps_folder(caps):
    document = config.read(library.find("cohorts", "adni-caps", start=None).path)
    spec = config.validate(document, CapsCohort, drop=("mmmed",))
    for number in (1, 2, 3):
        caps.case(f"sub-ADNI00{number}S000{number}", "ses-M000", "mri", "pet")
    write(caps, "ADNIMERGE.csv", *MERGED)
    cohort = read(spec.model_copy(update={"root": caps.root}), "adni-caps")
    mine = {one.subject[-5:]: cohort.classes[one.label] for one in cohort.cases}
    assert {"S0001": "CN", "S0002": "AD"}.items() <= mine.items()
    assert cohort.rule.startswith("CN against AD (positive: AD): diagnosis at each subject's first")
