"""How often each method is best: per place a bar of shares of the draws of subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmed.evaluation.figures import style
from mmmed.evaluation.figures.place import Place, told

Row = Mapping[str, Any]

HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---")
"""Beside the colours, so that methods stay apart in grey."""

NAMED = 0.08
"""The smallest share that has its number written into it."""


def rank_bars(rows: Sequence[Row]) -> Figure | None:
    """A bar per place, the mean over the rates of a protocol last; None where none is known.

    Args:
        rows: ranks of one cohort and training.
    """
    known = [row for row in rows if row["best"] is not None]
    if not known:
        return None
    bars: dict[str, dict[str, float]] = {}
    for row in sorted(known, key=lambda row: bool(row["of"] == "area")):
        bars.setdefault(_name(row), {})[row["method"]] = row["best"]
    methods = list(dict.fromkeys(row["method"] for row in known))
    figure = style.page(7.2, 1.1 + 0.26 * len(bars))
    axes = figure.subplots()
    _draw(axes, bars, methods)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=style.SMALL)
    return figure


def _name(row: Row) -> str:
    if row["of"] == "area":
        return f"{row['protocol']}, mean over the rates"
    return told(Place.of(row))


def _draw(axes: Axes, bars: Mapping[str, Mapping[str, float]], methods: Sequence[str]) -> None:
    style.plain(axes)
    axes.grid(visible=False)
    begin = dict.fromkeys(bars, 0.0)
    for index, method in enumerate(methods):
        shares = [bars[name].get(method, 0.0) for name in bars]
        drawn = axes.barh(
            range(len(bars)),
            shares,
            left=list(begin.values()),
            height=0.72,
            color=style.look(index).colour,
            edgecolor="white",
            hatch=HATCHES[index % len(HATCHES)],
            linewidth=0.6,
            label=method,
        )
        axes.bar_label(
            drawn,
            [f"{share:.0%}" if share >= NAMED else "" for share in shares],
            label_type="center",
            fontsize=style.SMALL - 1,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
        begin = {name: begin[name] + share for name, share in zip(bars, shares, strict=True)}
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the draws of subjects in which it is best", fontsize=style.SMALL)
