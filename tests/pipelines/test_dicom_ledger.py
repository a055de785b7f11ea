from __future__ import annotations

import os
from pathlib import Path

import pytest
from study import SERIES, STUDY, write_series

from mmmed.cohorts.choice_table import CHOICE
from mmmed.pipelines.dicom_ledger import SERIES as LEDGER
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
    rows = table.read(tmp_path / "led" / "ledger.tsv", LEDGER)
    assert sorted((row["status"], row["files"]) for row in rows) == [
        ("present", "2"),
        ("present", "2"),
        ("present", "3"),
        ("set-aside", "1"),
    ]
    assert "other" not in (tmp_path / "led" / "ledger.tsv").read_text()
    assert not any(row["path"].startswith("/") for row in rows)
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
    (row,) = table.read(tmp_path / "led" / "ledger.tsv", LEDGER)
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
