"""Per pattern: the score of every method with its interval, the oracle's as a bar behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmed.evaluation.figures import style
from mmmed.evaluation.text import NAMES
from mmmed.modality import natural_sorted

Row = Mapping[str, Any]

LANE = 0.16
"""Height of one method's lane, where a pattern's row is 1 high."""

MOST_PATTERNS = 15
"""Patterns a figure can hold, those of four modalities; of more, the single modalities and the
means by size are drawn."""


def pattern_forest(rows: Sequence[Row], *, metric: str = "auroc") -> Figure:
    """A metric per pattern and method, of the forced tables in `metrics.json`."""
    chosen = [row for row in rows if row["metric"] == metric]
    patterns = len(_patterns(_drawn(chosen)))
    methods = len({row["method"] for row in chosen})
    figure = style.page(6.4, 1.1 + patterns * (0.25 + 0.16 * methods))
    draw(figure.subplots(), rows, metric=metric)
    return figure


def draw(axes: Axes, rows: Sequence[Row], *, metric: str = "auroc") -> None:
    """Draw the rows of one metric.

    Args:
        axes: where.
        rows: of `metrics.json`.
        metric: of the rows drawn.
    """
    style.plain(axes)
    rows = _drawn([row for row in rows if row["metric"] == metric])
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
    axes.set_xlabel(
        f"{NAMES[metric]} (forced: the same cases, all else hidden)", fontsize=style.SMALL
    )
    axes.legend(
        frameon=False, fontsize=style.SMALL, loc="lower left", bbox_to_anchor=(0, 1), ncols=3
    )


def _drawn(rows: Sequence[Row]) -> list[Row]:
    """All forced rows of a metric, or single modalities and sizes where they are too many."""
    scored = [row for row in rows if row["value"] is not None]
    forced = [row for row in scored if row["table"] == "forced"]
    if len(_patterns(forced)) <= MOST_PATTERNS:
        return forced
    singles = [row for row in forced if "+" not in row["pattern"]]
    return singles + [row for row in scored if row["table"] == "sizes"]


def _patterns(rows: Sequence[Row]) -> list[str]:
    """Patterns with the fewest modalities first, sizes after them."""
    names = natural_sorted({row["pattern"] for row in rows})
    return sorted(names, key=lambda name: (name.startswith("any "), name.count("+")))


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
