"""How the jobs learned, and what their methods tell of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmmed.audit.flat import flat
from mmmed.audit.folder import RunFolder
from mmmed.audit.section import Values

ABOUT = ("method", "fold", "seed")
"""What names a job in its report."""


def values(run: RunFolder) -> Values:
    """The modalities that were learned from, and the reports of the jobs."""
    return {
        "modalities": sorted({name for phase in run.training for name in phase.auroc}),
        "reports": [_told(report) for report in run.reports],
    }


def _told(report: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """What a job tells: its name, and names and values."""
    name = " ".join(str(report[key]) for key in ABOUT if key in report)
    return name, list(flat({key: report[key] for key in report if key not in ABOUT}))
