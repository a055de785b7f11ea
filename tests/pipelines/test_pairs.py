"""A method that learns from pairs, on cohorts of tiny vectors with few pairs and with none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CASES = 48
COHORT = """\
mmmed: 1
kind: table
table: cases.csv
modalities:
  a: {kind: vector, columns: [a1, a2]}
  b: {kind: vector, columns: [b1, b2, b3]}
label: {column: label, classes: [CN, AD]}
"""
STUDY = """\
mmmed: 1
study: pairs
cohort: {name: halves, root: ROOT}
transforms: {a: vector, b: vector}
protocols: {test: [{kind: complete}]}
methods: [{kind: late-sum}, {kind: joint-embedding}]
splits: {kind: holdout}
training: {steps: 10, batch: 8}
evaluation: {positive: AD, interval: {draws: 100}}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[[int], Path]:
    """How many of every twelve cases show both modalities -> a workspace with the study `pairs`."""

    def write(paired: int) -> Path:
        root = tmp_path / "place"
        for folder in ("cohorts", "transforms", "pipelines"):
            (root / folder).mkdir(parents=True)
        random = np.random.default_rng(0)
        lines = ["case_id,label,a1,a2,b1,b2,b3"]
        for number in range(CASES):
            values = [f"{value:.3f}" for value in random.normal(size=5) + number % 2]
            if number % 12 >= paired:
                hidden = range(2) if number // 2 % 2 else range(2, 5)
                values = ["" if place in hidden else one for place, one in enumerate(values)]
            lines.append(",".join([f"c{number:02}", ("CN", "AD")[number % 2], *values]))
        (root / "cases.csv").write_text("\n".join(lines) + "\n")
        (root / "cohorts" / "halves.yaml").write_text(COHORT)
        (root / "pipelines" / "pairs.yaml").write_text(STUDY.replace("ROOT", str(root)))
        return root

    return write


def test_a_cohort_without_pairs_is_refused_by_run_before_anything_is_trained(
    attempt_in: Callable[..., Any], workspace: Callable[[int], Path]
) -> None:
    place = workspace(0)
    done = attempt_in(place, "run", "pairs", "--out", "run", "--jobs", "1")
    assert done.code == 2, done.err
    (complaint,) = done.complaints
    assert (
        "fold holdout, trained complete: joint-embedding learns from cases that show two"
        in complaint
    )
    assert not (place / "run" / "jobs").exists()


def test_a_cohort_without_pairs_is_a_fault_that_check_names(
    attempt_in: Callable[..., Any], workspace: Callable[[int], Path]
) -> None:
    place = workspace(0)
    done = attempt_in(place, "check", "pairs")
    assert done.code == 8, done.out
    assert "joint-embedding learns from cases that show two modalities, and 0 of" in done.out
    without = attempt_in(place, "check", "pairs", "--set", "methods=[{kind: late-sum}]")
    assert without.code == 0, without.out


def test_a_batch_of_one_has_nothing_to_compare_a_pair_with(
    attempt_in: Callable[..., Any], workspace: Callable[[int], Path]
) -> None:
    place = workspace(6)
    alone = ("--set", "training={steps: 10, batch: 1}")
    told = "joint-embedding compares pairs within a batch, and training.batch is 1; set it to 2"
    done = attempt_in(place, "run", "pairs", "--out", "run", "--jobs", "1", *alone)
    assert done.code == 2, done.err
    (complaint,) = done.complaints
    assert told in complaint
    checked = attempt_in(place, "check", "pairs", *alone)
    assert checked.code == 8, checked.out
    assert told in checked.out
    without = attempt_in(place, "check", "pairs", *alone, "--set", "methods=[{kind: late-sum}]")
    assert without.code == 0, without.out


def test_pairs_that_a_protocol_hides_are_none(
    attempt_in: Callable[..., Any], workspace: Callable[[int], Path]
) -> None:
    hidden = "protocols.train=[{kind: mcar, modality: b, rate: 1}]"
    done = attempt_in(workspace(6), "check", "pairs", "--set", hidden)
    assert done.code == 8, done.out
    assert "and 0 of" in done.out


def test_unpaired_cases_and_a_few_pairs_make_a_report(
    attempt_in: Callable[..., Any], workspace: Callable[[int], Path]
) -> None:
    place = workspace(3)
    done = attempt_in(place, "run", "pairs", "--out", "run", "--jobs", "1")
    assert done.code == 0, done.err
    rows = json.loads((place / "run" / "metrics.json").read_text())["rows"]
    assert {row["method"] for row in rows} >= {"joint-embedding", "late-sum"}
