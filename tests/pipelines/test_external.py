"""External cohorts: tested by every job, learned from by none, and never taken for the own one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from mmmed.record import table

SETTINGS = (
    "training={steps: 4}",
    "evaluation={interval: {draws: 100}}",
    "cohort.simulation={subjects: {train: 30, validation: 10, calibration: 12, test: 20}}",
    "protocols.train=[{kind: complete}]",
    "protocols.test=[{kind: every-pattern}, {kind: mcar, modality: b, rate: [0.5]}]",
    "methods=[{kind: late-sum}, {kind: imputation, name: mean, imputer: {kind: mean}}]",
)
OWN, NOISY, ONLY_A = "toy-xor", "noisy", "only-a"
VECTORS = {"a": {"kind": "vector", "columns": ["a"]}, "b": {"kind": "vector", "columns": ["b"]}}
LABEL = {"column": "label", "classes": ["0", "1"]}
SUBJECTS = 16
"""Of the noisy cohort, over all of its parts."""


def workspace(place: Path) -> Path:
    """A folder of the user's, with a noisy xor and a table that has only one of the two bits."""
    for folder in ("cohorts", "transforms", "pipelines"):
        (place / folder).mkdir(parents=True)
    subjects = {"train": 4, "validation": 2, "calibration": 2, "test": 8}
    write_cohort(
        place,
        NOISY,
        kind="simulated-table",
        simulation={"law": {"kind": "xor", "flip": 0.25}, "subjects": subjects, "seed": 3},
        read={"kind": "table", "table": "cases.tsv", "modalities": VECTORS, "label": LABEL},
    )
    write_table(place, ONLY_A, pd.DataFrame({"a": [0, 1, 0, 1, 1], "label": [0, 1, 1, 0, None]}))
    return place


def write_cohort(place: Path, name: str, **values: Any) -> None:
    (place / "cohorts" / f"{name}.yaml").write_text(yaml.safe_dump({"mmmed": 1, **values}))


def write_table(place: Path, name: str, rows: pd.DataFrame, **label: Any) -> None:
    """A cohort of rows, called `case-1`, `case-2`, ... unless they say otherwise."""
    if "case_id" not in rows:
        rows.insert(0, "case_id", [f"case-{row:02d}" for row in range(1, len(rows) + 1)])
    if "label" in rows:
        rows["label"] = rows["label"].astype("Int64")
    (place / name).mkdir()
    rows.to_csv(place / name / "cases.csv", index=False)
    write_cohort(
        place,
        name,
        kind="table",
        root=str(place / name),
        table="cases.csv",
        modalities={key: one for key, one in VECTORS.items() if key in rows},
        label=LABEL | label,
    )


@dataclass(frozen=True)
class Done:
    """A finished run and what it said."""

    run: Path
    err: str

    def rows(self, name: str) -> pd.DataFrame:
        schemas = {"predictions": table.PREDICTIONS, "cases": table.CASES}
        schema = schemas.get(name, table.PRESENCE)
        return pd.DataFrame(table.read(self.run / f"{name}.tsv", schema))

    def json(self, name: str) -> dict[str, Any]:
        return dict(json.loads((self.run / name).read_text()))


@pytest.fixture
def begin(attempt_in: Callable[..., Any]) -> Callable[..., Any]:
    return lambda place, *more: start(attempt_in, place, *more)


def start(attempt_in: Callable[..., Any], place: Path, *more: str) -> Any:
    chosen = [part for setting in (*SETTINGS, *more) for part in ("--set", setting)]
    return attempt_in(place, "run", "toy/xor", *chosen, "--jobs", "1", "--out", "run")


