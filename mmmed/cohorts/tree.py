"""Cohorts kept as a folder per subject and, below it, per session.

place  the folder of one case: `sub-01/ses-M000`, or `sub-01` where a subject has no sessions

Cases come from folders, not from tables. What is known of them comes from `participants.tsv`,
`sub-*/sub-*_sessions.tsv` and the tables that the YAML maps.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from mmmed.cohorts.acquired import day_of_label, scan_days
from mmmed.cohorts.assembly import Row, assemble
from mmmed.cohorts.availability import STATED, compared, read_availability
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.follow_up import known_only
from mmmed.cohorts.mapped import read_mapped
from mmmed.cohorts.pairing import Pairing, paired
from mmmed.cohorts.people import PEOPLE, read_people, read_sessions
from mmmed.cohorts.place import Place, places_of, subjects
from mmmed.cohorts.recorded import Recorded
from mmmed.cohorts.register import Register
from mmmed.cohorts.visit import subject_key
from mmmed.config import nearest
from mmmed.errors import DataError, StudyError
from mmmed.modality import ItemKind
from mmmed.readers.source import Source


class Tree(Recorded):
    """What cohorts of folders have in common.

    Attributes:
        pairing: by which dates scans of several sessions make one case; None where a session is
            one.
        missing_mods: folder of Clinica's `missing_mods_<session>.tsv`, below the root or absolute,
            where it is there: tells scans that were never acquired from those that are lost.
    """

    pairing: Pairing | None = None
    missing_mods: str = STATED


Items = Mapping[str, tuple[Source, ...]]
Find = Callable[[Place, list[Fault]], Items]
"""What a case owns, and the faults of its files."""


def read_tree(
    spec: Tree,
    name: str,
    *,
    root: Path,
    below: str,
    kinds: Mapping[str, ItemKind],
    find: Find,
    called: Mapping[str, Sequence[str]],
    tables: Iterable[Path] = (),
) -> Cohort:
    """The cohort in a folder of subjects; files are found by name, none is opened but tables.

    Args:
        spec: labels, tables, visits, pairing.
        name: of the cohort.
        root: where tables lie.
        below: the folder of the subjects, under the root.
        kinds: modality -> kind of its items.
        find: what a case owns.
        called: modality -> what Clinica's tables may call it.
        tables: further tables that say something of the cases.

    Raises:
        StudyError: the anchor of the pairing is no modality.
        NothingReadable: no case is left.
        DataError: a table is missing or broken, a label is outside the classes, a class is empty.
    """
    if spec.pairing is not None and spec.pairing.anchor not in kinds:
        anchor = spec.pairing.anchor
        raise StudyError(
            f"cohort {name}: pairing.anchor: {anchor!r} is no modality{nearest(anchor, kinds)}"
        )
    faults: list[Fault] = []
    register, people = _register(root, below, spec, faults)
    rows: list[Row] = []
    for folder in subjects(root / below):
        try:
            rows += list(_rows(folder, register, find, faults))
        except OSError as error:
            reason = f"its folder cannot be read ({error.strerror}); left out"
            faults.append(Fault(folder.name, None, reason))
    faults += _without_files(people, rows)
    rows += known_only(register, rows)
    stated = read_availability(root / spec.missing_mods)
    known, contradicted = compared(rows, stated, called)
    faults += contradicted
    if spec.pairing is not None:
        rows, moved = paired(rows, spec.pairing, root=root / below)
        known += moved
    return assemble(
        rows,
        name=name,
        kinds=kinds,
        label=spec.label,
        positive=spec.positive,
        columns=spec.columns("participant_id", "session_id"),
        faults=faults,
        tables=[
            path
            for path in dict.fromkeys([*register.files, *stated.files, *tables])
            if path.is_file() and os.access(path, os.R_OK)
        ],
        visits=spec.visits,
        asides=known,
    )


def _register(
    root: Path, below: str, spec: Tree, faults: list[Fault]
) -> tuple[Register, dict[str, str]]:
    """What tables say, and the subjects of participants.tsv as it writes them, by key."""
    register, path = Register(spec.label.column if spec.label else None), root / PEOPLE
    people: dict[str, str] = {}
    if path.exists():
        people = read_people(path, register, spec.label, faults)
    elif spec.label and not spec.tables:
        raise DataError(f"{path}: is not there; it must hold the labels ({spec.label.column})")
    folders = list(subjects(root / below))
    for folder in folders:
        read_sessions(folder, register, spec.label, faults)
    names = [subject_key(folder.name) for folder in folders]
    read_mapped(spec.tables, root, register, label=spec.label, faults=faults, folders=names)
    return register, people


def _without_files(people: Mapping[str, str], rows: list[Row]) -> list[Fault]:
    found = {subject_key(row.subject) for row in rows if row.sources}
    return [
        Fault(one, None, "is in participants.tsv but owns no file of the study's modalities")
        for key, one in people.items()
        if key not in found
    ]


def _rows(folder: Path, register: Register, find: Find, faults: list[Fault]) -> Iterator[Row]:
    """The visits of one subject: its sessions, or itself where it has none."""
    for place in places_of(folder, faults):
        day = _day(place, register)
        yield Row(
            id=place.case,
            subject=place.subject,
            session=place.session,
            cells=register.cells(place.subject, place.session, day),
            sources={name: items for name, items in find(place, faults).items() if items},
            month=register.month(place.subject, place.session),
            day=day,
            unknown=register.unknown(place.subject, place.session, day),
        )


def _day(place: Place, register: Register) -> date | None:
    """When a visit was: by tables of visits, else by its scans, else by its name."""
    visit = register.visit(place.subject, place.session)
    if visit is not None and visit.day is not None:
        return visit.day
    scans = scan_days(place.folder, place.case)
    return min(scans.values(), default=day_of_label(place.session or ""))
