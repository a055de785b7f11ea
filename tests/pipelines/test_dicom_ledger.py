from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydicom.uid import PositronEmissionTomographyImageStorage as PetImage
from scipy import stats
from slices import headers, save
from study import SERIES, STUDY, write_series

from mmmed import library
from mmmed.cohorts.choice_table import CHOICE
from mmmed.pipelines.availability import ABSENCE, LEDGER
from mmmed.record import table


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two series of one patient, one of another, a note and a damaged file."""
    root = tmp_path / "archive"
    write_series(root / "a", 3)
    write_series(root / "b", 2, series=f"{SERIES}.7", SeriesDescription="T1\tw<b>\n")
    write_series(root / "c", 2, StudyInstanceUID=f"{STUDY}.5", PatientID="other^patient")
    (root / "note.txt").write_text("no DICOM")
    return root


def test_series_and_what_is_set_aside_are_listed(attempt, archive: Path, tmp_path: Path) -> None:
    done = attempt("check", archive, "--out", tmp_path / "led")
    assert done.code == 0, done.out
    assert "DICOM: 3 series of 2 DICOM Studies of 2 patients" in done.out
    assert "set aside: 1 not-dicom" in done.out
    assert "chosen of 2 DICOM Studies: 0 mri, 0 pet" in done.out
    assert len(table.read(tmp_path / "led" / "choice.tsv", CHOICE)) == 4
    rows = table.read(tmp_path / "led" / "choice.tsv", CHOICE)
    assert sorted((row["status"], row["files"]) for row in rows) == [
        ("not chosen", "2"),
        ("not chosen", "2"),
        ("not chosen", "3"),
        ("set-aside", "1"),
    ]
    ledger = table.read(tmp_path / "led" / "ledger.tsv", LEDGER)
    assert {(row["modality"], row["status"]) for row in ledger} == {
        ("mri", "excluded"),
        ("pet", "never acquired"),
    }
    assert "of 2 series none is fit: has fewer than 60 slices (slices 3)" in " ".join(
        row["reason"] for row in ledger
    )
    texts = [path.read_text() for path in (tmp_path / "led").glob("*.tsv")]
    assert all("other^patient" not in text and str(tmp_path) not in text for text in texts)
    assert (tmp_path / "led" / "ledger.png").is_file()


def test_a_file_that_cannot_be_read_is_a_fault(attempt, archive: Path) -> None:
    damaged = next((archive / "a").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:140])
    done = attempt("check", archive)
    assert done.code == 8
    (line,) = [one for one in done.out.splitlines() if one.startswith("fault: ")]
    assert damaged.name in line


def test_one_of_anything_is_not_counted_as_many_and_a_name_may_be_no_text(
    attempt, tmp_path: Path
) -> None:
    write_series(tmp_path / "in" / os.fsdecode(b"caf\xe9"), 2)
    done = attempt("check", tmp_path / "in", "--out", tmp_path / "led")
    assert "DICOM: 1 series of 1 DICOM Study of 1 patient: 1 MR" in done.out
    (row,) = table.read(tmp_path / "led" / "choice.tsv", CHOICE)
    assert row["path"] == r"caf\xe9/IM001"


def test_the_choice_is_followed_like_the_index(attempt, archive: Path) -> None:
    said = attempt("check", archive).err.splitlines()
    assert {"index: 8/8", "choice: 3/3"} <= set(said)


def test_a_folder_of_neither_scans_nor_dicom_is_exit_3(attempt, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "note.txt").write_text("no DICOM")
    done = attempt("check", tmp_path / "texts")
    assert done.code == 3
    assert "holds no sub-* folder (BIDS) and no subjects/sub-* (CAPS)" in done.complaints[0]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve patients with a PET; the six of site B, who are men and older, have no MRI."""
    root = tmp_path_factory.mktemp("clinic")
    for number in range(12):
        here = number < 6
        said = {
            "PatientID": f"p{number}",
            "StudyInstanceUID": f"1.2.{number + 1}",
            "PatientName": "Doe^Jane",
            "StudyDate": "20260101",
            "PatientSex": "F" if here else "M",
            "PatientAge": f"{60 + number % 3 + (0 if here else 15):03d}Y",
            "InstitutionName": "A" if here else "B",
            "PixelSpacing": [1.0, 1.0],
        }
        pet = {
            "SOPClassUID": PetImage,
            "Modality": "PT",
            "CorrectedImage": ["ATTN", "DECY"],
            "DecayCorrection": "START",
        }
        put(root / f"{number}/pet", 20, **said, **pet, Units="BQML")
        if here:
            t1 = {"SeriesDescription": "t1_mprage", "MRAcquisitionType": "3D"}
            put(root / f"{number}/mri", 60, **said, **t1)
    return root


