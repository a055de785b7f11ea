"""Rows of `metrics.json` as lines of a table: one per method and place, metrics side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmmed.audit.folder import Row
from mmmed.evaluation.scores import METRICS
from mmmed.evaluation.text import NAMES

TITLES = [(metric, NAMES[metric]) for metric in METRICS]
"""The metrics in their order, each with its title."""


def score_lines(rows: Sequence[Row], kind: str) -> list[dict[str, Any]]:
    """The lines of one table.

    Args:
        rows: of `metrics.json`.
        kind: `forced`, `sizes` or `observed`.
    """
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        if row["table"] == kind:
            key = (row["protocol"], row["rate"], row["pattern"], row["method"])
            lines.setdefault(key, {"row": row, "metrics": {}})["metrics"][row["metric"]] = row
    return [line for line in lines.values() if "auroc" in line["metrics"]]
