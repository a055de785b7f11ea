"""Paired differences between methods: value, interval and verdict, beside the margin.

A filled marker is a claim (better or worse); a hollow one is none. A value within the grey band is
smaller than the margin of the study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmed.evaluation.figures import style
from mmmed.evaluation.figures.place import Place, told
from mmmed.evaluation.text import NAMES

Row = Mapping[str, Any]

MOST = 48
"""Lines that a page holds; of more comparisons those with the smallest p are drawn."""

CLAIMS = ("better", "worse")


def difference_forest(rows: Sequence[Row], *, margin: float, measure: str) -> Figure | None:
    """A line per comparison, those of one place together; None where none has a number.

    Args:
        rows: comparisons of methods, of one cohort and training, with verdicts.
        margin: below which a loss does not matter.
        measure: what is compared.
    """
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return None
    chosen = sorted(known, key=lambda row: float(row["p"] if row["p"] is not None else 1))[:MOST]
    drawn = [row for row in known if row in chosen]
    places = [(place, list(group)) for place, group in groupby(drawn, key=Place.of)]
    figure = style.page(7.2, 1.0 + 0.17 * (len(drawn) + len(places)))
    axes = figure.subplots()
    _draw(axes, places, margin)
    axes.set_xlabel(f"difference in {NAMES[measure]}, first minus second", fontsize=style.SMALL)
    left_out = len(known) - len(drawn)
    more = f"; {left_out} more with larger p are not drawn" if left_out else ""
    axes.set_title(
        f"Paired differences; grey: within {margin:g}{more}", loc="left", fontsize=style.SMALL
    )
    return figure


def _draw(axes: Axes, places: Sequence[tuple[Place, list[Row]]], margin: float) -> None:
    style.plain(axes)
    axes.grid(visible=False, axis="y")
    axes.axvspan(-margin, margin, color=style.RULE, alpha=0.7, linewidth=0)
    axes.axvline(0, color=style.INK, linewidth=0.8)
    labels: list[str] = []
    for place, rows in places:
        labels.append(f"{told(place)} (n = {rows[0]['n']})")
        for row in rows:
            _line(axes, row, len(labels))
            labels.append(f"{row['method']} - {row['other_method']}")
    axes.set_yticks(range(len(labels)), labels)
    heads = {f"{told(place)} (n = {rows[0]['n']})" for place, rows in places}
    for label in axes.get_yticklabels():
        label.set(parse_math=False, fontweight="bold" if label.get_text() in heads else "normal")
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.5, -0.5)


def _line(axes: Axes, row: Row, height: int) -> None:
    claimed = row["word"] in CLAIMS
    colour = style.look(0).colour if row["value"] >= 0 else style.look(1).colour
    if row["low"] is not None:
        axes.plot([row["low"], row["high"]], [height, height], color=colour, linewidth=1.2)
    axes.plot(
        row["value"],
        height,
        marker="o" if row["value"] >= 0 else "s",
        color=colour,
        markerfacecolor=colour if claimed else "white",
        markersize=4.5,
    )
    axes.text(
        1.01,
        height,
        row["word"],
        transform=axes.get_yaxis_transform(),
        fontsize=style.SMALL - 1,
        color=style.INK if claimed else style.MUTED,
        va="center",
    )
