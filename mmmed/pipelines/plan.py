"""What a study will do, settled before anything is trained.

Who is in which part, who hides what, which views are scored: pure tables, saved with the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.protocol import apply_train, presence_rows
from mmmed.cohorts.splits import Fold, split
from mmmed.errors import StudyError
from mmmed.mechanism import Training
from mmmed.modality import Pattern
from mmmed.models.joint_embedding.pairs import require_room
from mmmed.pipelines.apart import require_apart
from mmmed.pipelines.lessons import Lessons, require_some
from mmmed.pipelines.study import Study
from mmmed.pipelines.tested import Tested, tested, withheld_columns
from mmmed.record import table
from mmmed.training.predicting import View

COHORT = "cohort"
"""The last column of `cases.tsv` and `presence.tsv`: whose case it is."""


@dataclass(frozen=True)
class FoldPlan:
    """One fold of a study under one training.

    Attributes:
        fold: which case is in which part.
        train: the name of the training: `mcar 0.5`, or `complete`.
        shown: case -> what it shows in training, validation and calibration.
        views: what is scored in the test part; the same for every training.
        sentences: realised absence in words and counts, one per split, protocol and modality.
        presence: rows of the presence table.
        refused: method -> why it cannot learn here; its jobs fail at once.
        gaps: sentences on modalities of which a class shows nothing in training.
    """

    fold: Fold
    train: str
    shown: Mapping[str, Pattern]
    views: tuple[View, ...]
    sentences: tuple[str, ...]
    presence: tuple[Mapping[str, table.Cell], ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """For people: `fold holdout, trained mcar 0.5`."""
        return f"fold {self.fold.name}, trained {self.train}"


def plan(study: Study, cohort: Cohort, *, truth: Path | None) -> tuple[FoldPlan, ...]:
    """The folds of a study over a cohort, under the first training, then the next.

    Args:
        study: splits and protocols.
        cohort: the cases that can be read.
        truth: of a simulated cohort: its latent columns are what `mnar` protocols may read.

    Raises:
        StudyError: the class named positive is none of the cohort's; no training leaves a method
            the cases that it learns every class from; or it lacks room for two cases in a batch.
        LeakageError: a subject is in two parts, unless the study takes lists as given and no
            method imputes.
    """
    positive = study.evaluation.positive
    if positive is not None and positive not in cohort.classes:
        raise StudyError(
            f"study {study.study}: evaluation.positive: {positive!r} is no class of the cohort "
            f"({', '.join(cohort.classes)})"
        )
    withheld = withheld_columns(truth) if truth else None
    views = [
        (fold, tested(study.protocols.test, cohort, fold, withheld))
        for fold in split(cohort, study.splits)
    ]
    folds = tuple(
        _trained(training, cohort, fold, withheld, one)
        for training in study.protocols.trainings
        for fold, one in views
    )
    subject = {case.id: case.subject for case in cohort.cases}
    for method in study.methods:
        for one in folds:
            require_apart(one.fold, subject, method=method)
        if method.needs_pairs:
            require_room(f"study {study.study}: {method.name}", study.training.batch)
    looked = tuple(_looked_at(one, study, cohort) for one in folds)
    require_some(study.methods, [one.refused for one in looked])
    return looked


def realised(folds: Sequence[FoldPlan]) -> list[str]:
    """Realised absence of the first fold, and where to read that of the others."""
    first = folds[0].fold.name
    others = len({one.fold.name for one in folds}) - 1
    alike = [f"{others} more fold(s), hidden at the same rates: presence.tsv"] if others else []
    told = [line for one in folds if one.fold.name == first for line in one.sentences]
    return [*dict.fromkeys(told), *alike]


def remarks(folds: Sequence[FoldPlan]) -> list[str]:
    """What lists contradict or leak, and what no case of a class shows in training; each once."""
    said = [line for one in folds for line in one.fold.remarks]
    return list(dict.fromkeys([*said, *(line for one in folds for line in one.gaps)]))


def refusals(folds: Sequence[FoldPlan]) -> list[str]:
    """Why some methods cannot learn under some trainings."""
    return [line for one in folds for line in one.refused.values()]


def write_tables(
    run: Path,
    cohort: Cohort,
    folds: tuple[FoldPlan, ...],
    *,
    external: Sequence[tuple[Cohort, Tested]] = (),
) -> None:
    """`cases.tsv`, `splits.tsv` and `presence.tsv` of a run; `leaks.tsv` where lists leak.

    An external cohort is in no split; what it shows under a test protocol stands in every fold.
    """
    cohorts = [cohort, *(other for other, _ in external)]
    columns = [str(name) for one in cohorts for name in one.covariates().columns]
    known = {*table.CASES.columns, COHORT}
    extra = [name for name in dict.fromkeys(columns) if name not in known]
    cases = [row for one in cohorts for row in _case_rows(one, extra)]
    table.write(run / "cases.tsv", table.CASES, cases, extra=(*extra, COHORT))
    once = list({one.fold.name: one.fold for one in folds}.values())
    rows = [
        {
            "fold": fold.name,
            "case_id": case.id,
            "subject_id": case.subject,
            "split": str(fold.part[case.id]),
        }
        for fold in once
        for case in cohort.cases
        if case.id in fold.part.index
    ]
    table.write(run / "splits.tsv", table.SPLITS, rows)
    hidden: list[Mapping[str, table.Cell]] = [
        {**row, COHORT: cohort.name}
        for one in folds
        for row in one.presence
        if row["train"] is not None or one.train == folds[0].train
    ]
    hidden += [
        {**row, "fold": fold.name, COHORT: other.name}
        for fold in once
        for other, told in external
        for row in told.presence
    ]
    table.write(run / "presence.tsv", table.PRESENCE, hidden, extra=("train", COHORT))
    leaks = [row for fold in once for row in _leak_rows(fold)]
    if leaks:
        table.write(run / "leaks.tsv", table.LEAKS, leaks)


def _trained(
    training: Training,
    cohort: Cohort,
    fold: Fold,
    withheld: pd.DataFrame | None,
    told: Tested,
) -> FoldPlan:
    shown = apply_train(training.protocols, cohort, fold, withheld=withheld)
    said = [f"fold {fold.name} train {training.name}: {hiding}" for hiding in shown.hidings]
    rows = presence_rows(
        shown, cohort=cohort, fold=fold, protocol="train", rate=None, train=training.name
    )
    return FoldPlan(
        fold=fold,
        train=training.name,
        shown={str(case): shown.pattern(str(case)) for case in fold.part.index},
        views=told.views,
        sentences=(*said, *told.sentences),
        presence=(*rows, *told.presence),
    )


def _looked_at(one: FoldPlan, study: Study, cohort: Cohort) -> FoldPlan:
    """The plan with what its training part cannot teach."""
    lessons = Lessons(
        f"study {study.study}: {one.title}",
        fold=one.fold,
        shown=one.shown,
        labels=cohort.labels(),
        classes=cohort.classes,
    )
    found = {each.name: lessons.refusal(each, cohort.modalities) for each in study.methods}
    refused = {name: why for name, why in found.items() if why is not None}
    return replace(one, refused=refused, gaps=lessons.gaps(cohort.modalities))


def _leak_rows(fold: Fold) -> list[dict[str, table.Cell]]:
    return [
        {
            "fold": fold.name,
            "subject_id": leak.subject,
            "case_id": leak.case,
            "name": leak.name,
            "listed": "test" if leak.tested else "train",
            "split": str(fold.part[leak.case]),
        }
        for leak in fold.leaks
    ]


def _case_rows(cohort: Cohort, extra: list[str]) -> list[dict[str, table.Cell]]:
    return [
        {
            "case_id": case.id,
            "subject_id": case.subject,
            "session_id": case.session,
            "site": case.site,
            "label": cohort.classes[case.label] if case.label >= 0 else None,
            "owned": str(Pattern.of(case.sources)),
            **{name: case.covariates.get(name) for name in extra},
            COHORT: cohort.name,
        }
        for case in cohort.cases
    ]
