"""Who owns what: a row per modality, a column per visit, a colour per answer.

Few visits stand with their names; many as a band, those of one group together and alike ones side
by side, so that the width of a colour is its share. Colours differ in lightness as well.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mmmed.evaluation.figures import style

MOST_NAMED = 60
"""Visits that can be named below their columns."""

LONGEST = 32
"""Signs of a name that are drawn."""

COLOURS = {
    "present": style.FILLED,
    "never acquired": "#f2f2f2",
    "outside the time window": "#56B4E9",
    "excluded": "#bdbdbd",
    "unreadable": "#D55E00",
}
"""Answer -> colour, in the order in which alike visits are sorted."""


def availability(status: pd.DataFrame, groups: pd.Series) -> Figure:
    """One panel per group.

    Args:
        status: (visits x modalities), an answer per cell.
        groups: of each visit, same index: its class, or why it is none.
    """
    names = list(dict.fromkeys(groups))
    named = len(status) <= MOST_NAMED
    labels = max((len(_plain(one)) for one in status.index), default=0) * 0.065 if named else 0.0
    height = len(names) * (0.42 + 0.24 * len(status.columns) + labels)
    figure = style.page(8, 0.6 + height)
    panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        _draw(axes, status[groups == name], title=str(name), named=named)
    found = set(status.to_numpy().ravel())
    figure.legend(
        handles=[
            Patch(facecolor=colour, edgecolor=style.MUTED, linewidth=0.5, label=answer)
            for answer, colour in COLOURS.items()
            if answer in found
        ],
        loc="outside lower center",
        ncols=5,
        frameon=False,
        fontsize=style.SMALL,
    )
    return figure


def _draw(axes: Axes, status: pd.DataFrame, *, title: str, named: bool) -> None:
    places = {answer: place for place, answer in enumerate(COLOURS)}
    codes = status.map(lambda answer: places[answer]).astype(int)
    order = codes.sort_values(list(codes.columns), kind="stable").index
    codes = codes if named else codes.loc[order]
    axes.imshow(
        codes.to_numpy().T,
        cmap=ListedColormap(list(COLOURS.values())),
        vmin=0,
        vmax=len(COLOURS) - 1,
        aspect="auto",
        interpolation="nearest",
    )
    counts = [f"{name}  {(status[name] == 'present').sum()}" for name in status.columns]
    axes.set_yticks(range(len(counts)), counts)
    axes.set_yticks(np.arange(len(counts) - 1) + 0.5, minor=True)
    axes.grid(which="minor", axis="y", color="white", linewidth=2)
    if named:
        axes.set_xticks(range(len(codes)), [_plain(one) for one in codes.index], rotation=90)
        axes.set_xticks(np.arange(len(codes) - 1) + 0.5, minor=True)
        axes.grid(which="minor", axis="x", color="white", linewidth=1.5)
    else:
        axes.set_xticks([])
    axes.tick_params(length=0, which="both", labelsize=style.SMALL)
    axes.spines[:].set_visible(False)
    axes.set_title(f"{_plain(title)}: {len(status)} visits", loc="left", fontsize=style.SMALL)


def _plain(name: object) -> str:
    """A name as the font has it and without a meaning as a formula, cut where it is long."""
    text = "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in str(name))
    cut = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    return cut.replace("$", r"\$")
