"""Whether a probability means what it says."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.picture import figures
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values:
    """The reliability diagrams."""
    return {"figures": figures(run.figures, "reliability")}
