"""Lists of folds on a cohort: which case is tested where, what does not agree, and what leaks.

side   train or test, as a list says it of names
leak   a subject of whom one case is on the train side of a fold and another is tested

A case has one part, so one whose images stand on both sides is tested as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.fold_list import read_lists
from mmmed.errors import DataError

EXAMPLES = 3
"""Names that stand for many of their kind in a remark."""


@dataclass(frozen=True, order=True)
class Leak:
    """One name of a subject that is on both sides of a fold.

    Attributes:
        subject: who.
        case: of the subject.
        name: that the list gives.
        tested: on which side it stands in the list.
    """

    subject: str
    case: str
    name: str
    tested: bool


@dataclass(frozen=True)
class Sides:
    """One fold of the lists.

    Attributes:
        name: `fold-1`.
        tested: case -> whether it is tested; cases that the list does not name are not there.
        leaks: ascending.
    """

    name: str
    tested: Mapping[str, bool]
    leaks: tuple[Leak, ...]


def sides(cohort: Cohort, files: Sequence[Path]) -> tuple[list[Sides], tuple[str, ...]]:
    """The folds that lists make of a cohort, and a sentence for all that does not agree.

    Raises:
        StudyError: a file is not there.
        DataError: a file is no list, or no fold has cases on both sides.
    """
    lists = read_lists(files)
    homes = _homes(cohort)
    remarks: dict[str, list[str]] = {}
    found = []
    for number, names in lists.sides.items():
        fold = f"fold-{number}"
        one = _side(cohort, fold, names, homes, remarks)
        if len(set(one.tested.values())) == 2:
            found.append(one)
        else:
            lacking = "train" if any(one.tested.values()) else "test"
            _remark(remarks, fold, f"no case of the cohort is in {lacking}; the fold is left out")
    told = [f"{', '.join(folds)}: {text}" for text, folds in remarks.items()]
    if not found:
        first = next(iter([*lists.remarks, *told]), "the lists are empty")
        raise DataError(f"{files[0]}: no fold has cases on both sides ({first})")
    return found, (*lists.remarks, *told)


def leak_sentences(one: Sides) -> list[str]:
    """A line per subject: its cases, their sides and how many names of each leak."""
    told = []
    for subject in dict.fromkeys(leak.subject for leak in one.leaks):
        mine = [leak for leak in one.leaks if leak.subject == subject]
        cases = [
            f"{case} in {'test' if tested else 'train'} ("
            f"{sum((leak.case, leak.tested) == (case, tested) for leak in mine)} listed)"
            for case, tested in dict.fromkeys((leak.case, leak.tested) for leak in mine)
        ]
        told.append(f"{one.name}: subject {subject} leaks: {', '.join(cases)}")
    return told


def _side(
    cohort: Cohort,
    fold: str,
    names: Mapping[str, bool],
    homes: Mapping[str, str | None],
    remarks: dict[str, list[str]],
) -> Sides:
    given: dict[str, dict[str, bool]] = {}
    lost: list[str] = []
    many: list[str] = []
    for name, side in names.items():
        case = homes.get(name, "")
        if case:
            given.setdefault(case, {})[name] = side
        else:
            (many if case is None else lost).append(name)
    _remark_many(remarks, fold, lost, "in the list, but no file of the cohort; ignored")
    _remark_many(remarks, fold, many, "of several cases, so nobody knows which; ignored")
    _remark_unlisted(cohort, fold, given, remarks)
    for case, own in given.items():
        if len(set(own.values())) > 1:
            counts = f"{sum(own.values())} in test, {len(own) - sum(own.values())} in train"
            text = f"images of {case} stand on both sides ({counts}); it is tested as a whole"
            _remark(remarks, fold, text)
    tested = {case.id: any(given[case.id].values()) for case in cohort.cases if case.id in given}
    return Sides(fold, tested, _leaks(cohort, tested, given))


def _leaks(
    cohort: Cohort, tested: Mapping[str, bool], given: Mapping[str, Mapping[str, bool]]
) -> tuple[Leak, ...]:
    subject = {case.id: case.subject for case in cohort.cases if case.id in tested}
    both = {subject[case] for case, yes in tested.items() if yes}
    both &= {subject[case] for case, yes in tested.items() if not yes}
    return tuple(
        sorted(
            Leak(subject[case], case, name, side)
            for case, own in given.items()
            if subject[case] in both
            for name, side in own.items()
        )
    )


def _homes(cohort: Cohort) -> dict[str, str | None]:
    """Name -> the case it means; None where it means several."""
    homes: dict[str, str | None] = {}
    for case in cohort.cases:
        files = {item.path.name for items in case.sources.values() for item in items}
        for name in {case.id, *files}:
            homes[name] = case.id if homes.get(name, case.id) == case.id else None
    return homes


def _remark_unlisted(
    cohort: Cohort,
    fold: str,
    given: Mapping[str, Mapping[str, bool]],
    remarks: dict[str, list[str]],
) -> None:
    """Cases without a name in the list, and files of listed cases without one."""
    bare = [case.id for case in cohort.cases if case.id not in given]
    _remark_many(remarks, fold, bare, "not in the list; left out of the fold", what="case")
    files = [
        item.path.name
        for case in cohort.cases
        if case.id in given and case.id not in given[case.id]
        for items in case.sources.values()
        for item in items
        if item.path.name not in given[case.id]
    ]
    _remark_many(remarks, fold, files, "not in the list; it goes with its case", what="file")


def _remark_many(
    remarks: dict[str, list[str]], fold: str, names: Sequence[str], text: str, *, what: str = "name"
) -> None:
    if names:
        shown = ", ".join(names[:EXAMPLES]) + (", ..." if len(names) > EXAMPLES else "")
        _remark(remarks, fold, f"{len(names)} {what}(s) {text}: {shown}")


def _remark(remarks: dict[str, list[str]], fold: str, text: str) -> None:
    remarks.setdefault(text, []).append(fold)


def moved(one: Sides) -> Sides:
    """The fold with every leaking subject tested as a whole."""
    leaking = {leak.case for leak in one.leaks}
    tested = {case: yes or case in leaking for case, yes in one.tested.items()}
    return Sides(one.name, tested, one.leaks)