@pytest.fixture(scope="module")
def done(attempt_in: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Done:
    place = workspace(tmp_path_factory.mktemp("external"))
    found = start(attempt_in, place, f"external=[{NOISY}, {ONLY_A}]")
    assert found.code == 0, found.err
    return Done(place / "run", found.err)


def test_every_labelled_case_is_tested_by_every_job_under_every_protocol(done: Done) -> None:
    rows = done.rows("predictions")
    counts = rows.groupby(["cohort", "method", "protocol"])["case_id"].nunique()
    for method in ("late-sum", "mean"):
        for protocol in ("every-pattern", "mcar"):
            assert counts[OWN, method, protocol] == 20
            assert counts[NOISY, method, protocol] == SUBJECTS
    assert counts[ONLY_A, "mean", "every-pattern"] == 4
    assert set(rows["split"]) == {"test"}
    assert set(rows[rows["cohort"] == ONLY_A]["pattern"]) == {"a"}


def test_nothing_of_it_is_trained_validated_or_calibrated_on(
    done: Done, begin: Callable[..., Any], tmp_path: Path
) -> None:
    assert begin(workspace(tmp_path / "alone")).code == 0
    alone = Done(tmp_path / "alone" / "run", "")
    mine = done.rows("predictions")
    mine = mine[mine["cohort"] == OWN].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.rows("predictions"))
    splits = pd.DataFrame(table.read(done.run / "splits.tsv", table.SPLITS))
    assert len(splits) == 72


def test_what_stands_under_one_id_in_two_cohorts_is_kept_apart(done: Done) -> None:
    cases = done.rows("cases")
    both = cases[cases["case_id"] == "case-02"].set_index("cohort")
    assert {OWN, NOISY} <= set(both.index)
    predicted = done.rows("predictions")
    for cohort in (OWN, NOISY):
        label = cases[cases["cohort"] == cohort].set_index("case_id")["label"]
        part = predicted[predicted["cohort"] == cohort]
        assert (label.loc[part["case_id"]].to_numpy() == part["label"].to_numpy()).all()


def test_masks_stand_in_the_presence_table_as_they_were_predicted(done: Done) -> None:
    presence = done.rows("presence")
    masks = presence[(presence["cohort"] == NOISY) & (presence["protocol"] == "mcar")]
    assert set(masks["split"]) == {"test"}
    shown = masks[masks["status"] == "shown"].groupby("case_id")["modality"].agg("+".join)
    rows = done.rows("predictions")
    part = rows[(rows["cohort"] == NOISY) & (rows["protocol"] == "mcar")]
    assert (shown.loc[part["case_id"]].to_numpy() == part["pattern"].to_numpy()).all()
    assert sum(masks["status"] == "hidden") == SUBJECTS / 2


def test_oracle_and_ceiling_are_those_of_its_own_law(done: Done) -> None:
    truth = done.json(f"external/{NOISY}/truth.json")["cases"]
    predicted = done.rows("predictions")
    part = predicted[
        (predicted["cohort"] == NOISY)
        & (predicted["method"] == "mean")
        & (predicted["protocol"] == "every-pattern")
        & (predicted["pattern"] == "a+b")
    ]
    odds = np.array([truth[case]["log_odds"]["a+b"] for case in part["case_id"]])
    by_hand = np.mean((odds > 0) == (part["label"] == "1").to_numpy())
    for name, measure in (("metrics.json", "metric"), ("statistics.json", "measure")):
        found = done.json(name)["rows" if name == "metrics.json" else "scores"]
        oracle = {
            row["cohort"]: (row["oracle"], row["ceiling"])
            for row in found
            if (row["method"], row["pattern"], row[measure], row["table"])
            == ("mean", "a+b", "accuracy", "forced")
        }
        assert oracle[OWN] == pytest.approx((1.0, 1.0))
        assert oracle[NOISY] == pytest.approx((by_hand, 0.75))


def test_nothing_is_claimed_to_be_known_of_a_real_one(done: Done) -> None:
    rows = [row for row in done.json("statistics.json")["scores"] if row["cohort"] == ONLY_A]
    assert rows
    assert all(row.get("oracle") is None and row.get("ceiling") is None for row in rows)


def test_what_it_lacks_and_whose_ids_coincide_is_told(done: Done) -> None:
    for sentence in (
        f"external cohort {ONLY_A}: no case has b",
        f"external cohort {ONLY_A}: left out: case-05: has no label",
        f"external cohort {ONLY_A}: not tested under mcar",
        f"external cohort {NOISY}: {SUBJECTS} subject ids stand in toy-xor too",
    ):
        assert sentence in done.err


def test_the_report_tells_of_the_cases_of_the_own_cohort(done: Done) -> None:
    from mmmed.audit.folder import read_run

    found = read_run(done.run)
    assert {row["cohort"] for row in (*found.cases, *found.presence)} == {OWN}


