"""Cases from a folder of DICOM: whose they are, which series, and why."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from pydicom.uid import CTImageStorage
from pydicom.uid import PositronEmissionTomographyImageStorage as PetImage
from slices import headers, save

from mmmed.cohorts import choice_table
from mmmed.cohorts.dicom import cohort
from mmmed.cohorts.dicom_cohort import DICOM, DicomCohort, load_dicom
from mmmed.cohorts.dicom_folder import look
from mmmed.cohorts.reading import read
from mmmed.errors import DataError, NothingReadable, StudyError
from mmmed.record import table

RULES = load_dicom(DICOM, start=None)
MRI = {"SeriesDescription": "t1_mprage", "MRAcquisitionType": "3D", "StudyDate": "20260101"}
PET = {
    "SOPClassUID": PetImage,
    "Modality": "PT",
    "SeriesDescription": "PET AC Brain",
    "CorrectedImage": ["ATTN"],
    "Units": "BQML",
    "StudyDate": "20260301",
}
NAME = "Doe^Jane"


def put(folder: Path, said: dict, **changed) -> None:
    """A series that covers 120 mm: 60 slices of an MRI, 20 of a PET."""
    common = {"PixelSpacing": [1.0, 1.0], "PatientName": NAME, **said, **changed}
    count = 20 if said is PET else 60
    save(headers(np.zeros((count, 4, 4), np.uint16), step=120 / count, **common), folder)


def choice(found, tmp_path: Path) -> dict[str, dict[str, str]]:
    """The rows of `choice.tsv` by the folder of the series, or the name of the file."""
    path = tmp_path / "choice.tsv"
    choice_table.write(found, path)
    assert NAME not in path.read_text()
    return {row["path"].split("/")[0]: row for row in table.read(path, choice_table.CHOICE)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MRI, a localiser of the same Study, and a PET two months later."""
    folder = tmp_path_factory.mktemp("made")
    put(folder / "mri", MRI, StudyInstanceUID="1.1", SeriesNumber=2)
    scout = {"StudyInstanceUID": "1.1", "SeriesNumber": 1, "SeriesDescription": "t1 localizer"}
    put(folder / "scout", MRI, **scout)
    put(folder / "pet", PET, StudyInstanceUID="1.2")
    return folder


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """The same, to add to."""
    return shutil.copytree(made, tmp_path / "in")


def test_an_mri_and_a_pet_of_two_studies_make_one_case(root, tmp_path):
    found = look(root, RULES)
    (case,) = cohort(found, "in").cases
    digest = hashlib.sha256(b"one\\").hexdigest()[:10]
    assert case.id == f"sub-{digest}_ses-20260101"
    assert {name: len(items) for name, items in case.sources.items()} == {"mri": 1, "pet": 1}
    assert set(case.sources["pet"][0].files) == set((root / "pet").iterdir())
    rows = choice(found, tmp_path)
    assert {name: row["case_id"] for name, row in rows.items()} == {
        "mri": case.id,
        "pet": case.id,
        "scout": "n/a",
    }
    assert rows["pet"]["why"].endswith("makes one case with ses-20260101, 59 days away")
    assert "is a localiser" in rows["scout"]["why"]


def test_a_pet_outside_the_window_is_a_case_of_its_own(root):
    pairing = RULES.pairing.model_copy(update={"window_days": 58})
    found = look(root, RULES.model_copy(update={"pairing": pairing}))
    assert [set(case.sources) for case in cohort(found, "in").cases] == [{"mri"}, {"pet"}]
    alone = look(root, RULES.model_copy(update={"pairing": None}))
    assert len(cohort(alone, "in").cases) == 2


def test_the_issuer_tells_patients_of_one_id_apart(root):
    put(root / "other", MRI, IssuerOfPatientID="elsewhere")
    subjects = {case.subject for case in cohort(look(root, RULES), "in").cases}
    assert len(subjects) == 2


def test_studies_of_one_day_and_without_a_date_keep_apart(root):
    put(root / "again", MRI)
    for place in ("undated", "senseless"):
        put(root / place, MRI, StudyDate=None if place == "undated" else "20260230")
    found = look(root, RULES)
    assert len(found.rows) == len({row.id for row in found.rows}) == 5
    assert all(
        case.id.replace("_", "").replace("-", "").isalnum() for case in cohort(found, "").cases
    )


