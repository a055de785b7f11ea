from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmmed.errors import DataError
from mmmed.evaluation.predictions import read_predictions, tables
from mmmed.record import table

CLASSES = ("CN", "AD")


@pytest.fixture
def study(make_study: Callable[..., Any]) -> Any:
    return make_study(n=12, methods={"a": 1.0, "b": 2.0}, rates=(0.5, 1.0), seeds=2)


def test_forced_tables_are_one_per_pattern_and_observed_ones_are_mixed(study: Any) -> None:
    found = dict(tables(study.predictions, classes=CLASSES, positive="AD"))
    assert {(key.table, key.rate, key.pattern) for key in found if key.method == "a"} == {
        ("forced", -1.0, "mri"),
        ("forced", -1.0, "pet"),
        ("forced", -1.0, "mri+pet"),
        ("observed", 0.5, "mixed"),
        ("observed", 1.0, "mixed"),
    }
    assert all([model.seed for model in models] == ["0", "1"] for models in found.values())
    assert all(len(model.case) == 12 for models in found.values() for model in models)


def test_other_splits_and_unlabelled_cases_are_left_out(study: Any) -> None:
    frame = study.predictions.copy()
    frame.loc[frame["case_id"] == "sub-000", "split"] = "calibration"
    frame.loc[frame["case_id"] == "sub-001", "label"] = "n/a"
    for _, models in tables(frame, classes=CLASSES, positive="AD"):
        for model in models:
            assert {"sub-000", "sub-001"}.isdisjoint(model.case)


def test_a_file_gives_the_same_tables(study: Any, tmp_path: Path) -> None:
    path = tmp_path / "predictions.tsv"
    frame = study.predictions.astype(object).where(study.predictions.notna(), None)
    extra = tuple(name for name in frame.columns if name not in table.PREDICTIONS.columns)
    table.write(path, table.PREDICTIONS, frame.to_dict("records"), extra=extra)
    there = dict(tables(study.predictions, classes=CLASSES, positive="AD"))
    back = dict(tables(read_predictions(path), classes=CLASSES, positive="AD"))
    assert there.keys() == back.keys()
    for key, models in there.items():
        first, second = models[0], back[key][0]
        order = np.argsort(first.case)
        assert np.sort(first.case).tolist() == list(second.case)
        assert (first.scored.probabilities[order] == second.scored.probabilities).all()


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("label", "MCI", "sub-000: label 'MCI' is no class; allowed: CN, AD"),
        ("label", "1", "sub-000: label '1' is no class"),
        ("decision", "n/a", "sub-000: decision 'n/a' is no class"),
        ("p_AD", 1.5, "sub-000: a probability is not between 0 and 1"),
        ("p_AD", np.nan, "sub-000: a probability is not between 0 and 1"),
    ],
)
def test_a_cell_that_cannot_be_scored_is_named(
    study: Any, column: str, value: Any, said: str
) -> None:
    frame = study.predictions.copy()
    frame.loc[frame["case_id"] == "sub-000", column] = value
    with pytest.raises(DataError, match=said):
        list(tables(frame, classes=CLASSES, positive="AD"))


def test_a_missing_column_is_named(study: Any) -> None:
    with pytest.raises(DataError, match="the column 'p_CN' is missing"):
        list(tables(study.predictions.drop(columns="p_CN"), classes=CLASSES, positive="AD"))


def test_a_word_where_a_number_must_be_is_named(study: Any, tmp_path: Path) -> None:
    path = tmp_path / "predictions.tsv"
    rows = [{"case_id": "sub-000", "rate": "half"}]
    table.write(path, table.PREDICTIONS, rows)
    with pytest.raises(DataError, match=r"predictions.tsv: column 'rate' holds what is no number"):
        read_predictions(path)
