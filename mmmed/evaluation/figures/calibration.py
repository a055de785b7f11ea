"""Reliability per pattern: observed share of positives against predicted probability."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmmed.evaluation.figures import style
from mmmed.evaluation.reliability import reliability

MOST_PANELS = 6
"""Of more patterns those with the fewest modalities are drawn, and the one with most."""


def reliability_plot(
    predictions: pd.DataFrame, *, method: str, classes: tuple[str, ...], positive: str | None
) -> Figure | None:
    """One panel per forced pattern of a method; None where it has no forced table.

    With more than two classes a panel shows the probability of the class decided for, and how
    often that class was right.

    Args:
        predictions: as `evaluation.summary` reads them.
        method: whose predictions.
        classes: names.
        positive: the positive class.
    """
    chosen = predictions[
        (predictions["method"] == method)
        & (predictions["protocol"] == "every-pattern")
        & (predictions["split"] == "test")
        & predictions["label"].isin(classes)
    ]
    patterns = sorted(set(chosen["pattern"]), key=lambda name: (name.count("+"), name))
    if len(patterns) > MOST_PANELS:
        patterns = [*patterns[: MOST_PANELS - 1], patterns[-1]]
    if not patterns:
        return None
    figure = style.page(2.5 * min(3, len(patterns)) + 0.3, 2.8 * -(-len(patterns) // 3))
    panels = figure.subplots(-(-len(patterns) // 3), min(3, len(patterns)), squeeze=False).ravel()
    for axes, pattern in zip(panels, patterns, strict=False):
        rows = chosen[chosen["pattern"] == pattern]
        draw(axes, *_chances(rows, classes, positive), title=pattern)
    for axes in panels[len(patterns) :]:
        axes.set_visible(False)
    about = (positive or classes[1]) if len(classes) == 2 else "the class decided for"
    figure.supxlabel(f"predicted probability of {about} ({method})", fontsize=style.SMALL)
    figure.supylabel("observed share", fontsize=style.SMALL)
    return figure


def draw(axes: Axes, probability: np.ndarray, happened: np.ndarray, *, title: str) -> None:
    """Draw the bins of one pattern; the number of cases stands beside each."""
    style.plain(axes)
    axes.plot([0, 1], [0, 1], color=style.MUTED, linewidth=0.9, linestyle="--")
    for one in reliability(probability, happened):
        colour = style.look(0).colour
        axes.plot([one.predicted] * 2, [one.low, one.high], color=colour, linewidth=1)
        axes.plot(one.predicted, one.observed, marker="o", color=colour, markersize=4)
        axes.annotate(
            str(one.n),
            (one.predicted, one.observed),
            xytext=(4, -9),
            textcoords="offset points",
            fontsize=6.5,
            color=style.MUTED,
        )
    axes.set(xlim=(-0.03, 1.06), ylim=(-0.03, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set_title(f"{title} (n = {len(happened)})", loc="left", fontsize=style.SMALL)


def _chances(
    rows: pd.DataFrame, classes: tuple[str, ...], positive: str | None
) -> tuple[np.ndarray, np.ndarray]:
    if len(classes) == 2:
        name = positive or classes[1]
        return rows[f"p_{name}"].to_numpy(dtype=float), (rows["label"] == name).to_numpy()
    table = rows[[f"p_{name}" for name in classes]].to_numpy(dtype=float)
    right = (rows["label"] == rows["decision"]).to_numpy()
    return table.max(axis=1), right