def test_studies_without_a_patient_id_are_nobodys_together(tmp_path):
    for place in ("first", "second"):
        put(tmp_path / place, MRI, PatientID=None)
    assert len({case.subject for case in cohort(look(tmp_path, RULES), "in").cases}) == 2


def test_of_two_that_fit_equally_the_lower_number_counts_and_both_say_so(root, tmp_path):
    put(root / "twin", MRI, StudyInstanceUID="1.1", SeriesNumber=3)
    rows = choice(look(root, RULES), tmp_path)
    assert (rows["mri"]["status"], rows["twin"]["status"]) == ("chosen", "not chosen")
    assert "the lower series number counts" in rows["mri"]["why"]
    assert "the lower series number counts" in rows["twin"]["why"]


def test_a_folder_of_which_no_series_is_fit_has_no_case_but_its_reasons(tmp_path):
    put(tmp_path / "in" / "knee", MRI, BodyPartExamined="KNEE")
    found = look(tmp_path / "in", RULES)
    with pytest.raises(NothingReadable):
        cohort(found, "in")
    assert "another part of the body" in choice(found, tmp_path)["knee"]["why"]


def test_a_study_of_two_patients_is_a_fault_and_the_others_go_on(root, tmp_path):
    put(root / "mixed", MRI, StudyInstanceUID="1.9")
    put(root / "theirs", MRI, StudyInstanceUID="1.9", PatientID="two")
    found = look(root, RULES)
    cases = cohort(found, "in")
    assert len(cases.cases) == 1
    assert len(cases.faults) == 2
    assert "2 different Patient IDs" in cases.faults[0].reason
    rows = choice(found, tmp_path)
    assert (rows["mixed"]["status"], rows["theirs"]["case_id"]) == ("refused", "n/a")


def test_files_that_are_no_slices_have_a_row(root, tmp_path):
    (root / "notes.txt").write_text("no DICOM")
    row = choice(look(root, RULES), tmp_path)["notes.txt"]
    assert (row["status"], row["why"]) == ("set-aside", "is no DICOM file")


def test_a_series_whose_headers_are_gone_is_a_fault(root, tmp_path):
    found = look(root, RULES)
    (series,) = [one for one in found.index.series if one.modality == "PT"]
    key = (series.study, series.uid)
    lost = replace(found, unread={key: "cannot be read"}, verdicts={
        one: told for one, told in found.verdicts.items() if one != key
    })  # fmt: skip
    assert choice(lost, tmp_path)["pet"]["status"] == "unreadable"
    assert [fault.reason for fault in cohort(lost, "in").faults] == ["cannot be read"]


LABELLED = {
    "label": {"column": "diagnosis", "classes": ["CN", "AD"]},
    "tables": [{"file": "people.tsv", "subject": "id", "session": None}],
}


def labelled(**changed) -> DicomCohort:
    values = {**RULES.model_dump(mode="json"), **LABELLED, **changed}
    return DicomCohort.model_validate(values)


@pytest.fixture
def two(root: Path) -> Path:
    """The same with a second patient."""
    put(root / "second", MRI, PatientID="two")
    return root


def test_a_table_of_patient_ids_labels_the_cases_and_the_ids_stay_in_it(two):
    (two / "people.tsv").write_text("id\tdiagnosis\tage\none\tAD\t71\ntwo\tCN\t68\n")
    found = read(labelled(root=two), "in")
    of_label = {found.classes[case.label]: case for case in found.cases}
    assert dict(of_label["AD"].covariates) == {"age": 71.0}
    assert set(of_label["AD"].sources) == {"mri", "pet"}
    assert set(of_label["CN"].sources) == {"mri"}
    assert found.rule.startswith("CN against AD (positive: AD): diagnosis")
    assert found.tables == (two / "people.tsv",)


def test_a_table_may_name_subjects_as_mmmed_does(two):
    names = [f"sub-{hashlib.sha256(one).hexdigest()[:10]}" for one in (b"one\\", b"two\\")]
    (two / "people.tsv").write_text(f"id\tdiagnosis\n{names[0]}\tAD\n{names[1]}\tCN\n")
    assert sorted(case.label for case in read(labelled(root=two), "in").cases) == [0, 1]


