"""Per pattern: the score of every method with its interval, the oracle's as a bar behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmed.evaluation.figures import style

Row = Mapping[str, Any]

LANE = 0.16
"""Height of one method's lane, where a pattern's row is 1 high."""

MOST_PATTERNS = 16
"""Patterns a figure can hold; of more, those with fewest and most modalities are drawn."""


def pattern_forest(rows: Sequence[Row]) -> Figure:
    """AUROC per pattern and method, of the forced tables in `metrics.json`."""
    chosen = [row for row in rows if _wanted(row)]
    patterns = len(_patterns(chosen))
    methods = len({row["method"] for row in chosen})
    figure = style.page(6.4, 1.1 + patterns * (0.25 + 0.16 * methods))
    draw(figure.subplots(), chosen)
    return figure


def draw(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw AUROC rows of the forced tables."""
    style.plain(axes)
    rows = [row for row in rows if _wanted(row)]
    patterns = _patterns(rows)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    counts = {row["pattern"]: row["n"] for row in rows}
    for place, pattern in enumerate(patterns):
        part = {row["method"]: row for row in rows if row["pattern"] == pattern}
        _oracle(axes, list(part.values()), place, label="oracle" if place == 0 else None)
        for index, method in enumerate(methods):
            if method in part:
                lane = place + (index - (len(methods) - 1) / 2) * LANE
                label = method if place == 0 else None
                _point(axes, part[method], lane, style.look(index), label)
    axes.set_yticks(range(len(patterns)), [f"{name}\nn = {counts[name]}" for name in patterns])
    axes.set_ylim(len(patterns) - 0.5, -0.5)
    axes.set_xlabel("AUROC (forced: the same cases, all else hidden)", fontsize=style.SMALL)
    axes.legend(
        frameon=False, fontsize=style.SMALL, loc="lower left", bbox_to_anchor=(0, 1), ncols=3
    )


def _wanted(row: Row) -> bool:
    return row["metric"] == "auroc" and row["table"] == "forced" and row["value"] is not None


def _patterns(rows: Sequence[Row]) -> list[str]:
    names = sorted({row["pattern"] for row in rows}, key=lambda name: (name.count("+"), name))
    if len(names) > MOST_PATTERNS:
        return names[: MOST_PATTERNS // 2] + names[-MOST_PATTERNS // 2 :]
    return names


def _oracle(axes: Axes, rows: Sequence[Row], place: int, *, label: str | None) -> None:
    found = [row["oracle"] for row in rows if row["oracle"] is not None]
    if found:
        axes.plot(
            [found[0]] * 2,
            [place - 0.42, place + 0.42],
            color=style.INK,
            linewidth=1.4,
            label=label and f"{label}, same cases",
        )


def _point(axes: Axes, row: Row, lane: float, look: style.Look, label: str | None) -> None:
    if row["low"] is not None:
        axes.plot([row["low"], row["high"]], [lane, lane], color=look.colour, linewidth=1.2)
    axes.plot(
        row["value"],
        lane,
        color=look.colour,
        marker=look.marker,
        markersize=5,
        linestyle="none",
        label=label,
    )
