"""The figures that answer: curves, paired differences, ranks, and what accuracy costs."""

from __future__ import annotations

from mmmed.audit.folder import RunFolder
from mmmed.audit.picture import DESCRIPTIONS, figures
from mmmed.audit.section import Values

ELSEWHERE = ("arena", "cohort-grid", "overview", "patterns", "reliability")
"""Shown by other sections, or a picture of what others show."""
KINDS = {
    "robustness": "Robustness: what each lost scan costs",
    "differences": "Paired differences",
    "ranks": "How often each method is best",
    "cost-accuracy": "Cost against accuracy",
    "trainings": "Trained how, tested how",
}
"""In the order of the page; figures of any other kind follow."""


def values(run: RunFolder) -> Values:
    """Titles, each with its figures."""
    groups = [(title, figures(run.figures, kind)) for kind, title in KINDS.items()]
    known = (*KINDS, *ELSEWHERE)
    others = {name: png for name, png in run.figures.items() if not name.startswith(known)}
    more = [one for kind in DESCRIPTIONS if kind not in known for one in figures(others, kind)]
    return {
        "groups": [(title, found) for title, found in groups if found],
        "others": more + figures(others, None),
    }
