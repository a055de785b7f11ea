"""A rate that leaves a class without cases to learn from: one line, and the rest of the study."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mmmed.cohorts.splits import Fold
from mmmed.modality import Pattern
from mmmed.models.building import options
from mmmed.pipelines.lessons import Lessons

A, B, BOTH = Pattern.of(["a"]), Pattern.of(["b"]), Pattern.of(["a", "b"])
SMALL = (
    "cohort.simulation={subjects: {train: 40, validation: 10, calibration: 20, test: 30}}",
    "protocols.test=[{kind: every-pattern}]",
    "training.steps=4",
    "evaluation={interval: {draws: 100}}",
)
WHY = (
    "study toy/xor: fold holdout, trained mcar 1: complete-case: 0 of 18 training cases of class "
    "0 show a+b, which it learns from; hide less in training (a lower rate), take other splits, or "
    "leave the method out"
)


def chosen(*settings: str) -> list[str]:
    return [part for setting in (*SMALL, *settings) for part in ("--set", setting)]


def lessons(zero: list[Pattern], one: list[Pattern]) -> Lessons:
    shown = dict(enumerate([*zero, *one]))
    names = {f"c{number}": pattern for number, pattern in shown.items()}
    part = pd.Series("train", index=list(names))
    labels = pd.Series([0] * len(zero) + [1] * len(one), index=list(names))
    fold = Fold("holdout", part)
    return Lessons("here", fold=fold, shown=names, labels=labels, classes=("CN", "AD"))


@pytest.mark.parametrize(
    ("kind", "zero", "one", "lacks"),
    [
        ("complete-case", [BOTH, A], [A, B], "0 of 2 training cases of class AD show a+b,"),
        ("per-pattern", [BOTH], [A, B], "0 of 2 training cases of class AD show a+b,"),
        ("best-unimodal", [A, A, A], [BOTH], "0 of 3 training cases of class CN show b,"),
        ("imputation", [A], [BOTH], "0 of 1 training cases of class CN show a+b,"),
        ("joint-embedding", [A], [BOTH, BOTH], "0 of 1 training cases of class CN show two"),
        ("joint-embedding", [A], [B], "and 0 of 2 training cases do"),
        ("late-sum", [A], [B], None),
        ("best-unimodal", [A, B], [BOTH], None),
        ("joint-embedding", [BOTH], [BOTH], None),
    ],
)
def test_every_class_needs_a_case_for_each_lesson_of_a_method(
    kind: str, zero: list[Pattern], one: list[Pattern], lacks: str | None
) -> None:
    found = lessons(zero, one).refusal(options(kind)(), ("a", "b"))
    assert (found is None) == (lacks is None)
    assert found is None or (lacks is not None and lacks in found)


def test_an_imputer_that_fills_in_zeros_needs_no_complete_case() -> None:
    zeros = options("imputation")(imputer={"kind": "zero"})
    assert lessons([A], [B]).refusal(zeros, ("a", "b")) is None


def test_a_modality_that_a_class_never_shows_is_said() -> None:
    (gap,) = lessons([A, BOTH], [A]).gaps(("a", "b"))
    assert gap.startswith("here: no training case of class AD shows b; ")


def test_a_method_that_can_learn_nowhere_is_refused_before_anything_is_prepared(
    attempt_in: Callable[..., Any], tmp_path: Path
) -> None:
    settings = chosen(
        "methods=[{kind: late-sum}, {kind: complete-case}]",
        "protocols.train=[{kind: mcar, modality: b, rate: 1}]",
    )
    done = attempt_in(tmp_path, "run", "toy/xor", *settings, "--out", "run")
    assert done.code == 2
    assert done.complaints == [f"mmmed: {WHY}"]
    assert not (tmp_path / "run" / "jobs").exists()


def test_one_rate_too_high_costs_its_own_jobs_alone(
    attempt_in: Callable[..., Any], tmp_path: Path
) -> None:
    settings = chosen(
        "methods=[{kind: late-sum}, {kind: complete-case}]",
        "protocols.train=[{kind: mcar, modality: b, rate: [0, 1]}]",
    )
    done = attempt_in(tmp_path, "run", "toy/xor", *settings, "--out", "run", "--jobs", "1")
    run = tmp_path / "run"
    assert done.code == 8, done.err
    (complaint,) = done.complaints
    assert WHY in complaint
    (path,) = run.glob("jobs/*/failed.txt")
    assert path.read_text() == f"{WHY}\n"
    assert not (path.parent / "model").exists()
    assert WHY in (run / "report.html").read_text()
    rows = json.loads((run / "metrics.json").read_text())["rows"]
    assert {(row["method"], row["train"]) for row in rows} == {
        ("late-sum", "complete"),
        ("complete-case", "complete"),
        ("late-sum", "mcar 1"),
    }


def test_every_method_gets_the_same_splits_masks_and_budget(
    attempt_in: Callable[..., Any], tmp_path: Path
) -> None:
    settings = chosen(
        "methods=[{kind: late-sum}, {kind: mmp}, {kind: imputation}]",
        "protocols.train=[{kind: mcar, modality: b, rate: [0, 0.5]}]",
    )
    done = attempt_in(tmp_path, "run", "toy/xor", *settings, "--out", "run", "--jobs", "1")
    assert done.code == 0, done.err
    given: dict[tuple[str, str], list[str]] = {}
    for path in tmp_path.glob("run/jobs/*/settings.json"):
        one = json.loads(path.read_text())
        same = [one[name] for name in ("splits", "shown", "views", "training", "evaluation")]
        given.setdefault((one["train"], one["fold"]), []).append(json.dumps(same, sort_keys=True))
    assert set(given) == {("complete", "holdout"), ("mcar 0.5", "holdout")}
    assert [len(one) for one in given.values()] == [3, 3]
    assert [len(set(one)) for one in given.values()] == [1, 1]
    assert len({one[0] for one in given.values()}) == 2
