"""From views to the rows of a predictions table, and to how much each item counted in them.

view   a case under a pattern it can show, scored because a protocol asks for it
image  one item of a case, scored as a set of one
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

from mmmed.batch import UNLABELLED
from mmmed.cohorts.cohort import Case
from mmmed.evaluation.outlook import Outlook
from mmmed.modality import Pattern
from mmmed.progress import Progress
from mmmed.record.table import Cell
from mmmed.training.attention import attention_rows, item_name
from mmmed.training.outlooks import outlook_rows
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


@dataclass(frozen=True)
class Scored:
    """What a package says of views.

    Attributes:
        predictions: rows of `record.table.PREDICTIONS`, one per view.
        attention: rows of `record.table.ATTENTION`, of views that show all their case owns; none
            where the method does not weigh items.
        seconds: pattern -> wall time of predicting one case, the median; reading is not counted.
        outlooks: rows of `record.table.COUNTERFACTUAL`, of views that lack a modality; none where
            the package says nothing of that.
    """

    predictions: list[dict[str, Cell]]
    attention: list[dict[str, Cell]]
    seconds: dict[str, float]
    outlooks: list[dict[str, Cell]]


def score(
    package: Package,
    shelf: Shelf,
    cases: Mapping[str, Case],
    views: Sequence[View],
    *,
    split: str | None,
    progress: Progress | None = None,
) -> Scored:
    """What the package says of each view, in the order given.

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
    attention: list[dict[str, Cell]] = []
    spent: dict[Pattern, list[float]] = defaultdict(list)
    outlooks: dict[tuple[str, Pattern], Outlook] = {}
    for done, (case, pattern) in enumerate(wanted, start=1):
        shown = shelf.set(case, pattern)
        begun = perf_counter()
        (found[case, pattern],) = package.predict([shown])
        spent[pattern].append(perf_counter() - begun)
        if told := package.outlook(shown, found[case, pattern]):
            outlooks[case, pattern] = told
        if pattern == shelf.owned(case):
            attention += attention_rows(package, shown, shelf.items[case])
        if progress is not None:
            progress(done, len(wanted))
    predictions: list[dict[str, Cell]] = [
        {
            **_whose(cases[view.case], package, split),
            "protocol": view.protocol,
            "rate": view.rate,
            "owned": str(shelf.owned(view.case)),
            "pattern": str(view.pattern),
            **found[view.case, view.pattern].cells(package.manifest.classes),
        }
        for view in views
    ]
    about = {case: _whose(cases[case], package, split) for case, _ in wanted}
    return Scored(
        predictions,
        attention,
        {str(pattern): median(times) for pattern, times in spent.items()},
        outlook_rows(outlooks, found, about, package),
    )


def image_rows(
    package: Package, shelf: Shelf, cases: Mapping[str, Case], chosen: Sequence[str], *, split: str
) -> list[dict[str, Cell]]:
    """One row of `record.table.IMAGES` per image of these cases, each seen as a set of one.

    Args:
        package: what predicts.
        shelf: prepared items.
        cases: by id.
        chosen: whose images are scored.
        split: the part they are in.
    """
    images = {one.name for one in shelf.modalities if one.kind == "image"}
    rows: list[dict[str, Cell]] = []
    for case in chosen:
        for name in shelf.owned(case):
            if name not in images:
                continue
            whole = shelf.set(case, Pattern.of([name]))
            alone = [replace(whole, items={name: (item,)}) for item in whole.items[name]]
            rows += [
                {
                    **_whose(cases[case], package, split),
                    "modality": name,
                    "item": place,
                    "image": item_name(prepared.source),
                    **found.cells(package.manifest.classes),
                }
                for place, (prepared, found) in enumerate(
                    zip(shelf.items[case][name], package.predict(alone), strict=True), start=1
                )
            ]
    return rows


def columns(classes: Sequence[str]) -> tuple[str, ...]:
    """The columns of a predictions table after the schema's own."""
    return (
        *(f"logit_{name}" for name in classes),
        *(f"p_{name}" for name in classes),
        "decision",
        "set",
    )


def _whose(case: Case, package: Package, split: str | None) -> dict[str, Cell]:
    """What every row about a case that a package was asked for begins with."""
    known = case.label != UNLABELLED
    return {
        "case_id": case.id,
        "subject_id": case.subject,
        "session_id": case.session,
        "site": case.site,
        "label": package.manifest.classes[case.label] if known else None,
        "split": split,
        "fold": package.manifest.fold,
        "seed": package.manifest.seed,
        "method": package.manifest.name,
    }
