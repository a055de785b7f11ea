"""Trained how, tested how: a table of colours per method, a training per row, a test per column.

The colours rise in lightness with the score, so that a print in grey can be read; each cell holds
its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mmmed.evaluation.figures import style
from mmmed.evaluation.figures.place import Place, told
from mmmed.evaluation.text import NAMES, number

Row = Mapping[str, Any]

LIGHT = 0.5
"""Share of the span of the scores above which numbers are written dark."""


def training_map(rows: Sequence[Row], *, measure: str) -> Figure | None:
    """A panel per method; None with one training, or where nothing was observed.

    Args:
        rows: scores of one cohort, of all its trainings.
        measure: of the scores drawn.
    """
    drawn = [
        row
        for row in rows
        if row["measure"] == measure and row["table"] == "observed" and row["value"] is not None
    ]
    trainings = list(dict.fromkeys(str(row["train"]) for row in drawn))
    if len(trainings) < 2:
        return None
    methods = list(dict.fromkeys(row["method"] for row in drawn))
    tests = list(dict.fromkeys(told(Place.of(row)) for row in drawn))
    scores = {
        method: _table([row for row in drawn if row["method"] == method], trainings, tests)
        for method in methods
    }
    span = min(row["value"] for row in drawn), max(row["value"] for row in drawn)
    figure = style.page(
        2.0 + 0.62 * len(tests), 1.3 + len(methods) * (0.35 + 0.26 * len(trainings))
    )
    panels = figure.subplots(len(methods), 1, squeeze=False, sharex=True)[:, 0]
    for axes, method in zip(panels, methods, strict=True):
        _draw(axes, scores[method], span)
        axes.set_yticks(range(len(trainings)), [f"trained {name}" for name in trainings])
        axes.set_title(f"{method}, {NAMES[measure]}", loc="left", fontsize=style.SMALL)
    panels[-1].set_xticks(range(len(tests)), tests, rotation=45, ha="right")
    return figure


def _table(
    rows: Sequence[Row], trainings: Sequence[str], tests: Sequence[str]
) -> NDArray[np.float64]:
    """(trainings, tests) of scores; NaN where there is none."""
    table = np.full((len(trainings), len(tests)), np.nan)
    for row in rows:
        table[trainings.index(str(row["train"])), tests.index(told(Place.of(row)))] = row["value"]
    return table


def _draw(axes: Axes, table: NDArray[np.float64], span: tuple[float, float]) -> None:
    low, high = span
    axes.imshow(table, cmap="cividis", vmin=low, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        if np.isfinite(value):
            light = high == low or (value - low) / (high - low) > LIGHT
            axes.text(
                column,
                row,
                number(float(value)),
                ha="center",
                va="center",
                fontsize=style.SMALL - 1,
                color=style.INK if light and high > low else "white",
            )
    axes.tick_params(length=0, labelsize=style.SMALL)
    axes.spines[:].set_visible(False)
