"""What a better score costs: seconds of training against the mean score over the rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from mmmed.evaluation.figures import style
from mmmed.evaluation.text import NAMES

Row = Mapping[str, Any]

ACROSS = 2
"""Panels beside each other."""


def cost_accuracy(
    curves: Sequence[Row], seconds: Mapping[str, Sequence[float]], *, measure: str
) -> Figure | None:
    """A panel per test protocol, a point per method; None where no method has both.

    Args:
        curves: of one cohort and training.
        seconds: method -> of training, a number per job.
        measure: of the curves drawn.
    """
    drawn = [
        row
        for row in curves
        if row["measure"] == measure and row["area"] is not None and _positive(seconds, row)
    ]
    protocols = list(dict.fromkeys(row["protocol"] for row in drawn))
    if not protocols:
        return None
    methods = list(dict.fromkeys(row["method"] for row in drawn))
    looks = {name: style.look(index) for index, name in enumerate(methods)}
    across = min(ACROSS, len(protocols))
    down = -(-len(protocols) // across)
    figure = style.page(0.6 + 3.3 * across, 0.6 + 2.5 * down)
    panels = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, protocol in zip(panels, protocols, strict=False):
        _draw(axes, [row for row in drawn if row["protocol"] == protocol], seconds, looks)
        axes.set_title(f"Test protocol {protocol}", loc="left", fontsize=style.SMALL)
    for axes in panels[len(protocols) :]:
        axes.set_visible(False)
    figure.supxlabel("seconds of training, mean and range of the jobs", fontsize=style.SMALL)
    figure.supylabel(f"{NAMES[measure]}, mean over the rates", fontsize=style.SMALL)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=style.SMALL
    )
    return figure


def _positive(seconds: Mapping[str, Sequence[float]], row: Row) -> bool:
    """Whether the method's seconds are known and have a logarithm."""
    found = seconds.get(row["method"], ())
    return len(found) > 0 and min(found) > 0


def _draw(
    axes: Axes,
    rows: Sequence[Row],
    seconds: Mapping[str, Sequence[float]],
    looks: Mapping[str, style.Look],
) -> None:
    style.plain(axes)
    axes.set_xscale("log")
    for form in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        form(FuncFormatter(lambda value, _: f"{value:g}"))
    for row in rows:
        spent, look, area = seconds[row["method"]], looks[row["method"]], row["area"]
        mean = sum(spent) / len(spent)
        low, high = (area if row[name] is None else row[name] for name in ("area_low", "area_high"))
        axes.errorbar(
            [mean],
            [area],
            xerr=[[mean - min(spent)], [max(spent) - mean]],
            yerr=[[max(0.0, area - low)], [max(0.0, high - area)]],
            color=look.colour,
            marker=look.marker,
            markersize=5,
            linestyle="none",
            elinewidth=0.9,
            capsize=2,
            label=row["method"],
        )
