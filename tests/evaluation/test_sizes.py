"""Means over patterns of a size, against the plain mean of the forced rows."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.result import score_tables
from mmmed.evaluation.sizes import by_size

VIEWS = ("a", "b", "c")
PATTERNS = ["+".join(one) for size in (1, 2, 3) for one in combinations(VIEWS, size)]
CLASSES = ("x", "y", "z")


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    """30 cases in two folds under all patterns of three views; more views, better predictions."""
    generator = np.random.default_rng(0)
    rows = []
    for method in ("first", "second"):
        for number in range(30):
            for pattern in PATTERNS:
                score = generator.normal(size=3)
                score[number % 3] += 1 + pattern.count("+")
                chance = np.exp(score) / np.exp(score).sum()
                rows.append(
                    {
                        "case_id": f"c{number}",
                        "subject_id": f"c{number}",
                        "session_id": "n/a",
                        "site": "n/a",
                        "split": "test",
                        "fold": str(number // 15),
                        "seed": "0",
                        "method": method,
                        "protocol": "every-pattern",
                        "rate": np.nan,
                        "owned": "a+b+c",
                        "pattern": pattern,
                        "label": CLASSES[number % 3],
                        **{f"p_{name}": chance[k] for k, name in enumerate(CLASSES)},
                        "decision": CLASSES[int(np.argmax(chance))],
                    }
                )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def rows(summarise: Any, predictions: pd.DataFrame) -> list[dict[str, Any]]:
    return summarise(
        predictions,
        classes=CLASSES,
        positive=None,
        interval=Interval(draws=100),
        methods=("second", "first"),
    )


@pytest.mark.parametrize("metric", ["accuracy", "auroc", "brier"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_size_is_the_mean_over_its_patterns(
    rows: list[dict[str, Any]], size: int, metric: str
) -> None:
    mine = [row for row in rows if row["method"] == "first" and row["metric"] == metric]
    forced = [
        row["value"]
        for row in mine
        if row["table"] == "forced" and row["pattern"].count("+") == size - 1
    ]
    (found,) = (row for row in mine if row["pattern"] == f"any {size} of 3")
    assert len(forced) == (3, 3, 1)[size - 1]
    assert found["table"] == "sizes"
    assert found["value"] == pytest.approx(np.mean(forced))
    assert (found["n"], found["models"]) == (30, 2)
    assert found["low"] <= found["value"] <= found["high"]


def test_the_interval_of_a_mean_is_narrower_than_that_of_its_parts(
    rows: list[dict[str, Any]],
) -> None:
    width = {
        row["pattern"]: row["high"] - row["low"]
        for row in rows
        if row["method"] == "first" and row["metric"] == "accuracy" and row["low"] is not None
    }
    assert width["any 2 of 3"] < max(width[name] for name in ("a+b", "a+c", "b+c"))


def test_sizes_stand_in_the_order_of_the_methods(rows: list[dict[str, Any]]) -> None:
    found = [(row["method"], row["pattern"]) for row in rows if row["table"] == "sizes"]
    assert list(dict.fromkeys(found)) == [
        (method, f"any {size} of 3") for method in ("second", "first") for size in (1, 2, 3)
    ]


def test_a_metric_that_one_pattern_leaves_undefined_has_no_mean(
    summarise: Any, predictions: pd.DataFrame
) -> None:
    lacking = (predictions["pattern"] == "b") & (predictions["label"] == "z")
    found = summarise(
        predictions[~lacking], classes=CLASSES, positive=None, interval=Interval(draws=100)
    )
    mine = {
        (row["pattern"], row["metric"]): row
        for row in found
        if row["table"] == "sizes" and row["method"] == "first"
    }
    assert mine["any 1 of 3", "auroc"]["value"] is None
    assert mine["any 1 of 3", "auroc"]["reason"].endswith("no case is z")
    assert mine["any 1 of 3", "accuracy"]["n"] == 20
    assert mine["any 2 of 3", "auroc"]["value"] is not None


def test_two_modalities_have_no_sizes(predictions: pd.DataFrame) -> None:
    two = predictions[~predictions["pattern"].str.contains("c")]
    results = score_tables(
        two, classes=CLASSES, positive=None, interval=Interval(draws=100), oracle=None
    )
    assert by_size(results) == []
