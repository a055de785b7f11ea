"""The cases of a study: who, when, which modalities, which label.

case      one subject at one time point: one row, one label, one prediction
source    where one item of one modality comes from
fault     something that could not be used, and why; the rest goes on
aside     something known that is no part of the cohort on purpose, and why; no fault
bare      a case that should be there but owns nothing that can be read
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import pandas as pd

from mmmed.errors import DataError, NothingReadable, join
from mmmed.modality import ItemKind, natural_sorted
from mmmed.readers.source import Source

UNLABELLED = -1
"""The label of a case whose class is unknown, as in a Batch."""


@dataclass(frozen=True)
class Case:
    """One row of every table.

    Attributes:
        id: `sub-001_ses-M000` or `sub-001`; unique in the cohort.
        subject: groups the cases of one person.
        session: None where the cohort has no time points.
        site: None where it is not recorded.
        label: index into the cohort's classes, or `UNLABELLED`.
        part: what the cohort itself says about the split, as written.
        covariates: recorded column -> number, text, or None where it is missing.
        sources: modality -> its items, at least one; no key for a modality it does not own.
    """

    id: str
    subject: str
    session: str | None
    site: str | None
    label: int
    part: str | None
    covariates: Mapping[str, str | float | None] = field(repr=False)
    sources: Mapping[str, tuple[Source, ...]] = field(repr=False)


@dataclass(frozen=True)
class Fault:
    """What could not be used: a case, or one modality of it.

    Attributes:
        where: the case's id, else the subject or the file.
        modality: None where the whole case is concerned.
        reason: with the file's name and what to do.
    """

    where: str
    modality: str | None
    reason: str

    def __str__(self) -> str:
        modality = f" {self.modality}" if self.modality else ""
        return f"{self.where}{modality}: {self.reason}"


Status = Literal["present", "never acquired", "excluded", "unreadable", "outside the time window"]
"""What a ledger says of one modality of one subject at one session."""

PRESENT: Status = "present"
NEVER: Status = "never acquired"
EXCLUDED: Status = "excluded"
UNREADABLE: Status = "unreadable"
OUTSIDE: Status = "outside the time window"
STATUSES: tuple[Status, ...] = (PRESENT, NEVER, OUTSIDE, EXCLUDED, UNREADABLE)


@dataclass(frozen=True)
class Aside:
    """One modality of one subject and session that the cohort leaves out on purpose.

    Attributes:
        where: the case's id, whether or not there is such a case.
        subject: whose it is.
        session: None where the cohort has no time points.
        modality: that is left out.
        status: never acquired, excluded or outside the time window.
        reason: by which rule.
    """

    where: str
    subject: str
    session: str | None
    modality: str
    status: Status
    reason: str


@dataclass(frozen=True)
class Cohort:
    """Cases and what each owns on disk.

    Attributes:
        name: as the study names it.
        classes: of the label, (negative, positive) where there are two; empty where the cohort
            is read without labels.
        positive: the class that sensitivity is about; None with K > 2 classes.
        kinds: modality -> kind of its items, in natural order.
        cases: ascending by id.
        faults: what was left out, and why.
        tables: the files it was read from, items apart.
        asides: what is left out on purpose.
        bare: cases that own nothing that can be read; ascending by id.
        rule: how a case got its label, in a sentence; empty where it has none.
        notes: what else is worth reading of it, in sentences, and costs no case.

    Raises:
        DataError: two cases share an id, or a case owns nothing.
    """

    name: str
    classes: tuple[str, ...]
    positive: str | None
    kinds: Mapping[str, ItemKind]
    cases: tuple[Case, ...] = field(repr=False)
    faults: tuple[Fault, ...] = field(default=(), repr=False)
    tables: tuple[Path, ...] = field(default=(), repr=False)
    asides: tuple[Aside, ...] = field(default=(), repr=False)
    bare: tuple[Case, ...] = field(default=(), repr=False)
    rule: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ids = [case.id for case in self.cases]
        if ids != sorted(set(ids)):
            raise DataError(f"cohort {self.name}: case ids must be unique and ascending")
        empty = [case.id for case in self.cases if not case.sources]
        if empty:
            raise DataError(f"cohort {self.name}: case {empty[0]} owns nothing; leave it out")

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities the cohort was read for, in natural order; some may have no item."""
        return tuple(self.kinds)

    def owned(self) -> pd.DataFrame:
        """Boolean (cases x modalities), index `case_id`: what each case has on disk."""
        rows = [[name in case.sources for name in self.modalities] for case in self.cases]
        return pd.DataFrame(rows, index=self._index(), columns=list(self.modalities), dtype=bool)

    def items(self) -> Iterator[tuple[str, str, tuple[Source, ...]]]:
        """Case, modality and what the case owns of it."""
        for case in self.cases:
            for name, items in case.sources.items():
                yield case.id, name, items

    def covariates(self) -> pd.DataFrame:
        """What is recorded about each case, index `case_id`; `site` is one of the columns."""
        rows = [{"site": case.site, **case.covariates} for case in self.cases]
        return pd.DataFrame(rows, index=self._index())

    def labels(self) -> pd.Series:
        """Class index per case, `UNLABELLED` where unknown."""
        values = [case.label for case in self.cases]
        return pd.Series(values, index=self._index(), name="label", dtype="int64")

    def subjects(self) -> pd.Series:
        """Subject per case."""
        values = [case.subject for case in self.cases]
        return pd.Series(values, index=self._index(), name="subject_id", dtype=object)

    def beside(self, name: str, other: str | None) -> dict[Source, Source]:
        """Every source of a modality -> the first of another one in the same case, where it is."""
        if other is None:
            return {}
        return {
            source: case.sources[other][0]
            for case in self.cases
            if other in case.sources
            for source in case.sources.get(name, ())
        }

    def unreadable(self, reasons: Mapping[Source, str]) -> dict[tuple[str, Source], str]:
        """Sources that nobody can read, under every modality that they are items of."""
        return {
            (name, item): reasons[item]
            for _, name, items in self.items()
            for item in items
            if item in reasons
        }

    def without(self, refused: Mapping[tuple[str, Source], str]) -> Cohort:
        """The cohort after these items turned out to be of no use.

        A case left with nothing goes. Every item, and every case that goes, becomes a fault.

        Args:
            refused: (modality, source) -> why.
        """
        faults = list(self.faults)
        cases: list[Case] = []
        bare = list(self.bare)
        for case in self.cases:
            kept = {}
            for name, items in case.sources.items():
                bad = [item for item in items if (name, item) in refused]
                faults += dict.fromkeys(Fault(case.id, name, refused[name, item]) for item in bad)
                if len(bad) < len(items):
                    kept[name] = tuple(item for item in items if (name, item) not in refused)
            if kept:
                cases.append(replace(case, sources=MappingProxyType(kept)))
            else:
                faults.append(Fault(case.id, None, "nothing of it can be read; left out"))
                bare.append(replace(case, sources=MappingProxyType({})))
        return replace(
            self,
            cases=tuple(cases),
            faults=tuple(faults),
            bare=tuple(sorted(bare, key=lambda case: case.id)),
        )

    def with_faults(self, faults: Iterable[Fault]) -> Cohort:
        """The cohort with further faults, none of which costs a case."""
        return replace(self, faults=(*self.faults, *faults))

    def with_notes(self, notes: Iterable[str]) -> Cohort:
        """The cohort with further sentences that cost no case."""
        return replace(self, notes=(*self.notes, *notes))

    def only(self, modalities: Iterable[str]) -> Cohort:
        """The cohort of a study that uses these modalities alone.

        A case that owns none of them goes.

        Raises:
            DataError: the cohort has no such modality.
        """
        chosen = set(modalities)
        unknown = natural_sorted(chosen - set(self.kinds))
        if unknown:
            raise DataError(
                f"cohort {self.name}: has no modality {unknown[0]!r} ({', '.join(self.modalities)})"
            )
        cases: list[Case] = []
        bare = list(self.bare)
        for case in self.cases:
            kept = {name: items for name, items in case.sources.items() if name in chosen}
            narrowed = replace(case, sources=MappingProxyType(kept))
            (cases if kept else bare).append(narrowed)
        kinds = {name: kind for name, kind in self.kinds.items() if name in chosen}
        faults = [fault for fault in self.faults if fault.modality in {None, *chosen}]
        return replace(
            self,
            cases=tuple(cases),
            kinds=MappingProxyType(kinds),
            faults=tuple(faults),
            asides=tuple(aside for aside in self.asides if aside.modality in chosen),
            bare=tuple(sorted(bare, key=lambda case: case.id)),
        )

    def _index(self) -> pd.Index:
        return pd.Index([case.id for case in self.cases], name="case_id", dtype=object)


