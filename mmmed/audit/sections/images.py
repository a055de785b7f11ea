"""Recognition rates of images that were also scored one by one."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.section import Values
from mmmed.evaluation.text import counted, rate_cell, rate_lines


def values(run: RunFolder) -> Values | None:
    """A line per method and kind of image."""
    rates = [
        (line["method"], line["modality"], counted(line), *map(rate_cell, line["rates"].values()))
        for line in rate_lines(run.images)
    ]
    return {"rates": rates} if rates else None
