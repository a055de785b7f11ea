"""Hidden scans are not used: from the files on, overwriting them changes no bit of a result."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

SETTINGS = (
    "--set",
    "training={steps: 6, batch: 6, check_every: 3}",
    "--set",
    "evaluation={positive: AD, interval: {draws: 100}}",
)


@pytest.fixture
def data(finished: Path, small_cache: Path, tmp_path: Path) -> Path:
    """The small cohort as a real one: a BIDS folder that the user names."""
    (source,) = (small_cache / "simulated").iterdir()
    return Path(shutil.copytree(source, tmp_path / "data"))


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
def clean(data: Path, run_mmmed, tmp_path: Path) -> Path:
    """A run on the files as they are."""
    done = run_mmmed("train-ad", str(data), "--no-baselines", *SETTINGS, "--out", "clean")
    assert done.returncode == 0, done.stderr
    return tmp_path / "clean"


@pytest.mark.timeout(600)
def test_noise_in_hidden_files_changes_no_bit_and_in_a_shown_file_it_does(
    clean: Path, data: Path, run_mmmed, tmp_path: Path
) -> None:
    hidden = hidden_in_training(clean)
    assert len(hidden) == (16 + 6) // 2
    for case in hidden:
        overwrite(data, case)
    command = ("train-ad", str(data), "--no-baselines", *SETTINGS)
    poisoned = run_mmmed(*command, "--out", "poisoned")
    assert poisoned.returncode == 0, poisoned.stderr
    assert result(clean) == result(tmp_path / "poisoned")

    overwrite(data, next(case for case in training_cases(clean) if case not in hidden))
    other = run_mmmed(*command, "--out", "other")
    assert other.returncode == 0, other.stderr
    assert result(clean).keys() == result(tmp_path / "other").keys()
    assert not result(clean).items() & result(tmp_path / "other").items()