def require_classes(cohort: Cohort) -> None:
    """Raise unless every class of a labelled cohort has a case.

    Raises:
        DataError: a class has none; all cases of one class are no study.
    """
    if not cohort.classes:
        return
    counts = cohort.labels().value_counts()
    lacking = [name for index, name in enumerate(cohort.classes) if not counts.get(index)]
    if lacking:
        present = [name for name in cohort.classes if name not in lacking]
        raise DataError(
            f"cohort {cohort.name}: no case of class {', '.join(lacking)}; all {len(cohort.cases)} "
            f"cases are {' or '.join(present) or 'unlabelled'}; a classifier needs every class"
        )


def require_modalities(cohort: Cohort, names: Iterable[str]) -> None:
    """Raise unless each modality is owned by some case.

    Raises:
        NothingReadable: the cohort has no case at all.
        DataError: one line per modality that nobody owns.
    """
    if not cohort.cases:
        first = f"; the first: {cohort.faults[0]}" if cohort.faults else ""
        raise NothingReadable(
            f"cohort {cohort.name}: nothing can be read ({len(cohort.faults)} faults{first})"
        )
    owners = cohort.owned().sum()
    nobody = [name for name in natural_sorted(set(names)) if not owners.get(name, 0)]
    if nobody:
        raise DataError(
            join(
                f"cohort {cohort.name}: no case owns {name}; leave it out of the study, or say "
                "where its files are"
                for name in nobody
            )
        )
