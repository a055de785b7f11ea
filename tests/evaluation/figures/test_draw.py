from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from mmmed.evaluation.bootstrap import Interval
from mmmed.evaluation.figures import calibration, curve, forest, grid, style
from mmmed.evaluation.figures.draw import choose_presence, write_figures

CLASSES = ("CN", "AD")


def presence(*, cases: int = 12, protocol: str = "mcar", rate: float = 0.5) -> pd.DataFrame:
    status = ("shown", "hidden", "absent")
    return pd.DataFrame(
        [
            {
                "protocol": protocol,
                "rate": rate,
                "fold": "0",
                "case_id": f"sub-{i:03d}",
                "split": split,
                "modality": modality,
                "status": "shown" if modality == "mri" else status[i % 3],
            }
            for split in ("train", "test")
            for i in range(cases)
            for modality in ("mri", "pet")
        ]
    )


@pytest.fixture(scope="module")
def study(make_study: Callable[..., Any]) -> Any:
    return make_study(n=40, methods={"a": 0.5, "b": 2.0}, rates=(0.0, 0.5, 1.0))


@pytest.fixture(scope="module")
def rows(summarise: Any, study: Any) -> list[dict[str, Any]]:
    return summarise(
        study.predictions,
        classes=CLASSES,
        positive="AD",
        interval=Interval(draws=100),
        oracle=study.oracle,
    )


def write(folder: Path, study: Any, rows: list[dict[str, Any]], table: Any) -> list[Path]:
    return write_figures(
        folder,
        predictions=study.predictions,
        rows=rows,
        presence=table,
        classes=CLASSES,
        positive="AD",
    )


def test_all_figures_of_a_run_are_written(
    tmp_path: Path, study: Any, rows: list[dict[str, Any]]
) -> None:
    paths = write(tmp_path, study, rows, presence())
    assert {path.name for path in paths} == {
        "cohort-grid.png",
        "overview.png",
        "robustness-mcar.png",
        "patterns.png",
        "reliability-a.png",
        "reliability-b.png",
    }
    assert all(imread(path).std() > 0 for path in paths)


def test_without_presence_the_other_figures_are_written(
    tmp_path: Path, study: Any, rows: list[dict[str, Any]]
) -> None:
    names = {path.name for path in write(tmp_path, study, rows, None)}
    assert "cohort-grid.png" not in names
    assert "patterns.png" in names


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    first, second = (
        style.save(forest.pattern_forest(rows), tmp_path / name) for name in ("a.png", "b.png")
    )
    assert first.read_bytes() == second.read_bytes()


def test_the_curve_draws_values_intervals_and_the_oracle(rows: list[dict[str, Any]]) -> None:
    (axes,) = curve.robustness_curve(rows, protocol="mcar").axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["oracle, same cases", "a", "b"]
    drawn = next(line for line in axes.lines if line.get_label() == "oracle, same cases")
    known = [
        row["oracle"]
        for row in rows
        if (row["method"], row["table"], row["metric"]) == ("a", "observed", "auroc")
    ]
    assert drawn.get_ydata() == pytest.approx(known)


def test_methods_differ_in_colour_marker_and_line() -> None:
    for part in ("colour", "marker"):
        assert len({getattr(look, part) for look in style.LOOKS}) == len(style.LOOKS)


def test_the_forest_names_patterns_with_their_n(rows: list[dict[str, Any]]) -> None:
    (axes,) = forest.pattern_forest(rows).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "mri\nn = 40",
        "pet\nn = 40",
        "mri+pet\nn = 40",
    ]


def test_the_grid_draws_one_mark_per_case_modality_and_status() -> None:
    figure = grid.cohort_grid(presence(cases=12))
    axes = figure.axes[0]
    counts = [len(line.get_xdata()) for line in axes.lines]
    assert counts == [12, 0, 0, 4, 4, 4]  # mri, then pet: shown, hidden, absent


def test_a_wide_grid_draws_every_k_th_case_and_says_so() -> None:
    axes = grid.cohort_grid(presence(cases=200)).axes[0]
    assert axes.get_title(loc="left") == "train: 200 cases, one in 3 drawn"
    assert len(axes.lines[0].get_xdata()) == 67


def test_presence_is_drawn_of_the_protocol_that_hides_nearest_to_a_half() -> None:
    nothing = presence(protocol="complete").assign(status="shown")
    table = pd.concat([nothing, presence(rate=0.25), presence(rate=0.5), presence(rate=1.0)])
    chosen = choose_presence(table)
    assert set(zip(chosen["protocol"], chosen["rate"], strict=True)) == {("mcar", 0.5)}


def test_reliability_counts_all_cases_of_a_pattern(study: Any) -> None:
    figure = calibration.reliability_plot(
        study.predictions, method="a", classes=CLASSES, positive="AD"
    )
    assert figure is not None
    for axes in figure.axes:
        assert sum(int(text.get_text()) for text in axes.texts) == 40


def test_reliability_needs_a_forced_table(study: Any) -> None:
    frame = study.predictions[study.predictions["protocol"] == "mcar"]
    found = calibration.reliability_plot(frame, method="a", classes=CLASSES, positive="AD")
    assert found is None


def test_reliability_of_more_classes_is_of_the_class_decided_for(study: Any) -> None:
    frame = study.predictions.assign(p_MCI=0.0)
    figure = calibration.reliability_plot(
        frame, method="a", classes=("CN", "MCI", "AD"), positive=None
    )
    assert figure is not None
    means = np.concatenate([line.get_xdata() for line in figure.axes[0].lines[2::2]])
    assert means.min() >= 0.5


def test_a_forest_of_many_patterns_draws_single_modalities_and_sizes(
    rows: list[dict[str, Any]],
) -> None:
    (one,) = (row for row in rows if row["pattern"] == "mri" and row["metric"] == "auroc"
              and row["method"] == "a")  # fmt: skip
    names = ["+".join(part) for size in (1, 2, 3, 4, 5) for part in combinations("abcde", size)]
    many = [one | {"pattern": name} for name in names]
    many += [one | {"pattern": f"any {k} of 5", "table": "sizes"} for k in (1, 2, 3, 4, 5)]
    figure = forest.pattern_forest(many)
    assert [label.get_text().split("\n")[0] for label in figure.axes[0].get_yticklabels()] == [
        *"abcde", *(f"any {k} of 5" for k in (1, 2, 3, 4, 5))
    ]  # fmt: skip
    assert figure.get_figheight() < 8


def test_a_curve_can_be_of_accuracy(rows: list[dict[str, Any]]) -> None:
    (axes,) = curve.robustness_curve(rows, protocol="mcar", metric="accuracy").axes
    drawn = next(line for line in axes.lines if line.get_label() == "oracle, same cases")
    assert axes.get_ylabel() == "Accuracy"
    assert len(drawn.get_xdata()) == 3
