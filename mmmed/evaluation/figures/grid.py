"""The cohort grid: a row per modality, a column per case, and holes where nothing is shown.

shown   a filled square
hidden  an empty square: the case owns it, the protocol hides it
absent  a dot: there never was one
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mmmed.evaluation.figures import style
from mmmed.modality import natural_sorted

Places = NDArray[np.float64] | NDArray[np.int64]

WIDEST = 80
"""Columns a panel can hold and still be read; of more cases every k-th is drawn."""

STATUSES = ("shown", "hidden", "absent")


def cohort_grid(presence: pd.DataFrame) -> Figure:
    """One panel per part of the cohort.

    Args:
        presence: columns `split`, `case_id`, `modality`, `status`; one protocol per split.
    """
    splits = [name for name in _ORDER if name in set(presence["split"])]
    rows = presence["modality"].nunique()
    figure = style.page(8, 0.7 + len(splits) * (0.42 + 0.19 * rows))
    panels = figure.subplots(len(splits), 1, squeeze=False)[:, 0]
    for axes, split in zip(panels, splits, strict=True):
        draw(axes, presence[presence["split"] == split], title=split, widest=WIDEST)
    figure.legend(
        handles=legend(), loc="outside lower center", ncols=3, frameon=False, fontsize=style.SMALL
    )
    return figure


def draw(axes: Axes, presence: pd.DataFrame, *, title: str, widest: int) -> None:
    """Draw the cases of one part, those that show most first."""
    table = _table(presence)
    every = -(-len(table) // widest)
    drawn = _sorted(table).iloc[::every]
    for row, name in enumerate(drawn.columns):
        status = drawn[name].to_numpy()
        _marks(axes, np.arange(len(status)), np.full(len(status), row), status)
    axes.set_yticks(range(len(drawn.columns)), list(drawn.columns))
    axes.set_ylim(len(drawn.columns) - 0.4, -0.6)
    axes.set_xlim(-1, max(widest, len(drawn)))
    sampled = f", one in {every} drawn" if every > 1 else ""
    _bare(axes, title=f"{title}: {len(table)} cases{sampled}")


def draw_bands(axes: Axes, presence: pd.DataFrame, *, title: str, wide: int, bands: int) -> None:
    """Draw cases as they come, in bands below each other like lines of text."""
    table = _table(presence)
    every = max(1, len(table) // (wide * bands))
    drawn = table.iloc[::every].iloc[: wide * bands]
    rows = len(table.columns)
    ticks = []
    for band in range(-(-len(drawn) // wide)):
        part = drawn.iloc[band * wide : (band + 1) * wide]
        for row, name in enumerate(part.columns):
            height = band * (rows + 0.6) + row
            ticks.append((height, name))
            _marks(axes, np.arange(len(part)), np.full(len(part), height), part[name].to_numpy())
    axes.set_yticks(*zip(*ticks, strict=True))
    axes.set_ylim(ticks[-1][0] + 0.6, -0.6)
    axes.set_xlim(-0.8, wide - 0.2)
    axes.set_aspect("equal", anchor="N")
    _bare(axes, title=f"{title}: {len(drawn)} of {len(table)} cases")


def legend() -> list[Line2D]:
    """What the three marks mean."""
    return [
        Line2D([], [], linestyle="none", label=word, **_LOOKS[status])
        for status, word in zip(
            STATUSES, ("shown", "hidden by the protocol", "absent"), strict=True
        )
    ]


_ORDER: Sequence[str] = ("train", "validation", "calibration", "test")

_LOOKS: dict[str, dict[str, Any]] = {
    "shown": {"marker": "s", "color": style.FILLED, "markersize": 5},
    "hidden": {"marker": "s", "color": style.FILLED, "markerfacecolor": "white", "markersize": 4.4},
    "absent": {"marker": ".", "color": style.MUTED, "markersize": 3},
}


def _table(presence: pd.DataFrame) -> pd.DataFrame:
    table = presence.pivot_table(
        index="case_id", columns="modality", values="status", aggfunc="first"
    )
    return table.fillna("absent")[natural_sorted(map(str, table.columns))]


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """Cases with the same holes side by side."""
    ranks = table.replace({name: str(place) for place, name in enumerate(STATUSES)})
    order = ranks.sort_values(list(ranks.columns)[::-1], kind="stable").index
    return pd.DataFrame(table.loc[order])


def _marks(axes: Axes, x: Places, y: Places, status: NDArray[np.object_]) -> None:
    for kind in STATUSES:
        here = status == kind
        axes.plot(x[here], y[here], linestyle="none", **_LOOKS[kind])


def _bare(axes: Axes, *, title: str) -> None:
    axes.set_xticks([])
    axes.tick_params(length=0, labelsize=style.SMALL)
    axes.spines[:].set_visible(False)
    axes.set_title(title, loc="left", fontsize=style.SMALL, color=style.INK)
