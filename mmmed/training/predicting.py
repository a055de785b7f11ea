"""From views to the rows of a predictions table.

view   a case under a pattern it can show, scored because a protocol asks for it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmmed.batch import UNLABELLED
from mmmed.cohorts.cohort import Case
from mmmed.modality import Pattern
from mmmed.progress import Progress
from mmmed.record.table import Cell
from mmmed.training.package import Package
from mmmed.training.shelf import Shelf


@dataclass(frozen=True)
class View:
    """A case under a pattern.

    Attributes:
        case: its id.
        protocol: the test protocol that asks for it.
        rate: of the protocol; None where it has none.
        pattern: what is shown.
    """

    case: str
    protocol: str
    rate: float | None
    pattern: Pattern


def prediction_rows(
    package: Package,
    shelf: Shelf,
    cases: Mapping[str, Case],
    views: Sequence[View],
    *,
    split: str | None,
    progress: Progress | None = None,
) -> list[dict[str, Cell]]:
    """One row of `record.table.PREDICTIONS` per view, in the order given.

    A case under one pattern is predicted once, however many protocols ask for it.

    Args:
        package: what predicts.
        shelf: prepared items.
        cases: by id.
        views: what is scored.
        split: the part the cases are in; None outside a study.
        progress: called with (distinct predictions done, in all).
    """
    wanted = list(dict.fromkeys((view.case, view.pattern) for view in views))
    found = {}
    for done, (case, pattern) in enumerate(wanted, start=1):
        (found[case, pattern],) = package.predict([shelf.set(case, pattern)])
        if progress is not None:
            progress(done, len(wanted))
    return [
        {
            **_describe(cases[view.case], package),
            "split": split,
            "fold": package.manifest.fold,
            "seed": package.manifest.seed,
            "method": package.manifest.name,
            "protocol": view.protocol,
            "rate": view.rate,
            "owned": str(shelf.owned(view.case)),
            "pattern": str(view.pattern),
            **found[view.case, view.pattern].cells(package.manifest.classes),
        }
        for view in views
    ]


def columns(classes: Sequence[str]) -> tuple[str, ...]:
    """The columns of a predictions table after the schema's own."""
    return (
        *(f"logit_{name}" for name in classes),
        *(f"p_{name}" for name in classes),
        "decision",
        "set",
    )


def _describe(case: Case, package: Package) -> dict[str, Cell]:
    known = case.label != UNLABELLED
    return {
        "case_id": case.id,
        "subject_id": case.subject,
        "session_id": case.session,
        "site": case.site,
        "label": package.manifest.classes[case.label] if known else None,
    }
