from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from mmmed.audit.picture import DESCRIPTIONS, figures
from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.figures.conclusions import write_conclusions
from mmmed.evaluation.figures.cost import cost_accuracy
from mmmed.evaluation.figures.differences import difference_forest
from mmmed.evaluation.figures.ranks import rank_bars
from mmmed.evaluation.study.plan import Plan
from mmmed.evaluation.study.statistics import Statistics, study_statistics

SECONDS = {"a": [10.0, 14.0], "b": [100.0]}


@pytest.fixture(scope="module")
def found(make_study: Callable[..., Any]) -> Statistics:
    frame = make_study(n=40, methods={"a": 0.5, "b": 2.0}, rates=(0.0, 1.0)).predictions
    both = pd.concat([frame.assign(train="complete"), frame.assign(train="mcar 0.5")])
    return study_statistics(
        both, classes=("CN", "AD"), positive="AD", plan=Plan(interval=Interval(draws=100))
    )


def of_main(rows: Any) -> list[dict[str, Any]]:
    return [row for row in rows if row["train"] == "complete"]


def test_the_figures_of_a_study_are_written_and_have_words(
    tmp_path: Path, found: Statistics
) -> None:
    paths = write_conclusions(tmp_path, found, main=("", "complete"), seconds=SECONDS)
    names = [path.stem for path in paths]
    assert names == ["differences", "ranks", "cost-accuracy", "trainings"]
    assert all(imread(path).std() > 0 for path in paths)
    for name in names:
        assert name in DESCRIPTIONS
        assert [one["title"] for one in figures({f"{name}.png": b""}, name)] == [name]


def test_differences_stand_at_their_values_beside_their_verdicts(found: Statistics) -> None:
    rows = [row for row in of_main(found.comparisons) if row["kind"] == "methods"]
    rows = [row for row in rows if row["measure"] == "auroc"]
    figure = difference_forest(rows, margin=0.02, measure="auroc")
    assert figure is not None
    (axes,) = figure.axes
    marked = [line for line in axes.lines if str(line.get_marker()) in "os"]
    points = [float(np.ravel(line.get_xdata())[0]) for line in marked]
    assert points == pytest.approx([row["value"] for row in rows])
    assert [text.get_text() for text in axes.texts] == [row["word"] for row in rows]


def test_the_shares_of_a_place_fill_its_bar(found: Statistics) -> None:
    figure = rank_bars(of_main(found.ranks))
    assert figure is not None
    (axes,) = figure.axes
    ends = [bar.get_x() + bar.get_width() for bar in axes.containers[-1]]
    assert ends == pytest.approx([1.0] * len(ends))


def test_costs_are_means_of_the_jobs(found: Statistics) -> None:
    figure = cost_accuracy(of_main(found.curves), SECONDS, measure="auroc")
    assert figure is not None
    marked = [line for line in figure.axes[0].lines if str(line.get_marker()) in "os"]
    assert [float(np.ravel(line.get_xdata())[0]) for line in marked] == [12.0, 100.0]


def test_what_has_no_numbers_has_no_figure(found: Statistics) -> None:
    assert difference_forest([], margin=0.02, measure="auroc") is None
    assert rank_bars([]) is None
    assert cost_accuracy(found.curves, {}, measure="auroc") is None
