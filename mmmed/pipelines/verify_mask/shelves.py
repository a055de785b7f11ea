"""A cohort read and prepared from the beginning with some scans poisoned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from mmmed.cohorts.cohort import Case, Cohort
from mmmed.cohorts.dicom import read_dicom
from mmmed.cohorts.dicom_cohort import DicomCohort
from mmmed.errors import DataError
from mmmed.pipelines.materialise import read_folder
from mmmed.pipelines.preparation import stock
from mmmed.pipelines.resolve import Resolved
from mmmed.pipelines.verify_mask.findings import Fault
from mmmed.pipelines.verify_mask.poison import (
    Item,
    Kitchen,
    Poisons,
    array_digest,
    changes,
)
from mmmed.pipelines.verify_mask.shadow import Shadow, cast
from mmmed.progress import Listener
from mmmed.readers.source import Source
from mmmed.training.shelf import Shelf

Read = Callable[[Path], Cohort]


@dataclass(frozen=True)
class Poisoned:
    """What the repeated reading and preparation left.

    Attributes:
        shelf: the items of the cases, poisoned ones among them; None where the cases are others.
        faults: where reading or preparation depended on what is hidden, or went round the poison.
    """

    shelf: Shelf | None
    faults: tuple[Fault, ...]


def reader(resolved: Resolved, *, jobs: int, listener: Listener) -> Read:
    """Reads the cohort of a study in another folder."""
    reading, name = resolved.cohort.reading, resolved.cohort.found.name

    def read(root: Path) -> Cohort:
        rooted = reading.model_copy(update={"root": root})
        if isinstance(rooted, DicomCohort):
            found = read_dicom(rooted, name, suv=resolved.suv, jobs=jobs, listener=listener)
        else:
            found = read_folder(rooted, name, jobs=jobs, listener=listener)
        return found.only(resolved.chains)

    return read


def poisoned(
    kitchen: Kitchen,
    read: Read,
    poisons: Poisons,
    *,
    raw: Cohort,
    hidden: Iterable[Item],
    clean: Mapping[Item, str],
    name: str,
) -> Poisoned:
    """The shelf of a cohort in which the hidden scans are poisoned.

    Args:
        kitchen: the cohort as it is, and where to work.
        read: reads the cohort in a folder.
        poisons: what stands for which scan.
        raw: the cohort as read from its own folder, before preparation.
        hidden: what is poisoned, as far as there is poison for it.
        clean: item -> digest of its array as it is.
        name: of the folder of the shadow.
    """
    chosen = [item for item in hidden if item in poisons]
    shadow = Shadow(kitchen.root, kitchen.scratch / "shadows" / name)
    cast(shadow, changes(poisons, chosen))
    try:
        cohort = read(shadow.place)
        faults = _misread(raw, cohort, shadow)
        exchanged = {item: poisons[item].stand_in for item in chosen}
        stocked = stock(
            _exchanged(cohort, {i: s for i, s in exchanged.items() if s is not None}, shadow),
            kitchen.chains,
            cache=kitchen.cache,
            jobs=kitchen.jobs,
            report=kitchen.report,
        )
    except DataError as error:
        text = f"cannot be read with hidden scans replaced: {error}"
        return Poisoned(None, (Fault("reading", text),))
    same = _untouched(stocked.shelf, chosen, exchanged, shadow, clean)
    found = (*faults, *_lost(kitchen.stocked.shelf, stocked.shelf), *same)
    whole = not any(fault.case for fault in found)
    return Poisoned(stocked.shelf if whole else None, found)


def _misread(raw: Cohort, cohort: Cohort, shadow: Shadow) -> list[Fault]:
    """What reading made of the same files otherwise, because hidden ones have other content."""
    before, after = (
        {case.id: _told(case, place) for case in one.cases}
        for one, place in ((raw, shadow), (cohort, None))
    )
    return [
        Fault("reading", "the cohort is read otherwise when hidden scans are replaced", case=case)
        for case in sorted(before.keys() | after.keys())
        if before.get(case) != after.get(case)
    ]


def _told(case: Case, shadow: Shadow | None) -> tuple[object, ...]:
    """What reading says of a case beside its covariates, which tables of vectors may hold."""
    sources = {
        name: tuple(shadow.source(one) if shadow else one for one in items)
        for name, items in case.sources.items()
    }
    return case.subject, case.session, case.label, case.part, sources


def _exchanged(cohort: Cohort, stand_ins: Mapping[Item, Source], shadow: Shadow) -> Cohort:
    """The cohort with sources exchanged where files could not be."""
    if not stand_ins:
        return cohort
    others = {(name, shadow.source(one)): other for (name, one), other in stand_ins.items()}
    cases = [
        replace(
            case,
            sources=MappingProxyType(
                {
                    name: tuple(others.get((name, one), one) for one in items)
                    for name, items in case.sources.items()
                }
            ),
        )
        for case in cohort.cases
    ]
    return replace(cohort, cases=tuple(cases))


def _lost(before: Shelf, after: Shelf) -> list[Fault]:
    """Cases of which something else can be used when hidden scans are replaced."""
    return [
        Fault("preparation", "owns something else when hidden scans are replaced", case=case)
        for case in before.items
        if case not in after.items or before.owned(case) != after.owned(case)
    ]


def _untouched(
    shelf: Shelf,
    chosen: Iterable[Item],
    exchanged: Mapping[Item, Source | None],
    shadow: Shadow,
    clean: Mapping[Item, str],
) -> list[Fault]:
    """Poison that changed nothing: whoever prepared the scan did not read what is there."""
    ready = {
        (name, one.source): one
        for mine in shelf.items.values()
        for name, items in mine.items()
        for one in items
    }
    faults = []
    for item in chosen:
        modality, source = item
        found = ready.get((modality, exchanged[item] or shadow.source(source)))
        if found is None:
            faults.append(Fault("preparation", f"{modality} {source.shown}: replaced, and refused"))
        elif array_digest(found) == clean[item]:
            text = f"{modality} {source.shown}: replaced, and prepared as if it were not"
            faults.append(Fault("preparation", text))
    return faults
