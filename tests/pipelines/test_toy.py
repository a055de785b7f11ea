"""The study `toy/xor`: a label that no modality tells alone, and nobody who claims to know it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from mmmed.mechanism import Complete, EveryPattern, Mar, Mcar
from mmmed.modality import Pattern
from mmmed.models import METHODS
from mmmed.pipelines.discrete_ceilings import ceiling, ceilings
from mmmed.pipelines.study import load_study
from mmmed.simulation.discrete import TableSimulation, Xor

A, B, BOTH = (Pattern.parse(text) for text in ("a", "b", "a+b"))
STUDY = load_study("toy/xor", start=None)
NAMES = {one.name for one in STUDY.methods}
STANDARD_ERRORS = 3
QUICK = (
    "training.steps=40",
    "evaluation={interval: {draws: 100}}",
    "cohort.simulation={subjects: {train: 200, validation: 20, calibration: 40, test: 100}}",
    "protocols.test=[{kind: every-pattern}, {kind: mcar, modality: b, rate: [0.5]}]",
)
"""Fewer steps, fewer cases, fewer tables."""


@dataclass(frozen=True)
class Known:
    """A run of the study, how many cases its tables have and how many tables there are."""

    run: Path
    cases: int
    tables: int
    said: str


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((QUICK, 100, 4), id="quick"),
        pytest.param(((), 400, 6), id="shipped", marks=[pytest.mark.slow, pytest.mark.timeout(0)]),
    ],
)
def xor(
    request: pytest.FixtureRequest,
    attempt_in: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Known:
    """A run of every method of the study: three patterns, and rates at which b goes missing."""
    settings, cases, tables = request.param
    place = tmp_path_factory.mktemp("place")
    chosen = [part for setting in settings for part in ("--set", setting)]
    done = attempt_in(place, "run", "toy/xor", *chosen, "--jobs", "1", "--out", "run")
    assert done.code == 0, done.err
    return Known(place / "run", cases, tables, done.err)


def rows(run: Path, metric: str) -> list[dict[str, Any]]:
    found = json.loads((run / "metrics.json").read_text())["rows"]
    return [row for row in found if row["metric"] == metric and row["table"] != "sizes"]


def ceiling_of(run: Path, row: dict[str, Any]) -> float:
    """The Bayes accuracy of `ceiling_all` of a row's table."""
    (known,) = (
        one["ceiling_all"]
        for one in json.loads((run / "ceilings.json").read_text())["rows"]
        if [one[key] for key in ("protocol", "rate", "pattern")]
        == [row[key] for key in ("protocol", "rate", "pattern")]
    )
    return float(known["accuracy"])


def test_every_method_that_reads_vectors_is_in_the_study() -> None:
    kinds = {one.kind for one in METHODS} - {"hypermm-paper"}  # which reads images alone
    assert {one.kind for one in STUDY.methods} == kinds
    imputers = {one.imputer.kind for one in STUDY.methods if one.kind == "imputation"}
    assert imputers == {"zero", "mean", "knn", "regression"}


def test_u7_no_trained_model_beats_the_bayes_accuracy_of_its_table(xor: Known) -> None:
    accuracies = rows(xor.run, "accuracy")
    assert len(accuracies) == len(NAMES) * xor.tables
    for row in accuracies:
        best = ceiling_of(xor.run, row)
        error = sqrt(best * (1 - best) / xor.cases)
        assert row["n"] == xor.cases
        assert row["value"] <= best + STANDARD_ERRORS * error, (row["method"], row["pattern"])


def test_with_one_modality_missing_everyone_is_at_chance(xor: Known) -> None:
    missing = [row for row in rows(xor.run, "accuracy") if row["pattern"] in ("a", "b")]
    assert {row["method"] for row in missing} == NAMES
    assert len(missing) == 2 * len(NAMES)
    spread = STANDARD_ERRORS * sqrt(0.25 / xor.cases)
    for row in missing:
        assert abs(row["value"] - 0.5) <= spread, (row["method"], row["pattern"])


def test_who_fuses_before_the_sum_can_tell_xor_from_both(xor: Known) -> None:
    whole = {row["method"]: row for row in rows(xor.run, "accuracy") if row["pattern"] == "a+b"}
    assert whole["early-fusion"]["value"] > 0.95
    most = 0.75  # a sum of evidence is right in three of the four cells at most
    assert whole["late-sum"]["value"] <= most + STANDARD_ERRORS * sqrt(most * 0.25 / xor.cases)


def test_the_gap_in_bits_is_told_and_kept(xor: Known) -> None:
    assert "Given a, b tells 1.000 bits of the label" in xor.said
    known = json.loads((xor.run / "ceilings.json").read_text())
    assert known["gap_bits"] == {"a": 1.0, "b": 1.0}
    assert "1.000 bits" in (xor.run / "report.html").read_text()


def test_ceilings_of_forced_and_mixed_tables_by_hand() -> None:
    spec = TableSimulation(law=Xor(flip=0.1))
    found = ceilings(spec, [EveryPattern(), Complete(), Mcar(modality="b", rate=(0.0, 0.5))])
    accuracy = [
        (row["protocol"], row["rate"], row["pattern"], round(row["ceiling_all"]["accuracy"], 12))
        for row in found["rows"]
    ]
    assert accuracy == [
        ("every-pattern", None, "a", 0.5),
        ("every-pattern", None, "b", 0.5),
        ("every-pattern", None, "a+b", 0.9),
        ("complete", None, "mixed", 0.9),
        ("mcar", 0.0, "mixed", 0.9),
        ("mcar", 0.5, "mixed", 0.7),
    ]
    # of pairs of one case each class: one is told apart with 0.9 against 0.1, or a tie
    assert ceiling(spec, {BOTH: 1.0})["auroc"] == pytest.approx(0.9)
    assert ceiling(spec, {A: 1.0})["auroc"] == pytest.approx(0.5)
    # xor without flips, half of the cases blind: (1 + 1 + 1 + 1/2) / 4
    assert ceiling(TableSimulation(), {BOTH: 0.5, A: 0.5})["auroc"] == pytest.approx(0.875)


def test_any_hides_in_turn_and_never_the_last() -> None:
    spec = TableSimulation()
    (row,) = ceilings(spec, [Mcar(modality="any", rate=0.25)])["rows"]
    # a quarter loses a; of the other three quarters a quarter loses b
    assert row["ceiling_all"]["accuracy"] == pytest.approx(0.5625 + 0.4375 / 2)
    (row,) = ceilings(spec, [Mcar(modality="any", rate=1.0)])["rows"]
    assert row["ceiling_all"]["accuracy"] == pytest.approx(0.5)


def test_absence_that_depends_on_something_has_no_ceiling_here() -> None:
    protocol = Mar(modality="b", rate=0.5, slopes={"a": 1.0})
    assert ceilings(TableSimulation(), [protocol])["rows"] == []


def test_the_seed_and_the_law_can_be_set(attempt_in: Callable[..., Any], tmp_path: Path) -> None:
    settings = ("cohort={name: toy-xor, seed: 5, simulation: {law: {flip: 0.25}}}",)
    chosen = [part for setting in settings for part in ("--set", setting)]
    done = attempt_in(tmp_path, "show", "toy/xor", *chosen)
    assert done.code == 0, done.err
    assert "flip: 0.25" in done.out
    assert "seed: 5" in done.out
    refused = attempt_in(
        tmp_path, "show", "toy/xor", "--set", f"cohort={{name: toy-xor, root: {tmp_path}}}"
    )
    assert refused.code == 2
    assert "is simulated; it takes no root" in refused.err
