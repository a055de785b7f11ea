"""Who trains, who chooses, who calibrates, who is tested.

part    train | validation | calibration | test; calibration meets no gradient and no choice
fold    one assignment of cases to parts; of every case, unless lists say otherwise
leak    a subject in two parts; none is drawn, and lists are taken with theirs where a study asks

Subjects are dealt like cards: sorted by class, stratum, site and then at random, each goes to the
part that is furthest behind its share. So parts are alike in these, and their sizes are as exact as
whole subjects allow, also where a class is smaller than the number of folds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from mmmed.cohorts import listed
from mmmed.cohorts.cohort import Cohort, require_classes
from mmmed.cohorts.dealing import deal, everyone
from mmmed.cohorts.listed import Leak
from mmmed.cohorts.split_spec import Folds, Holdout, LeaveOneSiteOut, Lists
from mmmed.errors import DataError, LeakageError, join

Part = Literal["train", "validation", "calibration", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "calibration", "test")


@dataclass(frozen=True)
class Fold:
    """One assignment of every case.

    Attributes:
        name: `holdout`, `fold-0`, `site-B`.
        part: case id -> part, in the cohort's order.
        leaks: names of subjects on both sides, as lists give them; none where parts are drawn.
        remarks: what lists and cohort do not agree on, in sentences, and what leaks.
    """

    name: str
    part: pd.Series
    leaks: tuple[Leak, ...] = ()
    remarks: tuple[str, ...] = ()

    def cases(self, *parts: Part) -> list[str]:
        """The cases of these parts, in the cohort's order."""
        return [str(case) for case in self.part.index[self.part.isin(parts)]]


def split(cohort: Cohort, spec: Holdout | Folds | LeaveOneSiteOut | Lists) -> tuple[Fold, ...]:
    """The folds of a cohort.

    Raises:
        LeakageError: the cohort's own `part` column puts one subject into two parts, or lists do
            and the study refuses it.
        StudyError: a list is not there.
        DataError: a class has no case in the cohort, or is missing from a part that needs it; the
            `part` column holds another word; there are too few subjects or sites; no fold of the
            lists can be used.
    """
    require_classes(cohort)
    folds = _drawn(cohort, spec)
    for fold in folds:
        subjects = cohort.subjects().loc[fold.part.index]
        taken = {leak.subject for leak in fold.leaks}
        kept = subjects[~subjects.isin(taken)]
        check_leakage(replace(fold, part=fold.part.loc[kept.index]), kept)
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


def _drawn(cohort: Cohort, spec: Holdout | Folds | LeaveOneSiteOut | Lists) -> tuple[Fold, ...]:
    match spec:
        case Holdout():
            return _holdouts(cohort, spec)
        case Folds():
            return _folds(cohort, spec)
        case LeaveOneSiteOut():
            return _sites(cohort, spec)
        case Lists():
            return _listed(cohort, spec)


def _holdouts(cohort: Cohort, spec: Holdout) -> tuple[Fold, ...]:
    own = stated(cohort)
    if own is not None:
        if spec.repeats > 1:
            raise DataError(
                f"cohort {cohort.name}: states its own split, which cannot be repeated; "
                "set splits.repeats=1"
            )
        return (own,)
    people = everyone(cohort, spec.stratify)
    rest = 1 - spec.validation - spec.calibration - spec.test
    shares = {
        "train": rest,
        "validation": spec.validation,
        "calibration": spec.calibration,
        "test": spec.test,
    }
    if spec.repeats == 1:
        return (Fold("holdout", _spread(cohort, deal(people, shares, spec.seed))),)
    return tuple(
        Fold(f"holdout-{number}", _spread(cohort, deal(people, shares, (spec.seed, number))))
        for number in range(spec.repeats)
    )


def _folds(cohort: Cohort, spec: Folds) -> tuple[Fold, ...]:
    people = everyone(cohort, spec.stratify)
    names = [f"fold-{index}" for index in range(spec.folds)]
    home = deal(people, dict.fromkeys(names, 1 / spec.folds), spec.seed)
    tested = pd.Series(home)
    return tuple(
        Fold(name, _spread(cohort, _around(people, set(tested.index[tested == name]), spec)))
        for name in names
    )


def _sites(cohort: Cohort, spec: LeaveOneSiteOut) -> tuple[Fold, ...]:
    people = everyone(cohort, spec.stratify)
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


def _listed(cohort: Cohort, spec: Lists) -> tuple[Fold, ...]:
    found, remarks = listed.sides(cohort, spec.files)
    told = [line for one in found for line in listed.leak_sentences(one)]
    if told and spec.leaks == "refuse":
        ways = "set splits.leaks=report to take the lists as given, or move to test them"
        raise LeakageError(join(f"{line}; {ways}" for line in told))
    if spec.leaks == "move":
        found = [listed.moved(one) for one in found]
        told = [f"{line}; all of it is tested" for line in told]
    return tuple(_fold_of(cohort, one, spec, remarks=(*remarks, *told)) for one in found)


def _fold_of(cohort: Cohort, one: listed.Sides, spec: Lists, *, remarks: tuple[str, ...]) -> Fold:
    """Validation and calibration drawn from those who are not tested and do not leak."""
    named = replace(cohort, cases=tuple(case for case in cohort.cases if case.id in one.tested))
    people = everyone(named, spec.stratify)
    fixed = {case.subject for case in named.cases if one.tested[case.id]}
    drawn = _around(people, fixed, spec)
    parts = {
        case.id: "test"
        if one.tested[case.id]
        else "train"
        if case.subject in fixed
        else drawn[case.subject]
        for case in named.cases
    }
    return Fold(one.name, _series(named, parts.values()), leaks=one.leaks, remarks=remarks)


def _around(
    people: pd.DataFrame, tested: set[str], spec: Folds | LeaveOneSiteOut | Lists
) -> dict[str, str]:
    """Parts of the others around a given test part; shares are of the whole."""
    others = people[~people.index.isin(list(tested))]
    left = max(int(others["cases"].sum()), 1) / int(people["cases"].sum())
    inner = {
        "validation": spec.validation / left,
        "calibration": spec.calibration / left,
    }
    inner["train"] = max(1 - sum(inner.values()), 0.0)
    return {**deal(others, inner, spec.seed), **dict.fromkeys(tested, "test")}


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
