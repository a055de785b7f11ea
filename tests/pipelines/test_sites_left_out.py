"""Each site tested once, of which one has no positive case: a run to its report."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

COHORT = """\
mmmed: 1
kind: table
table: cases.csv
modalities:
  a: {kind: vector, columns: [a1, a2]}
  b: {kind: vector, columns: [b1, b2]}
label: {column: label, classes: [CN, AD]}
site: site
"""
STUDY = """\
mmmed: 1
study: sites
cohort: {name: sites, root: ROOT}
transforms: {a: vector, b: vector}
protocols: {test: [{kind: complete}]}
methods: [{kind: late-sum}]
splits: {kind: holdout}
training: {steps: 10, batch: 8}
evaluation: {positive: AD, interval: {draws: 100}}
"""
WHY = "all cases are CN"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, attempt_in: Callable[..., Any]) -> Path:
    """Sites A and B of both classes, and C of one; 24 cases each."""
    root = tmp_path_factory.mktemp("place")
    for folder in ("cohorts", "transforms", "pipelines"):
        (root / folder).mkdir()
    random = np.random.default_rng(0)
    lines = ["case_id,label,site,a1,a2,b1,b2"]
    for number in range(72):
        site = "ABC"[number % 3]
        label = 0 if site == "C" else number // 3 % 2
        values = [f"{value:.3f}" for value in random.normal(size=4) + label]
        lines.append(",".join([f"c{number:02}", ("CN", "AD")[label], site, *values]))
    (root / "cases.csv").write_text("\n".join(lines) + "\n")
    (root / "cohorts" / "sites.yaml").write_text(COHORT)
    (root / "pipelines" / "sites.yaml").write_text(STUDY.replace("ROOT", str(root)))
    out = "--set=splits={kind: leave-one-site-out}", "--out", "run", "--jobs", "1"
    done = attempt_in(root, "run", "sites", *out)
    assert done.code == 0, done.err
    return root / "run"


def test_each_site_has_results_of_its_own_and_one_without_positives_says_why(run: Path) -> None:
    with (run / "tables" / "models.csv").open() as file:
        rows = {row["fold"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"site-A", "site-B", "site-C"}
    assert {row["n"] for row in rows.values()} == {"24"}
    assert (rows["site-C"]["auroc"], rows["site-C"]["reason"]) == ("", f"not estimable: {WHY}")
    assert all(0 <= float(rows[name]["auroc"]) <= 1 for name in ("site-A", "site-B"))


def test_the_mean_over_sites_is_of_those_that_have_both_classes(run: Path) -> None:
    with (run / "tables" / "models.csv").open() as file:
        known = [float(row["auroc"]) for row in csv.DictReader(file) if row["auroc"]]
    rows = json.loads((run / "metrics.json").read_text())["rows"]
    (mean,) = (row for row in rows if row["metric"] == "auroc" and row["table"] == "observed")
    assert mean["value"] == pytest.approx(sum(known) / 2)
    assert mean["reason"] == f"fold site-C: {WHY}"
    assert f"fold site-C: {WHY}" in (run / "report.html").read_text()
