"""What mmmed is about in one figure: cases with holes, and what each pattern is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from mmmed.evaluation.figures import forest, grid, style

WIDE = 24
"""Cases beside each other in the little grid."""

TALLEST = 13
"""Rows of the little grid, all bands together."""


def overview(
    presence: pd.DataFrame, rows: Sequence[Mapping[str, Any]], *, split: str, metric: str
) -> Figure:
    """The cases of one part on the left, a metric per pattern with its interval on the right.

    Args:
        presence: columns `split`, `case_id`, `modality`, `status`.
        rows: of `metrics.json`.
        split: the part drawn.
        metric: of the rows drawn.
    """
    figure = style.page(9.2, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.1, 1])
    part = presence[presence["split"] == split]
    bands = max(1, TALLEST // (part["modality"].nunique() + 1))
    grid.draw_bands(left, part, title=split, wide=WIDE, bands=bands)
    left.legend(
        handles=grid.legend(),
        loc="upper left",
        bbox_to_anchor=(0, -0.02),
        ncols=3,
        frameon=False,
        fontsize=style.SMALL,
        borderaxespad=0,
    )
    forest.draw(right, rows, metric=metric)
    return figure
