"""The study as it was run."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values:
    """The text of `study.yaml`."""
    return {"study": run.study}
