"""What a study will do, settled before anything is trained.

Who is in which part, who hides what, which views are scored: pure tables, saved with the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mmmed.absence import Shown
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.protocol import apply_test, apply_train, forced_views, presence_rows
from mmmed.cohorts.splits import Fold, split
from mmmed.errors import StudyError
from mmmed.mechanism import EveryPattern, TestProtocol, Training, rates
from mmmed.modality import Pattern
from mmmed.models.joint_embedding.pairs import require_pairs, require_room
from mmmed.pipelines.apart import require_apart
from mmmed.pipelines.study import Study
from mmmed.record import atomic, table
from mmmed.training.predicting import View


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
    """

    fold: Fold
    train: str
    shown: Mapping[str, Pattern]
    views: tuple[View, ...]
    sentences: tuple[str, ...]
    presence: tuple[Mapping[str, table.Cell], ...]

    @property
    def title(self) -> str:
        """For people: `fold holdout, trained mcar 0.5`."""
        return f"fold {self.fold.name}, trained {self.train}"


@dataclass(frozen=True)
class _Tested:
    """What the test protocols make of a fold."""

    views: tuple[View, ...]
    sentences: tuple[str, ...]
    presence: tuple[Mapping[str, table.Cell], ...]


def plan(study: Study, cohort: Cohort, *, truth: Path | None) -> tuple[FoldPlan, ...]:
    """The folds of a study over a cohort, under the first training, then the next.

    Args:
        study: splits and protocols.
        cohort: the cases that can be read.
        truth: of a simulated cohort: its latent columns are what `mnar` protocols may read.

    Raises:
        StudyError: the class named positive is none of the cohort's, or a method lacks the pairs
            it learns from, or the room for two cases in a batch.
        LeakageError: a subject is in two parts, unless the study takes lists as given and no
            method imputes.
    """
    positive = study.evaluation.positive
    if positive is not None and positive not in cohort.classes:
        raise StudyError(
            f"study {study.study}: evaluation.positive: {positive!r} is no class of the cohort "
            f"({', '.join(cohort.classes)})"
        )
    withheld = _withheld(truth) if truth else None
    tested = [
        (fold, _tested(study, cohort, fold, withheld)) for fold in split(cohort, study.splits)
    ]
    folds = tuple(
        _trained(training, cohort, fold, withheld, views)
        for training in study.protocols.trainings
        for fold, views in tested
    )
    subject = {case.id: case.subject for case in cohort.cases}
    for method in study.methods:
        for one in folds:
            require_apart(one.fold, subject, method=method)
        if method.needs_pairs:
            require_room(f"study {study.study}: {method.name}", study.training.batch)
            for one in folds:
                require_pairs(
                    f"study {study.study}: {one.title}: {method.name}",
                    [one.shown[case] for case in one.fold.cases("train")],
                )
    return folds


def realised(folds: Sequence[FoldPlan]) -> list[str]:
    """Realised absence of the first fold, and where to read that of the others."""
    first = folds[0].fold.name
    others = len({one.fold.name for one in folds}) - 1
    alike = [f"{others} more fold(s), hidden at the same rates: presence.tsv"] if others else []
    told = [line for one in folds if one.fold.name == first for line in one.sentences]
    return [*dict.fromkeys(told), *alike]


def remarks(folds: Sequence[FoldPlan]) -> list[str]:
    """What lists of folds do not agree on with the cohort, and what they leak; each once."""
    return list(dict.fromkeys(line for one in folds for line in one.fold.remarks))


def write_tables(run: Path, cohort: Cohort, folds: tuple[FoldPlan, ...]) -> None:
    """`cases.tsv`, `splits.tsv` and `presence.tsv` of a run; `leaks.tsv` where lists leak."""
    recorded = map(str, cohort.covariates().columns)
    extra = [name for name in recorded if name not in table.CASES.columns]
    table.write(run / "cases.tsv", table.CASES, _case_rows(cohort, extra), extra=extra)
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
    hidden = [
        row
        for one in folds
        for row in one.presence
        if row["train"] is not None or one.train == folds[0].train
    ]
    table.write(run / "presence.tsv", table.PRESENCE, hidden, extra=("train",))
    leaks = [row for fold in once for row in _leak_rows(fold)]
    if leaks:
        table.write(run / "leaks.tsv", table.LEAKS, leaks)


def _trained(
    training: Training,
    cohort: Cohort,
    fold: Fold,
    withheld: pd.DataFrame | None,
    tested: _Tested,
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
        views=tested.views,
        sentences=(*said, *tested.sentences),
        presence=(*rows, *tested.presence),
    )


def _tested(study: Study, cohort: Cohort, fold: Fold, withheld: pd.DataFrame | None) -> _Tested:
    views: list[View] = []
    sentences: list[str] = []
    presence: list[dict[str, table.Cell]] = []
    for protocol in study.protocols.test:
        if isinstance(protocol, EveryPattern):
            views += _forced(protocol, cohort, fold)
            continue
        for rate in rates(protocol) or (None,):
            shown = apply_test(protocol, cohort, fold, rate=rate, withheld=withheld)
            views += _observed(protocol, rate, shown)
            presence += presence_rows(
                shown, cohort=cohort, fold=fold, protocol=protocol.name, rate=rate
            )
            named = protocol.name if rate is None else f"{protocol.name} {rate:.0%}"
            sentences += [f"fold {fold.name} {named}: {hiding}" for hiding in shown.hidings]
    return _Tested(views=tuple(views), sentences=tuple(sentences), presence=tuple(presence))


def _forced(protocol: EveryPattern, cohort: Cohort, fold: Fold) -> list[View]:
    """Every test case under every pattern that it owns."""
    return [
        View(case=case, protocol=protocol.name, rate=None, pattern=pattern)
        for case, pattern in forced_views(cohort.owned().loc[fold.cases("test")])
    ]


def _observed(protocol: TestProtocol, rate: float | None, shown: Shown) -> list[View]:
    """Every test case under what the protocol leaves it."""
    return [
        View(case=case, protocol=protocol.name, rate=rate, pattern=shown.pattern(case))
        for case in shown.table.index
    ]


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
        }
        for case in cohort.cases
    ]


def _withheld(truth: Path) -> pd.DataFrame:
    """The latent columns of a simulated cohort, by case: what no model ever sees."""
    cases = atomic.read_json(truth)["cases"]
    latent = {
        case: {name: value for name, value in values.items() if name.startswith("z_")}
        for case, values in cases.items()
    }
    return pd.DataFrame.from_dict(latent, orient="index")
