"""A study of several trainings: what models are made of varies, all else stays the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmmed.record import table

TRAIN = """[{kind: mcar, modality: b, rate: [0, 0.5]},
    {kind: mcar, name: other, modality: a, rate: 0.25}]"""
SETTINGS = (
    "cohort.simulation={subjects: {train: 40, validation: 10, calibration: 20, test: 30}}",
    "methods=[{kind: late-sum}, {kind: late-fusion}]",
    f"protocols.train={TRAIN}",
    "protocols.test=[{kind: every-pattern}, {kind: mcar, modality: b, rate: [0.5]}]",
    "training.steps=4",
    "evaluation={interval: {draws: 100}}",
)
TRAININGS = ("complete", "mcar 0.5", "other 0.25")


@pytest.fixture(scope="module")
def run(attempt_in: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("place")
    chosen = [part for setting in SETTINGS for part in ("--set", setting)]
    done = attempt_in(place, "run", "toy/xor", *chosen, "--jobs", "1", "--out", "run")
    assert done.code == 0, done.err
    return place / "run"


@pytest.fixture(scope="module")
def predictions(run: Path) -> list[dict[str, str]]:
    return table.read(run / "predictions.tsv", table.PREDICTIONS)


def test_each_training_makes_models_of_its_own(run: Path, predictions: Any) -> None:
    assert len(list(run.glob("jobs/*/done"))) == 2 * len(TRAININGS)
    assert {row["train"] for row in predictions} == set(TRAININGS)
    assert {row["cohort"] for row in predictions} == {"toy-xor"}
    packages = [json.loads(path.read_text()) for path in run.glob("jobs/*/model/model.json")]
    assert Counter(one["train"] for one in packages) == dict.fromkeys(TRAININGS, 2)
    assert len({one["weights"] for one in packages}) == len(packages)


def test_every_method_and_training_is_tested_under_the_same_masks(predictions: Any) -> None:
    masks: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for row in predictions:
        masked = (row["case_id"], row["protocol"], row["rate"], row["pattern"])
        masks.setdefault((row["method"], row["train"]), set()).add(masked)
    assert len(masks) == 6
    assert len({frozenset(one) for one in masks.values()}) == 1


def test_what_a_training_hides_is_recorded_under_its_name(run: Path) -> None:
    rows = table.read(run / "presence.tsv", table.PRESENCE)
    hidden = Counter(
        (row["train"], row["modality"])
        for row in rows
        if row["protocol"] == "train" and row["split"] == "train" and row["status"] == "hidden"
    )
    assert hidden == {("mcar 0.5", "b"): 20, ("other 0.25", "a"): 10}
    tested = [row for row in rows if row["protocol"] == "mcar"]
    assert len(tested) == 2 * 30
    assert {row["train"] for row in tested} == {"n/a"}


def test_results_of_trainings_are_never_pooled(run: Path) -> None:
    document = json.loads((run / "metrics.json").read_text())
    rows = [row for row in document["rows"] if row["metric"] == "auroc"]
    assert Counter(row["train"] for row in rows if row["pattern"] == "a") == dict.fromkeys(
        TRAININGS, 2
    )
    assert {row["models"] for row in rows} == {1}
    assert document["main"] == {"cohort": "toy-xor", "train": "complete"}


def test_trainings_of_one_name_are_refused(attempt_in: Callable[..., Any], tmp_path: Path) -> None:
    twice = "protocols.train=[{kind: complete}, {kind: mcar, modality: b, rate: 0}]"
    done = attempt_in(tmp_path, "run", "toy/xor", "--set", twice)
    assert done.code == 2
    assert "complete stands twice" in done.complaints[0]
