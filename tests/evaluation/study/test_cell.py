from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmmed.evaluation.study.cell import Cell, find_cells


@pytest.fixture(scope="module")
def predictions(make_study: Callable[..., Any]) -> pd.DataFrame:
    made = make_study(n=20, methods={"a": 1.0}, rates=(0.0, 0.5), seeds=2)
    return pd.DataFrame(made.predictions)


def cells(predictions: pd.DataFrame) -> list[Cell]:
    return find_cells(predictions, classes=("CN", "AD"), positive="AD")


def test_forced_tables_are_by_pattern_and_observed_ones_whole_and_by_stratum(
    predictions: pd.DataFrame,
) -> None:
    found = {
        (one.place.table, one.place.rate, one.place.pattern): [len(m.case) for m in one.models]
        for one in cells(predictions)
    }
    assert found == {
        ("forced", -1, "mri"): [20, 20],
        ("forced", -1, "mri+pet"): [20, 20],
        ("forced", -1, "pet"): [20, 20],
        ("observed", 0, "mixed"): [20, 20],
        ("observed", 0.5, "mixed"): [20, 20],
        ("stratum", 0.5, "mri"): [10, 10],
        ("stratum", 0.5, "mri+pet"): [10, 10],
    }


@pytest.mark.parametrize("missing", [np.nan, None, "n/a"])
def test_no_row_is_lost_where_a_column_is_not_filled(
    predictions: pd.DataFrame, missing: object
) -> None:
    half = predictions["seed"] == "0"
    told = predictions.assign(train=["mcar 0.5" if one else missing for one in half])
    found = cells(told)
    assert {one.place.train for one in found} == {"", "mcar 0.5"}
    assert len(found) == 2 * len(cells(predictions))
    assert found[0].place.to_row()["train"] is None


def test_a_stratum_is_the_cases_that_show_the_pattern(predictions: pd.DataFrame) -> None:
    (stratum,) = [
        one
        for one in cells(predictions)
        if (one.place.table, one.place.pattern) == ("stratum", "mri")
    ]
    frame = predictions.query("rate == 0.5 and pattern == 'mri' and seed == '1'")
    model = stratum.models[1]
    assert list(model.case) == frame["case_id"].tolist()
    assert set(model.pattern) == {"mri"}
    assert model.scored.probabilities[:, 1].tolist() == frame["p_AD"].tolist()
