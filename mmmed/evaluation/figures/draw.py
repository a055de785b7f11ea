"""All figures of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from mmmed.evaluation.figures import calibration, curve, forest, grid, overview, style
from mmmed.evaluation.scores import headline

Row = Mapping[str, Any]


def write_figures(
    folder: Path,
    *,
    predictions: pd.DataFrame,
    rows: Sequence[Row],
    presence: pd.DataFrame | None,
    classes: Sequence[str],
    positive: str | None,
) -> list[Path]:
    """Write what can be drawn as PNG files into `folder`; what cannot is left out.

    Args:
        folder: where they go, `figures/` of a run.
        predictions: of the run.
        rows: of `metrics.json`.
        presence: `presence.tsv`; None where there is none.
        classes: names.
        positive: the positive class.
    """
    parts = choose_presence(presence) if presence is not None and len(presence) else None
    metric = headline(classes)
    drawings = [
        *_of_presence(parts, rows, metric),
        *_of_rows(rows, metric),
        *_of_predictions(predictions, tuple(classes), positive),
    ]
    return [style.save(figure, folder / f"{name}.png") for name, figure in drawings]


def choose_presence(presence: pd.DataFrame) -> pd.DataFrame:
    """One protocol per split of the first fold: one that hides, at the rate nearest a half."""
    first = presence[presence["fold"] == presence["fold"].min()]
    return pd.DataFrame(pd.concat([_one_protocol(part) for _, part in first.groupby("split")]))


def _one_protocol(part: pd.DataFrame) -> pd.DataFrame:
    hiding = part.groupby(["protocol", "rate"], dropna=False)["status"].transform(
        lambda status: (status == "hidden").any()
    )
    part = part[hiding] if hiding.any() else part
    distance = (pd.to_numeric(part["rate"], errors="coerce") - 0.5).abs().fillna(1.0)
    part = part[distance == distance.min()]
    return pd.DataFrame(part[part["protocol"] == part["protocol"].iloc[0]])


def _of_presence(
    presence: pd.DataFrame | None, rows: Sequence[Row], metric: str
) -> Iterator[tuple[str, Figure]]:
    if presence is None:
        return
    yield "cohort-grid", grid.cohort_grid(presence)
    if _has(rows, "forced", metric):
        splits = set(presence["split"])
        split = "train" if "train" in splits else min(splits)
        yield "overview", overview.overview(presence, rows, split=split, metric=metric)


def _of_rows(rows: Sequence[Row], metric: str) -> Iterator[tuple[str, Figure]]:
    rated = [row for row in rows if row["table"] == "observed" and row["rate"] is not None]
    for protocol in sorted({row["protocol"] for row in rated if row["value"] is not None}):
        figure = curve.robustness_curve(rows, protocol=protocol, metric=metric)
        yield f"robustness-{file_name(protocol)}", figure
    if _has(rows, "forced", metric):
        yield "patterns", forest.pattern_forest(rows, metric=metric)


def _of_predictions(
    predictions: pd.DataFrame, classes: tuple[str, ...], positive: str | None
) -> Iterator[tuple[str, Figure]]:
    for method in sorted(set(predictions["method"])):
        figure = calibration.reliability_plot(
            predictions, method=method, classes=classes, positive=positive
        )
        if figure is not None:
            yield f"reliability-{file_name(method)}", figure


def _has(rows: Sequence[Row], table: str, metric: str) -> bool:
    return any(
        row["table"] == table and row["metric"] == metric and row["value"] is not None
        for row in rows
    )


def file_name(text: str) -> str:
    """The text with a dash in place of what not every file system takes."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in text)
