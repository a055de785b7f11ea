"""The observed tables: every case under what it has."""

from __future__ import annotations

from collections.abc import Sequence

from mmmed.audit.folder import Row, RunFolder
from mmmed.audit.score_table import TITLES, score_lines
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values:
    """A line per protocol, rate and method, and why numbers are missing, here and above."""
    return {
        "observed": score_lines(run.rows, "observed"),
        "reasons": _reasons(run.rows),
        "metrics": TITLES,
    }


def _reasons(rows: Sequence[Row]) -> list[str]:
    """Why numbers or intervals are missing, each reason once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row["reason"]:
            rate = "" if row["rate"] is None else f" {row['rate']:.0%}"
            place = f"{row['method']} {row['protocol']}{rate} {row['pattern']}"
            found.setdefault(f"{row['metric']}: {row['reason']}", []).append(place)
    return [
        f"{reason} ({len(places)}: {'; '.join(places[:3])})" for reason, places in found.items()
    ]
