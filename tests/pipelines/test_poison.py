"""Hidden scans are not used: from the files on, overwriting them changes no bit of a result."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from mmmed.simulation.bids import write
from mmmed.simulation.spec import AdSimulation, Subjects

TRAIN, VALIDATION = 12, 4
BRIEF = (
    "--no-baselines", "--jobs", "1",
    "--set", "training={steps: 6, batch: 6, check_every: 3}",
    "--set", "evaluation={positive: AD, interval: {draws: 100}}",
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A simulated cohort as a real one: a BIDS folder that the user names."""
    subjects = Subjects(train=TRAIN, validation=VALIDATION, calibration=6, test=6)
    write(AdSimulation(subjects=subjects), tmp_path / "data")
    return tmp_path / "data"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        file.readline()
        return list(csv.DictReader(file, delimiter="\t"))


def hidden_in_training(run: Path) -> list[str]:
    """The cases whose PET is hidden while the model is made."""
    return [
        row["case_id"]
        for row in rows(run / "presence.tsv")
        if row["protocol"] == "train" and row["status"] == "hidden"
    ]


def training_cases(run: Path) -> list[str]:
    return [row["case_id"] for row in rows(run / "splits.tsv") if row["split"] == "train"]


def overwrite(data: Path, case: str) -> None:
    """Put noise where the PET of a case was."""
    (path,) = data.rglob(f"{case}_*pet.nii.gz")
    image = nibabel.load(path)
    noise = np.random.default_rng(0).normal(size=image.shape).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(noise, image.affine), path)


def result(run: Path) -> dict[str, str]:
    (weights,) = run.glob("jobs/*/model/weights.safetensors")
    paths = (weights, run / "predictions.tsv", run / "metrics.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture
def run(attempt: Callable[..., Any], data: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Run the study on the files as they are now, into a folder of this name."""

    def made(name: str) -> Path:
        done = attempt("train-ad", data, *BRIEF, "--out", tmp_path / name)
        assert done.code == 0, done.err
        return tmp_path / name

    return made


def test_noise_in_hidden_files_changes_no_bit_and_in_a_shown_file_it_does(
    run: Callable[[str], Path], data: Path
) -> None:
    clean = run("clean")
    hidden = hidden_in_training(clean)
    assert len(hidden) == (TRAIN + VALIDATION) // 2
    for case in hidden:
        overwrite(data, case)
    assert result(clean) == result(run("poisoned"))

    overwrite(data, next(case for case in training_cases(clean) if case not in hidden))
    other = run("other")
    assert result(clean).keys() == result(other).keys()
    assert not result(clean).items() & result(other).items()
