"""The cohort, its parts, and what is hidden in them."""

from __future__ import annotations

from mmmed.audit import words
from mmmed.audit.folder import RunFolder
from mmmed.audit.picture import figures
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values:
    """The parts of every fold, and what every protocol leaves out of the first."""
    return {
        "figures": figures(run.figures, "cohort-grid"),
        "parts": words.parts(run.splits, run.cases),
        "absences": words.absences(run.presence),
        "folds": len({row["fold"] for row in run.presence}),
    }
