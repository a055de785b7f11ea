from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mmmed.errors import DataError
from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.result import score_tables
from mmmed.evaluation.scores import METRICS
from mmmed.evaluation.summary import metrics_document

CLASSES = ("CN", "AD")
QUICK = Interval(draws=100)
OWN = ("", "")
"""A study of one cohort and one training."""


@pytest.fixture(scope="module")
def study(make_study: Callable[..., Any]) -> Any:
    return make_study(n=60, methods={"a": 0.5, "b": 3.0}, rates=(0.0, 0.5, 1.0), seeds=2)


@pytest.fixture(scope="module")
def rows(summarise: Any, study: Any) -> list[dict[str, Any]]:
    return summarise(
        study.predictions,
        classes=CLASSES,
        positive="AD",
        interval=QUICK,
        oracle=study.oracle,
        methods=("b",),
    )


def find(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (row,) = (row for row in rows if all(row[key] == value for key, value in wanted.items()))
    return row


def test_every_method_table_and_metric_has_one_row(rows: list[dict[str, Any]]) -> None:
    places = [
        tuple(row[k] for k in ("method", "protocol", "rate", "pattern", "metric")) for row in rows
    ]
    assert len(set(places)) == len(rows) == 2 * (3 + 3) * len(METRICS)


def test_methods_come_in_the_order_asked_for(rows: list[dict[str, Any]]) -> None:
    assert list(dict.fromkeys(row["method"] for row in rows)) == ["b", "a"]


def test_auroc_is_computed_inside_a_seed_and_averaged(
    study: Any, rows: list[dict[str, Any]]
) -> None:
    frame = study.predictions
    frame = frame[(frame["method"] == "a") & (frame["protocol"] == "mcar") & (frame["rate"] == 0.5)]
    each = [roc_auc_score(part["label"] == "AD", part["p_AD"]) for _, part in frame.groupby("seed")]
    row = find(rows, method="a", protocol="mcar", rate=0.5, metric="auroc")
    assert row["value"] == pytest.approx(np.mean(each))
    assert row["seed_spread"] == pytest.approx(np.std(each, ddof=1))
    assert row["models"] == 2


def test_folds_with_shifted_scores_are_not_pooled(summarise: Any, study: Any) -> None:
    """Scores of one fold far above the other's leave each fold's order as it was."""
    frame = study.predictions[study.predictions["seed"] == "0"].copy()
    odd = frame["case_id"].str.slice(-2).astype(int) >= 30
    frame.loc[odd, "fold"] = "1"
    shifted = frame.copy()
    shifted.loc[odd, "p_AD"] = 0.9 + shifted.loc[odd, "p_AD"] / 10
    values = [
        find(
            summarise(one, classes=CLASSES, positive="AD", interval=QUICK),
            method="a",
            pattern="mri",
            metric="auroc",
        )["value"]
        for one in (frame, shifted)
    ]
    assert values[0] == pytest.approx(values[1])


def test_counts_are_of_cases_and_not_of_rows(rows: list[dict[str, Any]]) -> None:
    row = find(rows, method="a", protocol="mcar", rate=0.5, metric="auroc")
    assert (row["n"], row["n_subjects"], row["n_positive"], row["positive"]) == (60, 60, 30, "AD")
    assert row["shown"] == {"mri": 30, "mri+pet": 30}


def test_the_oracle_is_scored_on_the_same_cases(study: Any, rows: list[dict[str, Any]]) -> None:
    truth = study.oracle[study.oracle["pattern"] == "pet"]["log_odds"]
    best = roc_auc_score(study.label, truth)
    row = find(rows, method="a", pattern="pet", metric="auroc")
    assert row["oracle"] == pytest.approx(best)
    assert row["fraction"] == pytest.approx((row["value"] - 0.5) / (best - 0.5))
    assert row["fraction_low"] < row["fraction"] < row["fraction_high"]


def test_the_oracle_itself_reaches_all_of_the_ceiling(
    summarise: Any, make_study: Callable[..., Any]
) -> None:
    study = make_study(n=60, methods={"oracle": 0.0}, rates=(0.5,))
    rows = summarise(
        study.predictions, classes=CLASSES, positive="AD", interval=QUICK, oracle=study.oracle
    )
    chosen = [row for row in rows if row["metric"] == "auroc"]
    assert [row["fraction"] for row in chosen] == pytest.approx([1.0] * 4)


def test_ceilings_stand_beside_the_values(summarise: Any, study: Any) -> None:
    ceilings = {
        "rows": [
            {
                "protocol": "mcar",
                "rate": 0.5,
                "pattern": "mixed",
                "ceiling_images": {"auroc": 0.6, "accuracy": 0.7, "error": 0.001},
                "ceiling_all": {"auroc": 0.99},
            }
        ]
    }
    rows = summarise(
        study.predictions, classes=CLASSES, positive="AD", interval=QUICK, ceilings=ceilings
    )
    row = find(rows, method="a", rate=0.5, metric="auroc")
    assert (row["ceiling"], row["ceiling_all"], row["ceiling_error"]) == (0.6, 0.99, 0.001)
    assert row["remark"] == "using absence as evidence"
    assert 0.5 <= row["pattern_auroc"] <= 0.7
    assert find(rows, method="a", rate=0.5, metric="accuracy")["ceiling"] == 0.7
    assert find(rows, method="a", rate=1.0, metric="auroc")["remark"] is None


def test_without_a_truth_nothing_attainable_is_claimed(summarise: Any, study: Any) -> None:
    rows = summarise(study.predictions, classes=CLASSES, positive="AD", interval=QUICK)
    for row in rows:
        assert {row[name] for name in ("oracle", "ceiling", "fraction", "remark")} == {None}


def test_a_pattern_of_one_class_gives_none_with_a_reason(summarise: Any, study: Any) -> None:
    frame = study.predictions
    frame = frame[(frame["pattern"] != "pet") | (frame["label"] == "CN")]
    rows = summarise(frame, classes=CLASSES, positive="AD", interval=QUICK, oracle=study.oracle)
    row = find(rows, method="a", pattern="pet", metric="auroc")
    assert (row["value"], row["low"], row["fraction"]) == (None, None, None)
    assert row["reason"] == "all cases are CN"
    assert find(rows, method="a", pattern="pet", metric="accuracy")["value"] is not None


def test_a_perfect_score_says_that_its_interval_says_nothing(
    summarise: Any, make_study: Any
) -> None:
    study = make_study(n=20, methods={"a": 0.0}, rates=())
    frame = study.predictions.copy()
    frame["p_AD"] = np.where(frame["label"] == "AD", 0.9, 0.1)
    rows = summarise(frame, classes=CLASSES, positive="AD", interval=QUICK)
    row = find(rows, pattern="mri", metric="auroc")
    assert (row["value"], row["low"], row["high"]) == (1, 1, 1)
    assert row["reason"] == "every resample gives the same value: the interval says nothing"


def test_more_than_two_classes_are_summarised(summarise: Any) -> None:
    generator = np.random.default_rng(0)
    label = np.array(list("abc"))[np.arange(60) % 3]
    chances = generator.dirichlet(np.ones(3), size=60)
    frame = pd.DataFrame(
        {
            "case_id": [f"c{i}" for i in range(60)],
            "subject_id": [f"c{i}" for i in range(60)],
            "session_id": "n/a",
            "site": "n/a",
            "split": "test",
            "fold": "0",
            "seed": "0",
            "method": "m",
            "protocol": "every-pattern",
            "rate": np.nan,
            "owned": "x",
            "pattern": "x",
            "label": label,
            "decision": np.array(list("abc"))[chances.argmax(axis=1)],
            **{f"p_{name}": chances[:, k] for k, name in enumerate("abc")},
        }
    )
    rows = summarise(frame, classes=tuple("abc"), positive=None, interval=QUICK)
    auroc = find(rows, metric="auroc")
    assert auroc["value"] == pytest.approx(roc_auc_score(label, chances, multi_class="ovr"))
    assert (auroc["positive"], auroc["n_positive"]) == (None, None)
    assert find(rows, metric="sensitivity")["reason"] == "no positive class is named"


def test_the_document_is_plain_json_with_rows_differences_and_notes(study: Any) -> None:
    results = score_tables(
        study.predictions, classes=CLASSES, positive=None, interval=QUICK, oracle=study.oracle
    )
    document = metrics_document(
        {OWN: results},
        main=OWN,
        classes=CLASSES,
        interval=QUICK,
        against="b",
        notes=["matched"],
    )
    assert document["mmmed-metrics"] == 1
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert "100 draws" in document["notes"][0]
    assert document["notes"][1] == "matched"
    assert {row["against"] for row in document["differences"]} == {"b"}


def test_differences_are_paired_and_have_the_sign_of_the_better(study: Any) -> None:
    results = score_tables(
        study.predictions, classes=CLASSES, positive="AD", interval=QUICK, oracle=None
    )
    document = metrics_document(
        {OWN: results}, main=OWN, classes=CLASSES, interval=QUICK, against="b"
    )
    row = find(document["differences"], method="a", pattern="mri+pet", metric="auroc")
    values = [
        find(document["rows"], method=name, pattern="mri+pet", metric="auroc")["value"]
        for name in "ab"
    ]
    assert row["value"] == pytest.approx(values[0] - values[1])
    assert row["low"] < row["value"] < row["high"]


def test_methods_scored_on_other_cases_are_not_paired(study: Any) -> None:
    frame = study.predictions
    frame = frame[(frame["method"] != "a") | (frame["case_id"] != "sub-000")]
    results = score_tables(frame, classes=CLASSES, positive="AD", interval=QUICK, oracle=None)
    document = metrics_document(
        {OWN: results}, main=OWN, classes=CLASSES, interval=QUICK, against="b"
    )
    assert {row["value"] for row in document["differences"]} == {None}
    assert {row["reason"] for row in document["differences"]} == {
        "not the same cases, folds and seeds, so not paired"
    }


def test_no_labelled_test_case_is_an_error(summarise: Any, study: Any) -> None:
    frame = study.predictions.assign(split="train")
    with pytest.raises(DataError, match="no test case has a label"):
        summarise(frame, classes=CLASSES, positive="AD", interval=QUICK)


def test_an_unknown_positive_class_is_an_error(summarise: Any, study: Any) -> None:
    with pytest.raises(DataError, match="positive class 'MCI' is no class"):
        summarise(study.predictions, classes=CLASSES, positive="MCI", interval=QUICK)
