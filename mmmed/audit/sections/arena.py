"""Imputers against methods that do not impute, from `arena.json`."""

from __future__ import annotations

from typing import Any

from mmmed.audit.folder import RunFolder
from mmmed.audit.picture import figures
from mmmed.audit.section import Values
from mmmed.errors import RunError
from mmmed.evaluation.text import NAMES, number
from mmmed.record import atomic

NAME = "arena.json"

MEASURED = {
    "Image error (MAE)": ("mae", "mae_low", "mae_high"),
    "With the true one": ("complete", "complete_low", "complete_high"),
    "Without": ("without", "without_low", "without_high"),
    "Against the reference": ("gap", "gap_low", "gap_high"),
    "Share regained": ("regained", "regained_low", "regained_high"),
    "Calibration slope, change": (
        "calibration_slope_change",
        "calibration_slope_change_low",
        "calibration_slope_change_high",
    ),
    "Brier score, change": ("brier_change", "brier_change_low", "brier_change_high"),
}
"""Heading -> value and interval of a row."""

COSTS = {
    "Training, hours": ("hours", 1.0),
    "of it the imputer": ("hours_imputer", 1.0),
    "Training, 10^12 operations": ("operations", 1e12),
    "Prediction without, ms": ("seconds_without", 1e-3),
    "10^6 operations": ("operations_without", 1e6),
}
"""Heading -> column of a row and its unit."""


def values(run: RunFolder) -> Values | None:
    """Sentences, figures, and a line per contest and method.

    Raises:
        RunError: the file is broken.
    """
    path = run.path / NAME
    if not path.is_file():
        return None
    found = atomic.read_json(path)
    if not isinstance(found, dict) or found.get("mmmed-arena") != 1:
        raise RunError(f"{path}: states no `mmmed-arena: 1`, so it cannot be read")
    try:
        return {
            "answers": found["answers"],
            "reference": found["reference"],
            "measure": NAMES.get(found["measure"], found["measure"]),
            "headings": list(MEASURED),
            "spent": list(COSTS),
            "lines": [_line(row) for row in found["rows"]],
            "figures": figures(run.figures, "arena"),
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path}: is incomplete ({error!r}); evaluate the run again") from error


def _line(row: dict[str, Any]) -> dict[str, Any]:
    place = [row[name] for name in ("lost", "train", "cohort") if row[name]]
    return {
        "place": ", ".join(place),
        "method": row["method"],
        "imputer": row["imputer"],
        "n": row["n"],
        "cells": [
            (number(row.get(value)), number(row.get(low)), number(row.get(high)))
            for value, low, high in MEASURED.values()
        ],
        "costs": [_amount(row.get(column), unit) for column, unit in COSTS.values()],
    }


def _amount(value: float | None, unit: float) -> str:
    return "n/a" if value is None else f"{value / unit:.3g}"
