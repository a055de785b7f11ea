"""`train-ad DATA` on the ways in which people keep scans."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import damage
import pytest

BRIEF = (
    "--method", "late-sum", "--no-baselines", "--folds", "2", "--jobs", "1",
    "--set", "training={steps: 2, batch: 4}",
    "--set", "evaluation={positive: AD, interval: {draws: 100}}",
)  # fmt: skip
GRID = "space-MNI152NLin2009cSym_desc-Crop_res-1x1x1"


@pytest.fixture
def caps(sound: Path, tmp_path: Path) -> Path:
    """The sound folder as Clinica's pipelines would leave it, labels as ClinicaDL writes them."""
    root = tmp_path / "caps"
    rows = ["participant_id\tsession_id\tdiagnosis"]
    for person in damage.people(sound):
        subject = person["participant_id"]
        place = root / "subjects" / subject / "ses-M000"
        names = {"mri": ("t1_linear", f"{GRID}_T1w"),
                 "pet": ("pet_linear", f"trc-18FFDG_{GRID}_suvr-pons_pet")}  # fmt: skip
        for modality, (pipeline, name) in names.items():
            (image,) = damage.images(sound, modality, subject)
            (place / pipeline).mkdir(parents=True)
            shutil.copyfile(image, place / pipeline / f"{subject}_ses-M000_{name}.nii.gz")
        rows.append(f"{subject}\tses-M000\t{person['diagnosis']}")
    (root / "labels.tsv").write_text("\n".join(rows) + "\n")
    return root


def test_a_caps_folder_is_trained_on_and_its_registration_is_not_repeated(
    attempt, caps: Path, tmp_path: Path
) -> None:
    done = attempt("train-ad", caps, "--out", tmp_path / "run", "--qc", *BRIEF)
    assert done.code == 0, done.err
    assert f"{caps}: taken as CAPS, read as cohorts/caps-ad.yaml says" in done.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["rule"].startswith("CN against AD (positive: AD): diagnosis at each subject's")
    record = json.loads((tmp_path / "run" / "preparation.json").read_text())
    assert all("name MNI152NLin2009cSym" in text for text in record["pet"])
    assert sum(record["pet"].values()) == 26
    pictures = list((tmp_path / "run" / "qc").iterdir())
    assert len(pictures) == 52
    files = json.loads((tmp_path / "run" / "chain.json").read_text())["links"][0]["files"]
    assert {"quality.tsv", "qc/sub-001_ses-M000_mri.png"} <= set(files)


def test_a_folder_of_neither_layout_is_exit_3(attempt, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    done = attempt("train-ad", tmp_path / "bare")
    assert done.code == 3
    assert "holds no sub-* folder (BIDS) and no subjects/sub-* (CAPS)" in done.complaints[0]


def test_a_way_to_read_data_without_data_is_exit_2(attempt) -> None:
    done = attempt("train-ad", "--cohort", "adni")
    assert done.code == 2
    assert "name DATA as well" in done.complaints[0]


def test_the_way_to_read_data_can_be_named(attempt, bids: Path) -> None:
    done = attempt("train-ad", bids, "--cohort", "adni-conversion")
    assert done.code == 2
    assert "ADNIMERGE.csv: is not there" in done.complaints[0]


def test_settings_of_a_cohort_can_be_changed_from_a_study(attempt, bids: Path) -> None:
    damage.in_two_parts(bids, "sub-001")
    choice = f"cohort={{name: bids-ad, root: '{bids}'}}"
    splits = "splits={kind: folds, folds: 2}"
    done = attempt("check", "ad/train", "--set", choice, "--set", splits)
    assert "bids-ad: 26 cases of 26 subjects" in done.out
    every = "cohort.reading={visits: all}"
    done = attempt("check", "ad/train", "--set", choice, "--set", splits, "--set", every)
    assert "bids-ad: 27 cases of 26 subjects" in done.out
    odd = "cohort.reading={visit: all}"
    done = attempt("check", "ad/train", "--set", choice, "--set", odd)
    assert "unknown key; did you mean 'visits'?" in done.out
    done = attempt("check", "ad/train", "--set", "cohort.reading={visits: all}")
    assert "is simulated; it takes no reading" in done.out
