"""A small but whole run folder, drawn from a gaussian law."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.figures.draw import write_figures
from mmmed.evaluation.predictions import read_predictions
from mmmed.evaluation.result import score_tables
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.statistics import study_statistics
from mmmed.evaluation.summary import metrics_document
from mmmed.record import atomic, table

CLASSES = ("CN", "AD")
OWN = ("", "")
"""A study of one cohort and one training."""
PARTS = {"train": 24, "calibration": 10, "test": 40}
STUDY = """mmmed: 1
study: ad/missing-pet
question: What does each lost PET cost?
cohort: simulated-ad
methods:
- kind: hypermm
"""


def write_run(run: Path, *, prefix: str = "sub", site: str = "A", fold: str = "holdout") -> Path:
    """Write a run folder of two methods on 40 test cases."""
    cases = [
        {"case_id": f"{prefix}-{part}{i:02d}", "split": part, "label": CLASSES[i % 2]}
        for part, count in PARTS.items()
        for i in range(count)
    ]
    for case in cases:
        case |= {"subject_id": case["case_id"], "site": site, "owned": "mri+pet", "fold": fold}
    _write(run / "cases.tsv", table.CASES, cases)
    _write(run / "splits.tsv", table.SPLITS, cases)
    _write(run / "presence.tsv", table.PRESENCE, _presence(cases))
    test = [case for case in cases if case["split"] == "test"]
    extra = ("logit_CN", "logit_AD", "p_CN", "p_AD", "decision", "set")
    _write(run / "predictions.tsv", table.PREDICTIONS, _predictions(test), extra=extra)
    atomic.write_text(run / "study.yaml", STUDY)
    atomic.write_json(run / "environment.json", {"python": "3.11", "packages": {"numpy": "2.4"}})
    history = [{"name": "single", "steps": 100, "training_auroc": {"mri": 0.81, "pet": None}}]
    atomic.write_json(run / "jobs" / "0a1b" / "history.json", history)
    evaluate(run)
    return run


def evaluate(run: Path) -> None:
    """Write `metrics.json` and the figures of a run."""
    predictions = read_predictions(run / "predictions.tsv")
    interval = Interval(draws=100)
    results = score_tables(
        predictions, classes=CLASSES, positive="AD", interval=interval, oracle=None
    )
    document = metrics_document(
        {OWN: results}, main=OWN, classes=CLASSES, interval=interval, against="late-sum"
    )
    atomic.write_json(run / "metrics.json", document)
    write_figures(
        run / "figures",
        predictions=predictions,
        rows=document["rows"],
        presence=pd.DataFrame(table.read(run / "presence.tsv", table.PRESENCE)),
        classes=CLASSES,
        positive="AD",
    )


def _write(
    path: Path,
    schema: table.Schema,
    rows: Iterable[dict[str, Any]],
    *,
    extra: tuple[str, ...] = (),
) -> None:
    columns = {*schema.columns, *extra}
    kept = [{name: row[name] for name in row if name in columns} for row in rows]
    table.write(path, schema, kept, extra=extra)


def _presence(cases: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, case in enumerate(cases):
        pet = ("shown", "hidden", "hidden", "absent")[number % 4]
        protocol = "mcar" if case["split"] in ("train", "test") else "complete"
        rate = 0.5 if protocol == "mcar" else None
        for modality, status in (("mri", "shown"), ("pet", pet)):
            yield case | {
                "protocol": protocol,
                "rate": rate,
                "modality": modality,
                "status": status,
            }


def _predictions(cases: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    generator = np.random.default_rng(0)
    for method, skill in (("hypermm", 2.0), ("late-sum", 1.0)):
        for number, case in enumerate(cases):
            mixed = "mri" if number % 4 in (1, 2) else "mri+pet"
            views = [("every-pattern", None, one) for one in ("mri", "pet", "mri+pet")]
            for protocol, rate, pattern in [*views, ("mcar", 0.5, mixed), ("mcar", 1.0, "mri")]:
                odds = float(skill * (case["label"] == "AD") - skill / 2 + generator.normal())
                yield case | {
                    "seed": 0,
                    "method": method,
                    "protocol": protocol,
                    "rate": rate,
                    "pattern": pattern,
                    "logit_CN": 0.0,
                    "logit_AD": odds,
                    "p_CN": float(expit(-odds)),
                    "p_AD": float(expit(odds)),
                    "decision": "AD" if odds > 0 else "CN",
                    "set": "CN|AD",
                }


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run folder, which no test may change."""
    return write_run(tmp_path_factory.mktemp("runs") / "ad-missing-pet")


@pytest.fixture
def run(written: Path, tmp_path: Path) -> Path:
    """A whole run folder of the test's own."""
    return Path(shutil.copytree(written, tmp_path / "ad-missing-pet"))


@pytest.fixture(scope="session")
def judged(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with statistics and tables, which no test may change."""
    run = Path(shutil.copytree(written, tmp_path_factory.mktemp("judged") / "ad-missing-pet"))
    found = study_statistics(
        read_predictions(run / "predictions.tsv"),
        classes=CLASSES,
        positive="AD",
        plan=Plan(interval=Interval(draws=100)),
    )
    atomic.write_json(run / "statistics.json", found.to_json())
    for name, text in found.to_csv().items():
        atomic.write_text(run / "tables" / f"{name}.csv", text)
    return run


@pytest.fixture
def studied(judged: Path, tmp_path: Path) -> Path:
    """A run with statistics, of the test's own."""
    return Path(shutil.copytree(judged, tmp_path / "studied"))


@pytest.fixture
def make_run(tmp_path: Path) -> Any:
    """`write_run` with other names."""

    def make(**names: str) -> Path:
        return write_run(tmp_path / "other", **names)

    return make


@pytest.fixture
def edit_metrics(run: Path) -> Any:
    """Change `metrics.json` of the run by a function of its document."""

    def edit(change: Any) -> None:
        path = run / "metrics.json"
        document = json.loads(path.read_text())
        change(document)
        atomic.write_json(path, document)

    return edit
