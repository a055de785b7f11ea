"""Who trains, who chooses, who calibrates, who is tested.

part    train | validation | calibration | test; calibration meets no gradient and no choice
fold    one assignment of every case to a part
leak    a subject in two parts; never allowed

Subjects are dealt like cards: sorted by class, stratum, site and then at random, each goes to the
part that is furthest behind its share. So parts are alike in these, and their sizes are as exact as
whole subjects allow, also where a class is smaller than the number of folds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from mmmed.cohorts.cohort import Cohort, require_classes
from mmmed.config import Spec
from mmmed.errors import DataError, LeakageError, join

Part = Literal["train", "validation", "calibration", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "calibration", "test")
Share = Annotated[float, Field(gt=0, lt=1)]


class _Drawn(Spec):
    """What every way of splitting states.

    Attributes:
        validation: share of the whole that chooses.
        calibration: share of the whole that calibrates.
        seed: of the draw alone.
        stratify: a column recorded with each case, such as `subtype`, in which parts are to be
            alike; None for class and site alone.
    """

    validation: Share = 0.1
    calibration: Share = 0.1
    seed: int = 0
    stratify: str | None = None


class Holdout(_Drawn):
    """One fold: as the cohort's own `part` column says, else drawn. Or several, each drawn anew.

    Attributes:
        test: share of the whole that is tested.
        repeats: how many hold-outs; a subject may be tested in several of them, or in none.
    """

    kind: Literal["holdout"] = "holdout"
    test: Share = 0.2
    repeats: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _leaves_training(self) -> Holdout:
        if self.validation + self.calibration + self.test >= 1:
            raise ValueError("validation, calibration and test leave nothing to train on")
        return self


class Folds(_Drawn):
    """Each subject is tested once.

    Attributes:
        folds: how many.
    """

    kind: Literal["folds"]
    folds: Annotated[int, Field(ge=2)] = 5

    @model_validator(mode="after")
    def _leaves_training(self) -> Folds:
        if self.validation + self.calibration + 1 / self.folds >= 1:
            raise ValueError("validation, calibration and one fold leave nothing to train on")
        return self


class LeaveOneSiteOut(_Drawn):
    """Each site is tested once, by a model that never saw it."""

    kind: Literal["leave-one-site-out"]

    @model_validator(mode="after")
    def _leaves_training(self) -> LeaveOneSiteOut:
        if self.validation + self.calibration >= 1:
            raise ValueError("validation and calibration leave nothing to train on")
        return self


Splits = Annotated[Holdout | Folds | LeaveOneSiteOut, Field(discriminator="kind")]


@dataclass(frozen=True)
class Fold:
    """One assignment of every case.

    Attributes:
        name: `holdout`, `fold-0`, `site-B`.
        part: case id -> part, in the cohort's order.
    """

    name: str
    part: pd.Series

    def cases(self, *parts: Part) -> list[str]:
        """The cases of these parts, in the cohort's order."""
        return [str(case) for case in self.part.index[self.part.isin(parts)]]


def split(cohort: Cohort, spec: Holdout | Folds | LeaveOneSiteOut) -> tuple[Fold, ...]:
    """The folds of a cohort.

    Raises:
        LeakageError: the cohort's own `part` column puts one subject into two parts.
        DataError: a class has no case in the cohort, or is missing from a part that needs it; the
            `part` column holds another word; there are too few subjects or sites.
    """
    require_classes(cohort)
    folds = _drawn(cohort, spec)
    for fold in folds:
        check_leakage(fold, cohort.subjects())
        _check_parts(cohort, fold)
    return folds


def stated(cohort: Cohort) -> Fold | None:
    """The cohort's own split, as its `part` column says; None where no case has a part.

    Raises:
        DataError: the column holds another word, or nothing for some case.
    """
    if all(case.part is None for case in cohort.cases):
        return None
    wrong = [case for case in cohort.cases if case.part not in PARTS]
    if wrong:
        case = wrong[0]
        raise DataError(
            f"case {case.id}: part is {case.part or 'n/a'!r}; allowed: {', '.join(PARTS)}; "
            "without the column parts are drawn"
        )
    return Fold("holdout", _series(cohort, [str(case.part) for case in cohort.cases]))


def check_leakage(fold: Fold, subjects: pd.Series) -> None:
    """Raise when one subject stands in two parts.

    Args:
        fold: the assignment.
        subjects: subject per case, same index.

    Raises:
        LeakageError: one line per subject.
    """
    parts = fold.part.groupby(subjects.loc[fold.part.index].to_numpy()).unique()
    leaks = parts[parts.map(len) > 1]
    if len(leaks):
        raise LeakageError(
            join(
                f"{fold.name}: subject {subject} stands in {' and '.join(sorted(found))}; "
                "give all cases of a subject one part"
                for subject, found in leaks.items()
            )
        )


def _drawn(cohort: Cohort, spec: Holdout | Folds | LeaveOneSiteOut) -> tuple[Fold, ...]:
    match spec:
        case Holdout():
            return _holdouts(cohort, spec)
        case Folds():
            return _folds(cohort, spec)
        case LeaveOneSiteOut():
            return _sites(cohort, spec)


