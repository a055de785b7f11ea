"""The methods of the study, as a paper tells them."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.outline import outline
from mmmed.audit.prose import (
    analysis,
    cohort,
    limits,
    masking,
    preparation,
    software,
    splitting,
    training,
)
from mmmed.audit.prose.record import record
from mmmed.audit.section import Values
from mmmed.audit.statistics import read_statistics

PARAGRAPHS = {
    "Cohort": cohort.told,
    "What was masked": masking.told,
    "Splits": splitting.told,
    "Preparation": preparation.told,
    "Methods and budgets": training.told,
    "Measures and tests": analysis.told,
    "Software": software.told,
    "Limits": limits.told,
}
"""In the order of a paper."""


def values(run: RunFolder) -> Values:
    """Titles and paragraphs."""
    known = record(run, outline(run.study), read_statistics(run.path))
    return {"paragraphs": [(title, " ".join(told(known))) for title, told in PARAGRAPHS.items()]}
