"""`mmmed train-ad` from an empty directory to a report, and back from the package it leaves."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        file.readline()
        return list(csv.DictReader(file, delimiter="\t"))


FILES = (
    "cases.tsv",
    "ceilings.json",
    "chain.json",
    "environment.json",
    "metrics.json",
    "model/model.json",
    "model/weights.safetensors",
    "predictions.tsv",
    "preparation.json",
    "presence.tsv",
    "report.html",
    "splits.tsv",
    "statistics.json",
    "study.yaml",
    "tables/comparisons.csv",
    "tables/curves.csv",
    "tables/models.csv",
    "tables/ranks.csv",
    "tables/scores.csv",
    "truth.json",
)


@pytest.mark.parametrize("name", FILES)
def test_a_run_leaves_each_of_its_files(finished: Path, name: str) -> None:
    assert (finished / name).stat().st_size > 0


def test_the_chain_digests_every_file_of_the_run(finished: Path) -> None:
    chain = json.loads((finished / "chain.json").read_text())
    stated = {name: value for link in chain["links"] for name, value in link["files"].items()}
    found = {
        path.relative_to(finished).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in finished.rglob("*")
        if path.is_file() and path.name != "chain.json"
    }
    assert stated == found


def test_the_chain_names_every_image_that_was_read(finished: Path, small_cache: Path) -> None:
    chain = json.loads((finished / "chain.json").read_text())
    images = {str(path) for path in small_cache.rglob("*.nii.gz")}
    assert images
    assert {f"data: {path}" for path in images} <= set(chain["links"][0]["inputs"])


def test_realised_absence_is_said_in_words_and_counts(finished: Path) -> None:
    said = (finished.parent / "stderr.txt").read_text()
    assert "train pet: 0 naturally absent, 8 of 16 hidden, 8 of 16 (50 %) without" in said


def test_half_of_the_training_pets_are_hidden_and_no_calibration_pet(finished: Path) -> None:
    presence = [row for row in rows(finished / "presence.tsv") if row["protocol"] == "train"]
    hidden = [row["split"] for row in presence if row["status"] == "hidden"]
    assert hidden.count("train") == 8
    assert hidden.count("calibration") == hidden.count("test") == 0


def test_every_method_scores_the_same_views(finished: Path) -> None:
    views: dict[str, set[tuple[str, ...]]] = {}
    for row in rows(finished / "predictions.tsv"):
        key = tuple(row[name] for name in ("case_id", "protocol", "rate", "pattern"))
        views.setdefault(row["method"], set()).add(key)
    assert set(views) == {"hypermm", "late-sum"}
    assert views["hypermm"] == views["late-sum"]
    assert len(views["hypermm"]) == 10 * (3 + 5)


def test_forced_tables_hold_every_test_case_under_every_pattern(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())["rows"]
    counts = {row["pattern"]: row["n"] for row in metrics if row["table"] == "forced"}
    assert counts == {"mri": 10, "pet": 10, "mri+pet": 10}


def test_scores_stand_beside_the_oracle_on_the_same_cases(finished: Path) -> None:
    metrics = json.loads((finished / "metrics.json").read_text())["rows"]
    aurocs = [row for row in metrics if row["metric"] == "auroc"]
    assert aurocs
    assert all(row["oracle"] is not None for row in aurocs)


def test_ceilings_of_the_default_law_are_the_closed_form(finished: Path) -> None:
    ceilings = json.loads((finished / "ceilings.json").read_text())["rows"]
    known = {(row["protocol"], row["rate"], row["pattern"]): row for row in ceilings}
    half = known["mcar", 0.5, "mixed"]["ceiling_images"]["auroc"]
    assert half == pytest.approx(0.9046, abs=2e-4)
    assert known["every-pattern", None, "mri"]["ceiling_images"]["auroc"] == pytest.approx(0.85)


def test_the_package_is_the_first_methods_and_says_how_well_it_did(finished: Path) -> None:
    model = json.loads((finished / "model" / "model.json").read_text())
    assert model["method"]["kind"] == "hypermm"
    assert {row["pattern"] for row in model["performance"]} == {"mri", "pet", "mri+pet"}


def test_no_pickle_and_no_checkpoint_is_left(finished: Path) -> None:
    left = {path.suffix for path in finished.rglob("*") if path.is_file()}
    assert left <= {
        ".yaml",
        ".json",
        ".tsv",
        ".csv",
        ".tex",
        ".html",
        ".png",
        ".md",
        ".safetensors",
        "",
    }


def test_the_run_stands_in_mlflows_default_store(finished: Path) -> None:
    with sqlite3.connect(finished.parent / "mlflow.db") as store:
        (experiment,) = store.execute(
            "select name from experiments where name like 'mmmed/%'"
        ).fetchone()
        parents = store.execute(
            "select value from tags where key = 'mlflow.parentRunId'"
        ).fetchall()
    assert experiment == "mmmed/ad/train"
    assert len(parents) == 2
    assert len(set(parents)) == 1


def test_predict_gives_the_runs_own_test_predictions(
    finished: Path, small_cache: Path, attempt, tmp_path: Path
) -> None:
    (data,) = (small_cache / "simulated").iterdir()
    done = attempt("predict", finished / "model", data, "--out", tmp_path / "out", "--no-qc")
    assert done.code == 0, done.err
    numbers = ("logit_CN", "logit_AD", "p_CN", "p_AD", "decision", "set")
    again = {
        row["case_id"]: [row[name] for name in numbers]
        for row in rows(tmp_path / "out" / "predictions.tsv")
    }
    before = {
        row["case_id"]: [row[name] for name in numbers]
        for row in rows(finished / "predictions.tsv")
        if row["method"] == "hypermm" and row["pattern"] == row["owned"]
    }
    assert len(before) == 10
    assert again == before
    refused = rows(tmp_path / "out" / "quarantine.tsv")
    assert len({row["case_id"] for row in refused}) == 16 + 6 + 10


def test_track_finds_the_run_it_wrote_before(finished: Path, run_mmmed, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished, tmp_path / finished.name))
    shutil.copyfile(finished.parent / "mlflow.db", tmp_path / "mlflow.db")
    first = json.loads((run / "tracking.json").read_text())
    (run / "tracking.json").unlink()
    done = run_mmmed("track", str(run))
    assert done.returncode == 0, done.stderr
    again = json.loads((run / "tracking.json").read_text())
    assert (again["parent"], again["jobs"]) == (first["parent"], first["jobs"])
