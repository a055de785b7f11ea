"""Robustness: the score of every method against the share of scans hidden in test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmed.evaluation.figures import style
from mmmed.evaluation.text import NAMES

Row = Mapping[str, Any]

APART = 0.8
"""Percent by which the methods' points stand apart, so that intervals do not cover each other."""


def robustness_curve(rows: Sequence[Row], *, protocol: str, metric: str = "auroc") -> Figure:
    """A metric with its interval per method; the oracle and the ceiling where they are known.

    Args:
        rows: of `metrics.json`.
        protocol: the observed protocol drawn.
        metric: of the rows drawn.
    """
    figure = style.page(6.4, 3.8)
    axes = figure.subplots()
    draw(axes, [row for row in rows if _wanted(row, protocol, metric)])
    axes.set_ylabel(NAMES[metric], fontsize=style.SMALL)
    axes.set_title(f"Test protocol {protocol}", loc="left", fontsize=style.NORMAL)
    return figure


def draw(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw the rows of one metric and one observed protocol."""
    style.plain(axes)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    for index, method in enumerate(methods):
        shift = (index - (len(methods) - 1) / 2) * APART
        _method(axes, [row for row in rows if row["method"] == method], style.look(index), shift)
    _known(axes, rows, "oracle", "oracle, same cases", "-")
    _known(axes, rows, "ceiling", "ceiling, population", ":")
    axes.set_xlabel("hidden in test (% of the cases that can spare the scan)", fontsize=style.SMALL)
    axes.legend(frameon=False, fontsize=style.SMALL, loc="lower left")


def _wanted(row: Row, protocol: str, metric: str) -> bool:
    return (
        row["metric"] == metric
        and row["table"] == "observed"
        and row["protocol"] == protocol
        and row["rate"] is not None
        and row["value"] is not None
    )


def _method(axes: Axes, rows: Sequence[Row], look: style.Look, shift: float) -> None:
    rows = sorted(rows, key=lambda row: float(row["rate"]))
    places = [100 * row["rate"] + shift for row in rows]
    values = [row["value"] for row in rows]
    low = [
        max(0.0, row["value"] - (row["value"] if row["low"] is None else row["low"]))
        for row in rows
    ]
    high = [
        max(0.0, (row["value"] if row["high"] is None else row["high"]) - row["value"])
        for row in rows
    ]
    axes.errorbar(
        places,
        values,
        yerr=[low, high],
        label=rows[0]["method"],
        color=look.colour,
        marker=look.marker,
        linestyle=look.line,
        markersize=4.5,
        linewidth=1.3,
        elinewidth=0.9,
        capsize=2,
    )


def _known(axes: Axes, rows: Sequence[Row], name: str, label: str, line: str) -> None:
    found = {row["rate"]: row[name] for row in rows if row[name] is not None}
    if found:
        rates = sorted(found)
        axes.plot(
            [100 * rate for rate in rates],
            [found[rate] for rate in rates],
            color=style.INK,
            linestyle=line,
            linewidth=1.1,
            label=label,
        )
