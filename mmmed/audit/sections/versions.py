"""What the run ran on, and the digests of its files."""

from __future__ import annotations

from mmmed.audit.flat import flat
from mmmed.audit.folder import RunFolder
from mmmed.audit.section import Values


def values(run: RunFolder) -> Values:
    """Names and values of the environment, and a digest per file."""
    return {"settings": list(flat(run.environment or {})), "digests": run.digests}
