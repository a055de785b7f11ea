"""The forced tables: every case that owns a pattern, the rest hidden."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.picture import figures
from mmmed.audit.score_table import TITLES, score_lines
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values:
    """A line per pattern and method; also per size where the patterns are many."""
    return {
        "figures": figures(run.figures, "patterns"),
        "forced": score_lines(run.rows, "forced"),
        "sizes": score_lines(run.rows, "sizes"),
        "metrics": TITLES,
    }