def put(folder: Path, slices: int, **said: object) -> None:
    save(headers(np.zeros((slices, 4, 4), np.uint16), step=120 / slices, **said), folder)


def test_what_absence_depends_on_is_told_from_headers(
    attempt, clinic: Path, tmp_path: Path
) -> None:
    done = attempt("check", clinic, "--out", tmp_path / "led")
    assert done.code == 0, done.out
    assert "dicom-series: 12 cases of 12 subjects" in done.out
    assert "mri: 6 present, 6 never acquired" in done.out
    assert "mri: absence depends on age" in done.out
    assert "MNAR) cannot be excluded by data" in done.out
    assert "is MCAR" not in done.out
    rows = {row["factor"]: row for row in table.read(tmp_path / "led" / "absence.tsv", ABSENCE)
            if row["modality"] == "mri" and row["measure"] != "odds ratio"}  # fmt: skip
    assert set(rows) == {"age", "sex", "site"}
    fisher = stats.fisher_exact([[6, 0], [0, 6]]).pvalue
    assert float(rows["sex"]["p"]) == pytest.approx(fisher, rel=1e-4)
    assert "Doe" not in (tmp_path / "led" / "ledger.tsv").read_text()


def test_a_table_gives_the_diagnosis_that_headers_do_not(
    attempt, clinic: Path, tmp_path: Path
) -> None:
    rules = yaml.safe_load(library.find("cohorts", "dicom-series", start=None).path.read_text())
    people = [f"p{number}\t{'AD' if number % 2 else 'CN'}" for number in range(12)]
    (tmp_path / "people.tsv").write_text("\n".join(["id\tdiagnosis", *people, ""]))
    rules |= {
        "label": {"column": "diagnosis", "classes": ["CN", "AD"]},
        "tables": [{"file": str(tmp_path / "people.tsv"), "subject": "id", "session": None}],
    }
    (tmp_path / "ours.yaml").write_text(yaml.safe_dump(rules))
    done = attempt("check", clinic, "--cohort", tmp_path / "ours.yaml", "--out", tmp_path / "led")
    assert done.code == 0, done.out
    assert "CN against AD (positive: AD): diagnosis at each visit" in done.out
    assert "classes: 6 CN, 6 AD" in done.out
    factors = {row["factor"] for row in table.read(tmp_path / "led" / "absence.tsv", ABSENCE)}
    assert factors == {"diagnosis", "age", "sex", "site"}


def test_a_chosen_series_that_cannot_be_read_is_unreadable_and_headers_do_not_show_it(
    attempt, clinic: Path, tmp_path: Path
) -> None:
    two = tmp_path / "two"
    for number in (0, 6):
        shutil.copytree(clinic / str(number), two / str(number))
    first = min((two / "0" / "mri").iterdir())
    first.write_bytes(first.read_bytes()[:-8])
    done = attempt("check", two, "--out", tmp_path / "led")
    assert done.code == 8
    assert "mri: 0 present, 1 never acquired, 1 unreadable" in done.out
    rows = table.read(tmp_path / "led" / "ledger.tsv", LEDGER)
    (lost,) = [row for row in rows if row["status"] == "unreadable"]
    assert lost["reason"].startswith("0/mri/")
    quick = attempt("check", two, "--headers-only")
    assert quick.code == 0
    assert "DICOM, headers only" in quick.out
    assert "of chosen series only headers were read" in quick.out
    assert "only headers were read" not in done.out
    assert "mri: 1 present" in quick.out
