"""Imputation in a study: what its jobs report, and the lines of what cannot be (G8)."""

from __future__ import annotations

import json

import pytest

from mmmed.record import table

METHODS = (
    "--set=methods=[{kind: imputation, name: gan, imputer: {kind: pix2pix}}, {kind: imputation}, "
    "{kind: late-sum}]"
)


def test_g8_parameters_seconds_and_image_errors_stand_in_the_run(attempt, small, tmp_path) -> None:
    done = attempt("train-ad", *small, METHODS, "--out", "run", "--jobs", "1")
    assert done.code == 0, done.err
    run = tmp_path / "place" / "run"
    told = {
        report["method"]: report
        for report in (json.loads(path.read_text()) for path in run.glob("jobs/*/report.json"))
    }
    assert set(told) == {"gan", "imputation"}  # the late sum has nothing to tell
    gan, regression = told["gan"], told["imputation"]
    assert gan["parameters"] == 86_532
    assert set(gan["seconds"]) == {"imputer", "warm-up", "joint", "head"}
    assert all(value > 0 for value in gan["seconds"].values())
    assert set(gan["error"]["pet"]) == {"cases", "mae", "psnr", "ssim"}
    assert 0 < gan["error"]["pet"]["cases"] <= 10
    assert regression["parameters"] == 0
    assert set(regression["error"]["mri"]) == {"cases", "mse"}
    (guessed,) = (path for path in run.glob("jobs/*/imputed.tsv") if "\tgan\t" in path.read_text())
    rows = table.read(guessed, table.IMPUTED)
    maes = [
        float(row["error"]) for row in rows if (row["modality"], row["figure"]) == ("pet", "mae")
    ]
    assert sum(maes) / len(maes) == pytest.approx(gan["error"]["pet"]["mae"])
    assert {row["space"] for row in rows} == {"image"}
    costs = [json.loads(path.read_text()) for path in run.glob("jobs/*/cost.json")]
    assert len(costs) == 3
    assert all(set(cost["prediction"]) == {"mri", "pet", "mri+pet"} for cost in costs)
    assert sorted("imputer" in cost["training"] for cost in costs) == [False, False, True]
    seconds = [json.loads(path.read_text()) for path in run.glob("jobs/*/seconds.json")]
    assert all(min(one["prediction"].values()) > 0 for one in seconds)
    held = json.loads((run / "arena.json").read_text())
    assert held["reference"] == "late-sum"
    assert [row["method"] for row in held["rows"]] == ["gan", "imputation", "late-sum"]
    assert {row["lost"] for row in held["rows"]} == {"pet"}  # what the protocol hides
    assert held["rows"][0]["mae"] == pytest.approx(gan["error"]["pet"]["mae"])
    assert all(row["hours"] > 0 and row["operations"] > 0 for row in held["rows"])
    assert (run / "tables" / "arena.csv").read_text().count("\n") == 4
    assert list((run / "figures").glob("arena-pet-*.png"))
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "error.pet.ssim" in page
    assert "Does a better-looking pet mean a better diagnosis?" in page
    assert "reference: late-sum, which does not impute" in page
    assert "gan holdout 0" in page


def test_a_cohort_without_a_complete_training_case_is_one_clear_line(attempt, small) -> None:
    hidden = "--set=protocols.train=[{kind: mcar, modality: pet, rate: 1.0, seed: 0}]"
    done = attempt("train-ad", *small, METHODS, hidden, "--out", "run", "--jobs", "1")
    assert done.code == 2
    lines = [line for line in done.complaints if "training cases of class CN show mri+pet" in line]
    assert len(lines) == len(done.complaints) == 2
    assert ": gan: 0 of " in lines[0]
    assert ": imputation: 0 of " in lines[1]