@pytest.mark.parametrize("key", [{"match": "([0-9]+)$"}, {"prefix": "ADNI"}])
def test_a_table_that_looks_for_ids_in_digests_is_refused(key):
    with pytest.raises(ValidationError, match="here patients are digests"):
        labelled(tables=[{**LABELLED["tables"][0], **key}])


def test_ids_of_an_issuer_are_found_by_the_issuer(two):
    for folder, patient in (("x", "one"), ("y", "two")):
        put(two / folder, MRI, PatientID=patient, IssuerOfPatientID="elsewhere")
    (two / "people.tsv").write_text("id\tdiagnosis\none\tAD\ntwo\tCN\n")
    found = read(labelled(root=two, issuer="elsewhere"), "in")
    assert len(found.cases) == 2
    assert [fault.reason for fault in found.faults if "diagnosis" in fault.reason]


def test_a_case_without_a_diagnosis_is_a_fault(two):
    (two / "people.tsv").write_text("id\tdiagnosis\none\tAD\nthree\tCN\n")
    with pytest.raises(DataError, match="CN"):
        read(labelled(root=two), "in")


def test_a_cohort_of_no_folder_says_what_to_name():
    with pytest.raises(StudyError, match=r"cohort\.root=DIR"):
        read(RULES, "in")


def test_a_table_of_dates_labels_the_dicom_study_that_is_near(two):
    (two / "people.tsv").write_text(
        "id\tseen\tdiagnosis\none\t2026-01-11\tAD\none\t2025-01-11\tCN\ntwo\t2026-01-02\tCN\n"
    )
    table = {"file": "people.tsv", "subject": "id", "session": None, "day": "seen"}
    spec = labelled(root=two, tables=[{**table, "nearest_days": 30}])
    found = read(spec, "in")
    assert {found.classes[case.label]: set(case.sources) for case in found.cases} == {
        "AD": {"mri", "pet"},
        "CN": {"mri"},
    }
    nearer = spec.model_copy(
        update={"tables": (spec.tables[0].model_copy(update={"nearest_days": 9}),)}
    )
    with pytest.raises(DataError, match="no case of class AD"):
        read(nearer, "in")


def test_visits_that_only_a_table_knows_tell_who_converts(two):
    """The MRIs are of 1 January 2026; a third patient has no scan here and is nobody's case."""
    rows = [
        "one\t2026-01-05\tMCI",
        "one\t2028-01-05\tAD",
        "two\t2026-01-05\tMCI",
        "two\t2029-02-05\tMCI",
        "three\t2026-01-05\tMCI",
    ]
    (two / "people.tsv").write_text("\n".join(["id\tseen\tdiagnosis", *rows, ""]))
    table = {"file": "people.tsv", "subject": "id", "session": None, "day": "seen"}
    rule = {"kind": "conversion", "start": "MCI", "end": "AD", "months": 36}
    label = {"column": "diagnosis", "classes": ["sMCI", "pMCI"], "rule": rule}
    found = read(labelled(root=two, label=label, tables=[{**table, "nearest_days": 60}]), "in")
    assert {found.classes[case.label]: set(case.sources) for case in found.cases} == {
        "pMCI": {"mri", "pet"},
        "sMCI": {"mri"},
    }
    assert found.bare == ()


def test_headers_of_a_kind_that_no_rule_wants_are_read_by_the_index_alone(root, tmp_path):
    put(root / "ct", MRI, Modality="CT", SOPClassUID=CTImageStorage, SeriesDescription="CT AC")
    found = look(root, RULES)
    (series,) = [one for one in found.index.series if one.modality == "CT"]
    facts = found.facts[series.study, series.uid]
    assert (facts.description, facts.images, facts.slices) == ("CT AC", 60, None)
    assert choice(found, tmp_path)["ct"]["why"].startswith("not chosen for mri: is no MR")


def test_rules_that_begin_otherwise_are_asked_of_every_series(root):
    own = {"say": "is thick", "rule": {"kind": "between", "fact": "thickest_mm", "most": 3.0}}
    values = RULES.model_dump(mode="json")
    for rules in values["modalities"].values():
        rules["require"] = [own]
        rules["exclude"] = []
    put(root / "ct", MRI, Modality="CT", SOPClassUID=CTImageStorage)
    found = look(root, DicomCohort.model_validate(values))
    assert all(facts.slices for facts in found.facts.values())
