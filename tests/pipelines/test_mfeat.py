"""The study `mfeat/robustness`: vectors from tables to a report, real ones and small ones."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Rows = list[dict[str, Any]]
Attempt = Callable[..., Any]

QUICK = ("methods=[{kind: late-sum}]", "evaluation={interval: {draws: 100}}")
WIDTHS = {"one": 3, "two": 4, "three": 2}
CLASSES = 3
ROWS = 60


def run(attempt_in: Attempt, place: Path, *settings: str) -> Path:
    """The run folder of the shipped study with these settings."""
    options = [part for setting in (*QUICK, *settings) for part in ("--set", setting)]
    done = attempt_in(place, "run", "mfeat/robustness", *options, "--jobs", "1", "--out", "run")
    assert done.code == 0, done.err
    (place / "stderr.txt").write_text(done.err)
    return place / "run"


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        file.readline()
        return list(csv.DictReader(file, delimiter="\t"))


def metrics(folder: Path) -> Rows:
    found: Rows = json.loads((folder / "metrics.json").read_text())["rows"]
    return found


def write_views(root: Path) -> Mapping[str, Path]:
    """Three views of 60 rows of three classes as mfeat keeps them; each view shifts with class."""
    generator = np.random.default_rng(0)
    label = np.repeat(range(CLASSES), ROWS // CLASSES)
    files = {}
    for name, width in WIDTHS.items():
        values = generator.normal(size=(ROWS, width)) + 2 * np.eye(CLASSES, width)[label]
        lines = [
            ",".join(map(str, (*row.round(4), k))) for row, k in zip(values, label, strict=True)
        ]
        files[name] = root / f"{name}.csv"
        files[name].write_text("\n".join([",".join(map(str, range(width))) + ",0", *lines]) + "\n")
    return files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return write_views(tmp_path_factory.mktemp("views"))


@pytest.fixture(scope="module")
def small(
    files: Mapping[str, Path], attempt_in: Attempt, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run of the study on the small views, in a workspace that names them."""
    place = tmp_path_factory.mktemp("workspace")
    for name in ("cohorts", "transforms", "pipelines"):
        (place / name).mkdir()
    modalities = ", ".join(f"{name}: {{kind: vector, file: {name}.csv}}" for name in files)
    (place / "cohorts" / "small.yaml").write_text(
        f"mmmed: 1\nkind: views\nmodalities: {{{modalities}}}\n"
        "label: {column: last, classes: ['0', '1', '2']}\n"
    )
    return run(
        attempt_in,
        place,
        *small_settings(files),
        "splits={kind: folds, folds: 2, validation: 0.1, calibration: 0.1}",
        "training.steps=40",
    )


def small_settings(files: Mapping[str, Path]) -> tuple[str, ...]:
    return (
        f"cohort={{name: small, root: {files['one'].parent}}}",
        "transforms={one: vector, two: vector, three: vector}",
    )