def _holdouts(cohort: Cohort, spec: Holdout) -> tuple[Fold, ...]:
    own = stated(cohort)
    if own is not None:
        if spec.repeats > 1:
            raise DataError(
                f"cohort {cohort.name}: states its own split, which cannot be repeated; "
                "set splits.repeats=1"
            )
        return (own,)
    people = _people(cohort, spec.stratify)
    rest = 1 - spec.validation - spec.calibration - spec.test
    shares = {
        "train": rest,
        "validation": spec.validation,
        "calibration": spec.calibration,
        "test": spec.test,
    }
    if spec.repeats == 1:
        return (Fold("holdout", _spread(cohort, _deal(people, shares, spec.seed))),)
    return tuple(
        Fold(f"holdout-{number}", _spread(cohort, _deal(people, shares, (spec.seed, number))))
        for number in range(spec.repeats)
    )


def _folds(cohort: Cohort, spec: Folds) -> tuple[Fold, ...]:
    people = _people(cohort, spec.stratify)
    names = [f"fold-{index}" for index in range(spec.folds)]
    home = _deal(people, dict.fromkeys(names, 1 / spec.folds), spec.seed)
    tested = pd.Series(home)
    return tuple(
        Fold(name, _spread(cohort, _around(people, set(tested.index[tested == name]), spec)))
        for name in names
    )


def _sites(cohort: Cohort, spec: LeaveOneSiteOut) -> tuple[Fold, ...]:
    people = _people(cohort, spec.stratify)
    unknown = people.index[people["site"] == ""]
    if len(unknown):
        raise DataError(f"leave-one-site-out: the site of subject {unknown[0]} is not recorded")
    sites = sorted(people["site"].unique())
    if len(sites) < 2:
        raise DataError(f"leave-one-site-out: all cases are of site {sites[0]}; use folds")
    return tuple(
        Fold(
            f"site-{site}",
            _spread(cohort, _around(people, set(people.index[people["site"] == site]), spec)),
        )
        for site in sites
    )


def _around(
    people: pd.DataFrame, tested: set[str], spec: Folds | LeaveOneSiteOut
) -> dict[str, str]:
    """Parts of the others around a given test part; shares are of the whole."""
    others = people[~people.index.isin(list(tested))]
    left = max(int(others["cases"].sum()), 1) / int(people["cases"].sum())
    inner = {
        "validation": spec.validation / left,
        "calibration": spec.calibration / left,
    }
    inner["train"] = max(1 - sum(inner.values()), 0.0)
    return {**_deal(others, inner, spec.seed), **dict.fromkeys(tested, "test")}


def _people(cohort: Cohort, stratify: str | None) -> pd.DataFrame:
    """One row per subject: its class, stratum, site and number of cases.

    A subject whose class changes counts as its highest class, one of several sites or strata as the
    first of them.

    Raises:
        DataError: the strata are no column of the cohort.
    """
    known = {name for case in cohort.cases for name in case.covariates}
    if stratify is not None and stratify not in known:
        raise DataError(
            f"cohort {cohort.name}: splits.stratify: no column {stratify!r} is recorded "
            f"({', '.join(sorted(known)) or 'none is'})"
        )
    table = pd.DataFrame(
        {
            "subject": [case.subject for case in cohort.cases],
            "label": [case.label for case in cohort.cases],
            "stratum": [str(case.covariates.get(stratify or "")) for case in cohort.cases],
            "site": [case.site or "" for case in cohort.cases],
        }
    )
    return table.groupby("subject").agg(
        label=("label", "max"),
        stratum=("stratum", "first"),
        site=("site", "first"),
        cases=("label", "size"),
    )


def _deal(
    people: pd.DataFrame, shares: Mapping[str, float], seed: int | tuple[int, int]
) -> dict[str, str]:
    """Subject -> one of the named shares."""
    random = np.random.default_rng(seed)
    order = people.sort_index().assign(draw=lambda table: random.random(len(table)))
    order = order.sort_values(["label", "stratum", "site", "draw"], kind="stable")
    given = dict.fromkeys(shares, 0)
    dealt: dict[str, str] = {}
    total = 0
    for subject, count in zip(order.index, order["cases"], strict=True):
        total += int(count)
        part = max(shares, key=lambda name: shares[name] * total - given[name])
        given[part] += int(count)
        dealt[str(subject)] = part
    return dealt


def _spread(cohort: Cohort, parts: Mapping[str, str]) -> pd.Series:
    return _series(cohort, [parts[case.subject] for case in cohort.cases])


def _series(cohort: Cohort, parts: Iterable[str]) -> pd.Series:
    ids = pd.Index([case.id for case in cohort.cases], name="case_id", dtype=object)
    return pd.Series(list(parts), index=ids, name="split", dtype=object)


def _check_parts(cohort: Cohort, fold: Fold) -> None:
    """Raise unless each part has a case, and each that shapes the model one of every class."""
    labels = cohort.labels()
    faults = []
    for part in PARTS:
        cases = fold.cases(part)
        if not cases:
            faults.append(f"{fold.name}: no case for {part}; the cohort is too small or lacks it")
            continue
        if part == "test":
            continue
        present = set(labels[cases])
        faults += [
            f"{fold.name}: {part} has no case of class {name}; take fewer folds or other shares"
            for index, name in enumerate(cohort.classes)
            if index not in present
        ]
    if faults:
        raise DataError(join(faults))
