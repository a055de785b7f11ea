"""`counterfactual.tsv` and `acquisition.json` of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.study.plan import Plan
from mmmed.pipelines.acquisition import NAME, write_acquisition
from mmmed.record import table

CLASSES = ("CN", "AD")
PLAN = Plan(interval=Interval(draws=100))


def rows(*, changing: bool) -> list[dict[str, table.Cell]]:
    """40 cases; where a PET changes anything it makes the label likelier, as the bits say."""
    random = np.random.default_rng(0)
    made: list[dict[str, table.Cell]] = []
    for number in range(40):
        label, now = number % 2, float(random.uniform(0.2, 0.8))
        gains = changing and number % 4 < 2
        then = abs(label - 0.02) if gains else now
        made.append(
            {
                **dict.fromkeys(table.COUNTERFACTUAL.columns),
                "case_id": f"c{number}",
                "subject_id": f"s{number}",
                "split": "test",
                "method": "late-sum",
                "fold": "0",
                "seed": "0",
                "pattern": "mri",
                "lacking": "pet",
                "label": CLASSES[label],
                "would_bits": 0.5 if gains else 0.0,
                "decides_now": CLASSES[int(now > 0.5)],
                "decides_then": CLASSES[int(then > 0.5)],
                "now_CN": 1 - now,
                "now_AD": now,
                "then_CN": 1 - then,
                "then_AD": then,
                "cohort": "ad",
                "train": "complete",
            }
        )
    return made


def acquired(run: Path, *, changing: bool) -> dict[str, object]:
    extra = (*(f"{when}_{name}" for when in ("now", "then") for name in CLASSES),)
    table.write(
        run / "counterfactual.tsv",
        table.COUNTERFACTUAL,
        rows(changing=changing),
        extra=(*extra, *table.STUDY_COLUMNS),
    )
    write_acquisition(run, PLAN, classes=CLASSES, positive="AD", truth=None)
    found = json.loads((run / NAME).read_text())
    (row,) = found["rows"]
    assert (row["method"], row["lost"], row["train"]) == ("late-sum", "pet", "complete")
    return row


def test_an_order_that_finds_who_gains_is_better_than_random(tmp_path: Path) -> None:
    row = acquired(tmp_path, changing=True)
    assert row["gains"]["log_loss"]["over_random"]["verdict"] == "better here"
    assert row["most_of_it"]["log_loss"] == 0.5


def test_a_scan_that_tells_nothing_is_claimed_to_tell_nothing(tmp_path: Path) -> None:
    row = acquired(tmp_path, changing=False)
    verdicts = {one["over_random"]["verdict"] for one in row["gains"].values()}
    assert verdicts == {"inconclusive"}
    assert set(row["most_of_it"].values()) == {None}


def test_a_run_without_outlooks_has_no_such_file(tmp_path: Path) -> None:
    assert write_acquisition(tmp_path, PLAN, classes=CLASSES, positive="AD", truth=None) is None
    assert not (tmp_path / NAME).exists()


def test_outlooks_that_cannot_be_told_leave_no_such_file(tmp_path: Path) -> None:
    extra = (*(f"{when}_{name}" for when in ("now", "then") for name in CLASSES),)
    untold = [{**row, "would_bits": None} for row in rows(changing=True)]
    table.write(
        tmp_path / "counterfactual.tsv",
        table.COUNTERFACTUAL,
        untold,
        extra=(*extra, *table.STUDY_COLUMNS),
    )
    assert write_acquisition(tmp_path, PLAN, classes=CLASSES, positive="AD", truth=None) is None
    assert not (tmp_path / NAME).exists()


def test_a_run_holds_the_outlooks_of_its_jobs(finished: Path) -> None:
    told = table.read(finished / "counterfactual.tsv", table.COUNTERFACTUAL)
    jobs = [
        row
        for path in finished.glob("jobs/*/counterfactual.tsv")
        for row in table.read(path, table.COUNTERFACTUAL)
    ]
    assert len(told) == len(jobs) > 0