@pytest.fixture(scope="module")
def real(data: Path, attempt_in: Attempt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the study on the real views: one fold, 100 test cases, few steps."""
    return run(
        attempt_in,
        tmp_path_factory.mktemp("place"),
        f"cohort.root={data / 'multiview-mfeat'}",
        "splits={kind: holdout, validation: 0.05, calibration: 0.05, test: 0.05}",
        "training.steps=60",
    )


def sizes(rows: Rows) -> dict[str, float]:
    return {
        row["pattern"]: row["value"]
        for row in rows
        if row["table"] == "sizes" and row["metric"] == "accuracy"
    }


def counts(rows: Rows) -> set[int]:
    return {row["n"] for row in rows}


def test_every_pattern_is_scored_on_every_test_case(small: Path) -> None:
    shown = Counter(
        row["pattern"] for row in read(small / "predictions.tsv") if row["rate"] == "n/a"
    )
    assert len(shown) == 7
    assert set(shown.values()) == {ROWS}  # each case is tested in one of the folds
    assert counts([row for row in metrics(small) if row["table"] == "forced"]) == {ROWS}


def test_each_view_is_hidden_in_the_share_asked_for(small: Path) -> None:
    presence = [
        row
        for row in read(small / "presence.tsv")
        if row["protocol"] == "train" and row["modality"] == "one"
    ]
    status = Counter((row["fold"], row["split"], row["status"]) for row in presence)
    for fold in ("fold-0", "fold-1"):
        for part, cases in (("train", 18), ("validation", 6)):
            hidden = status[fold, part, "hidden"]
            assert hidden + status[fold, part, "shown"] == cases
            assert hidden == round(0.3 * cases)
        assert status[fold, "calibration", "hidden"] == 0


def test_realised_absence_is_said_of_the_first_fold_alone(small: Path) -> None:
    said = (small.parent / "stderr.txt").read_text()
    assert "fold-0 train mcar 0.3: train one: 0 naturally absent, 5 of 18 hidden" in said
    assert "fold-0 mcar 50%: test one: 0 naturally absent, 15 of 30 hidden" in said
    assert "1 more fold(s), hidden at the same rates: presence.tsv" in said
    assert "fold-1 mcar" not in said


def test_no_case_is_left_with_nothing(small: Path) -> None:
    shown: Counter[tuple[str, ...]] = Counter()
    for row in read(small / "presence.tsv"):
        key = (row["protocol"], row["rate"], row["fold"], row["case_id"])
        shown[key] += row["status"] == "shown"
    assert min(shown.values()) == 1


def test_more_views_are_better_than_one(small: Path) -> None:
    found = sizes(metrics(small))
    assert list(found) == ["any 1 of 3", "any 2 of 3", "any 3 of 3"]
    assert found["any 1 of 3"] < found["any 3 of 3"]
    assert found["any 3 of 3"] > 0.6


def test_the_chain_names_each_table_by_the_digest_of_its_bytes(
    small: Path, files: Mapping[str, Path]
) -> None:
    stated = json.loads((small / "chain.json").read_text())["links"][0]["inputs"]
    for path in files.values():
        assert stated[f"data: {path}"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_chain_and_the_job_name_the_files_the_study_names(
    small: Path, files: Mapping[str, Path], attempt_in: Attempt, tmp_path: Path
) -> None:
    for name in ("cohorts", "transforms", "pipelines"):
        shutil.copytree(small.parent / name, tmp_path / name)
    weights, hidden = tmp_path / "weights.pt", tmp_path / "hidden.tsv"
    weights.write_bytes(b"vectors go through an MLP, so nobody reads this")
    hidden.write_text("case_id\tmodality\n")
    folder = run(
        attempt_in,
        tmp_path,
        *small_settings(files),
        f"methods=[{{kind: late-sum, backbone: {{kind: resnet, weights: {weights}}}}}]",
        f"protocols={{train: [{{kind: list, file: {hidden}}}], test: [{{kind: complete}}]}}",
        "splits={kind: holdout, validation: 0.2, calibration: 0.2, test: 0.2}",
        "training.steps=2",
    )
    stated = json.loads((folder / "chain.json").read_text())["links"][0]["inputs"]
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (weights, hidden)}
    assert {path: stated[f"study: {path}"] for path in digests} == digests
    (settings,) = folder.glob("jobs/*/settings.json")
    assert json.loads(settings.read_text())["weights"] == digests[weights]


def test_a_package_of_vectors_predicts_alone(small: Path) -> None:
    manifest = json.loads((small / "model" / "model.json").read_text())
    assert [(one["name"], one["shape"]) for one in manifest["modalities"]] == [
        (name, [width]) for name, width in sorted(WIDTHS.items())
    ]


@pytest.mark.shared
def test_six_real_views_give_sixty_three_forced_tables_and_six_sizes(real: Path) -> None:
    rows = [row for row in metrics(real) if row["metric"] == "accuracy"]
    forced = [row for row in rows if row["table"] == "forced"]
    assert len(forced) == 63
    assert counts(forced) == {100}
    assert list(sizes(rows)) == [f"any {size} of 6" for size in range(1, 7)]


@pytest.mark.shared
def test_ten_real_classes_have_macro_scores_and_no_positive_one(real: Path) -> None:
    mine = {row["metric"]: row for row in metrics(real) if row["pattern"] == "any 6 of 6"}
    assert mine["auroc"]["value"] > 0.97
    assert mine["accuracy"]["value"] > 0.85
    assert mine["sensitivity"]["value"] is None
    assert mine["sensitivity"]["reason"] == "no positive class is named"


@pytest.mark.shared
def test_sixty_three_patterns_make_a_report_of_a_readable_size(real: Path) -> None:
    report = (real / "report.html").read_text()
    assert "any 3 of 6" in report
    assert len(report) < 3_000_000
    assert {path.name for path in (real / "figures").glob("*.png")} == {
        "cohort-grid.png",
        "cost-accuracy.png",
        "overview.png",
        "patterns.png",
        "reliability-late-sum.png",
        "robustness-mcar.png",
    }
