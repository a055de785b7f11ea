"""What each lost scan costs, as curves."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.picture import figures
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values:
    """The curves."""
    return {"figures": figures(run.figures, "robustness")}