def test_a_killed_run_goes_on_to_the_same_rows(
    done: Done, attempt_in: Callable[..., Any], tmp_path: Path
) -> None:
    place = Path(shutil.copytree(done.run.parent, tmp_path / "place"))
    run = place / "run"
    before = (run / "predictions.tsv").read_bytes()
    for name in ("chain.json", "predictions.tsv"):
        (run / name).unlink()
    jobs = sorted(run.glob("jobs/*"))
    (jobs[0] / "done").unlink()
    kept = (jobs[1] / "done").stat().st_mtime_ns
    chosen = [
        part
        for setting in (*SETTINGS, f"external=[{NOISY}, {{name: {ONLY_A}}}]")
        for part in ("--set", setting)
    ]
    again = attempt_in(place, "run", "toy/xor", *chosen, "--jobs", "1", "--out", "run", "--resume")
    assert again.code == 0, again.err
    assert (run / "predictions.tsv").read_bytes() == before
    assert sorted(run.glob("jobs/*")) == jobs
    assert (jobs[1] / "done").stat().st_mtime_ns == kept


def measured(ids: list[str], seed: int) -> pd.DataFrame:
    """Cases of continuous vectors: no two people have a row in common."""
    a, b = np.random.default_rng(seed).normal(size=(2, len(ids)))
    labels = [row % 2 for row in range(len(ids))]
    return pd.DataFrame({"case_id": ids, "a": a, "b": b, "label": labels})


MEASURED = (*SETTINGS[:2], *SETTINGS[3:], "splits={kind: holdout}", "cohort=home")


@pytest.mark.parametrize("renamed", [False, True])
def test_somebody_who_is_in_both_is_refused(
    attempt_in: Callable[..., Any], tmp_path: Path, *, renamed: bool
) -> None:
    place = workspace(tmp_path / "place")
    home = measured([f"p{row:02d}" for row in range(60)], seed=0)
    away = measured([f"p{row:02d}" for row in range(8)], seed=1)
    away.loc[5, ["a", "b"]] = home.loc[5, ["a", "b"]]
    if renamed:
        away["case_id"] = [f"q{row:02d}" for row in range(8)]
    write_table(place, "home", home)
    write_table(place, "away", away)
    chosen = [part for one in (*MEASURED, "external=[away]") for part in ("--set", one)]
    found = attempt_in(place, "run", "toy/xor", *chosen, "--jobs", "1", "--out", "run")
    who = "subject q05 is in home too as subject p05" if renamed else "subject p05 is in home too"
    assert found.code == 2
    assert [who in line for line in found.complaints] == [True]
    assert not list((place / "run").glob("jobs/*/done"))


def test_the_same_people_under_another_name_are_refused(
    begin: Callable[..., Any], tmp_path: Path
) -> None:
    place = workspace(tmp_path / "place")
    write_cohort(
        place,
        "twin",
        kind="simulated-table",
        simulation={"subjects": {"train": 30, "validation": 10, "calibration": 12, "test": 20}},
        read={"kind": "table", "table": "cases.tsv", "modalities": VECTORS, "label": LABEL},
    )
    found = begin(place, "external=[twin]")
    assert found.code == 2
    assert len(found.complaints) == 1
    assert "72 subjects whose ids stand in toy-xor too have the same a, b" in found.err


@pytest.mark.parametrize(
    ("external", "words"),
    [
        ("[toy-xor]", "two cohorts are called toy-xor"),
        (f"[{NOISY}, {{name: {NOISY}, seed: 9}}]", f"two cohorts are called {NOISY}"),
        ("[other-classes]", "its classes are 1, 2 (positive)"),
        ("[mfeat]", "needs the folder of its files: --set 'external=[{name: mfeat, root: DIR}]'"),
    ],
)
def test_one_that_does_not_fit_is_one_line(
    begin: Callable[..., Any], tmp_path: Path, external: str, words: str
) -> None:
    place = workspace(tmp_path / "place")
    rows = pd.DataFrame({"case_id": ["x", "y"], "a": [0, 1], "b": [1, 1], "label": [1, 2]})
    write_table(place, "other-classes", rows, classes=["1", "2"])
    found = begin(place, f"external={external}")
    assert found.code == 2
    assert len(found.complaints) == 1
    assert words in found.complaints[0]
