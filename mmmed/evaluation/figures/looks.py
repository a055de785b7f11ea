"""Does a better-looking image mean a better diagnosis: across imputers, and inside each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmed.evaluation.figures import style
from mmmed.evaluation.text import NAMES

Row = Mapping[str, Any]

FIGURE = "mae"
"""What is drawn of the errors."""

NEAR = 0.02
"""Scores that lie closer share a label."""


def better_looks(
    points: Sequence[Row],
    within: Sequence[Row],
    rows: Sequence[Row],
    *,
    reference: str | None,
    measure: str,
) -> Figure | None:
    """Image error against score, a point per imputer, fold and seed; beside it rho over cases.

    Args:
        points: of one contest of `arena.json`.
        within: of the same contest.
        rows: of the same contest.
        reference: the method that does not impute; a line in the plot of scores.
        measure: what the scores are.
    """
    drawn = [row for row in points if row["score"] is not None and FIGURE in row]
    if not drawn:
        return None
    methods = list(dict.fromkeys(row["method"] for row in drawn))
    looks = {name: style.look(place) for place, name in enumerate(methods)}
    figure = style.page(8.6, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.4, 1])
    _scatter(left, drawn, looks)
    _lines(left, rows, reference)
    left.set_xlabel(f"mean absolute error of the imputed {drawn[0]['lost']}", fontsize=style.SMALL)
    left.set_ylabel(f"{NAMES[measure]} without the true one", fontsize=style.SMALL)
    left.legend(
        frameon=False, fontsize=style.SMALL, loc="lower left", bbox_to_anchor=(0, 1), ncols=3
    )
    _forest(right, [row for row in within if row["figure"] == FIGURE], looks)
    return figure


def _scatter(axes: Axes, points: Sequence[Row], looks: Mapping[str, style.Look]) -> None:
    style.plain(axes)
    for name, look in looks.items():
        mine = [row for row in points if row["method"] == name]
        axes.plot(
            [row[FIGURE] for row in mine],
            [row["score"] for row in mine],
            color=look.colour,
            marker=look.marker,
            markersize=5,
            linestyle="none",
            label=name,
        )


def _lines(axes: Axes, rows: Sequence[Row], reference: str | None) -> None:
    """Who has no image error: the reference, and imputers of features, as levels."""
    unseen: dict[float, str] = {}
    for row in rows:
        level = row["without"]
        if level is None or FIGURE in row:
            continue
        if row["method"] == reference:
            label = f"{reference}, does not impute"
            axes.axhline(level, color=style.INK, linewidth=1.2, label=label)
        elif row["imputer"]:
            axes.axhline(level, color=style.MUTED, linewidth=0.8, linestyle=":")
            near = next((one for one in unseen if abs(one - level) < NEAR), level)
            unseen[near] = ", ".join(filter(None, (unseen.get(near), row["method"])))
    for level, names in unseen.items():
        axes.text(
            1,
            level,
            f" {names}",
            transform=axes.get_yaxis_transform(),
            fontsize=style.SMALL,
            color=style.MUTED,
            va="center",
        )


def _forest(axes: Axes, rows: Sequence[Row], looks: Mapping[str, style.Look]) -> None:
    style.plain(axes)
    known = [row for row in rows if row["rho"] is not None]
    for place, row in enumerate(known):
        look = looks[row["method"]]
        if row["low"] is not None:
            axes.plot([row["low"], row["high"]], [place, place], color=look.colour, linewidth=1.2)
        axes.plot(row["rho"], place, color=look.colour, marker=look.marker, markersize=5)
    axes.axvline(0, color=style.INK, linewidth=0.8)
    axes.set_yticks(range(len(known)), [row["method"] for row in known])
    axes.set_ylim(len(known) - 0.5, -0.5)
    axes.set_xlabel("over cases: rho of error and bits lost", fontsize=style.SMALL)
