"""Cohorts kept as a folder per subject and, below it, per session.

place  the folder of one case: `sub-01/ses-M000`, or `sub-01` where a subject has no sessions

Cases come from folders, not from tables. What is known of them comes from `participants.tsv`,
`sub-*/sub-*_sessions.tsv` and the tables that the YAML maps.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mmmed.cohorts.assembly import Columns, Row, assemble
from mmmed.cohorts.availability import STATED, compared, read_availability
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.label import Label
from mmmed.cohorts.pairing import Pairing, paired
from mmmed.cohorts.register import MappedTable, Register, Visit, meant, read_mapped, told
from mmmed.cohorts.visit import read_day, session_key, subject_key
from mmmed.config import Spec, nearest
from mmmed.errors import DataError, NothingReadable, StudyError
from mmmed.modality import ItemKind
from mmmed.readers.entities import VOLUME_ENDINGS
from mmmed.readers.source import Source
from mmmed.readers.vectors import read_table

IGNORED = (".", "Thumbs.db")
"""Beginnings of names that file managers leave behind: `._*`, `.DS_Store`."""

PEOPLE = "participants.tsv"


class Tree(Spec):
    """What cohorts of folders have in common.

    Attributes:
        root: the folder; a study or a command names it.
        label: the diagnosis; None reads every case unlabelled.
        positive: the positive class; the second of two where it is not named.
        site: column of the site.
        part: column of the cohort's own split.
        covariates: columns recorded with each case; empty for all.
        tables: further tables of subjects or visits; where two know a cell the first counts.
        visits: whether every session is a case, or each subject's first with anything to show.
        pairing: by which dates scans of several sessions make one case; None where a session is
            one.
        missing_mods: folder of Clinica's `missing_mods_<session>.tsv`, below the root or absolute,
            where it is there: tells scans that were never acquired from those that are lost.
    """

    root: Path | None = None
    label: Label | None = None
    positive: str | None = None
    site: str = "site"
    part: str = "part"
    covariates: tuple[str, ...] = ()
    tables: tuple[MappedTable, ...] = ()
    visits: Literal["all", "baseline"] = "all"
    pairing: Pairing | None = None
    missing_mods: str = STATED


@dataclass(frozen=True)
class Place:
    """The folder of one case."""

    folder: Path
    subject: str
    session: str | None

    @property
    def case(self) -> str:
        """`sub-001_ses-M000` or `sub-001`."""
        return self.subject if self.session is None else f"{self.subject}_{self.session}"


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
    rows += _known_only(register, rows)
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
        columns=Columns(
            site=spec.site,
            part=spec.part,
            covariates=spec.covariates,
            reserved=(
                "participant_id",
                "session_id",
                *((spec.label.column,) if spec.label else ()),
            ),
        ),
        faults=faults,
        tables=[
            path
            for path in dict.fromkeys([*register.files, *stated.files, *tables])
            if path.is_file() and os.access(path, os.R_OK)
        ],
        visits=spec.visits,
        asides=known,
    )


def checked_root(root: Path | None, name: str, *, below: str, what: str) -> Path:
    """The root of a cohort that holds subjects.

    Raises:
        StudyError: none is named.
        NothingReadable: it is no folder, cannot be read, or holds no subject.
    """
    if root is None:
        raise StudyError(f"cohort {name}: name the folder of its files: --set cohort.root=DIR")
    if not root.is_dir():
        raise NothingReadable(f"{root}: is no folder; name a {what} folder")
    try:
        if not any(subjects(root / below)):
            wanted = f"{below}/sub-*".lstrip("./")
            raise NothingReadable(f"{root}: holds no {wanted} folder; name a {what} folder")
    except OSError as error:
        raise NothingReadable(f"{root}: cannot be read ({error.strerror})") from error
    return root


def subjects(folder: Path) -> Iterator[Path]:
    """The folders of subjects, by name."""
    return (path for path in listed(folder) if path.name.startswith("sub-") and path.is_dir())


def listed(folder: Path) -> list[Path]:
    """What lies in a folder, by name, without what file managers leave behind."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith(IGNORED))


def _register(
    root: Path, below: str, spec: Tree, faults: list[Fault]
) -> tuple[Register, dict[str, str]]:
    """What tables say, and the subjects of participants.tsv as it writes them, by key."""
    register = Register(spec.label.column if spec.label else None)
    people = _people(root / PEOPLE, register, spec, faults)
    for folder in subjects(root / below):
        _sessions(folder, register, spec.label, faults)
    read_mapped(spec.tables, root, register, label=spec.label, faults=faults)
    return register, people


def _people(path: Path, register: Register, spec: Tree, faults: list[Fault]) -> dict[str, str]:
    """Whoever stands in the table twice is a fault and is left out."""
    if not path.exists():
        if spec.label and not spec.tables:
            raise DataError(f"{path}: is not there; it must hold the labels ({spec.label.column})")
        return {}
    table = read_table(path)
    if "participant_id" not in table.columns:
        raise DataError(f"{path}: the column 'participant_id' is missing")
    register.files.append(path)
    written: dict[str, str] = {}
    for row in table.to_dict(orient="records"):
        cells = {str(column): str(text) for column, text in row.items()}
        one = cells["participant_id"]
        key = subject_key(one)
        if key in written:
            faults.append(Fault(one, None, f"stands twice in {path.name}; keep one row"))
            register.contradicted.add((key, None))
            register.people.pop(key, None)
        register.add_person(one, meant(cells, spec.label))
        written[key] = one
    return written


def _sessions(folder: Path, register: Register, label: Label | None, faults: list[Fault]) -> None:
    """`sub-X_sessions.tsv`; `n/a` does not override participants.tsv."""
    path = folder / f"{folder.name}_sessions.tsv"
    if not path.exists():
        return
    try:
        table = read_table(path)
        if "session_id" not in table.columns:
            raise DataError(f"{path}: the column 'session_id' is missing")  # noqa: TRY301 - as read
    except DataError as error:
        faults.append(Fault(folder.name, None, str(error)))
        return
    register.files.append(path)
    for row in table.to_dict(orient="records"):
        cells = meant(told(row), label)
        key = session_key(cells.pop("session_id", ""))
        day = None
        if "acq_time" in cells:
            try:
                day = read_day(cells["acq_time"])
            except DataError as error:
                faults.append(Fault(folder.name, None, f"{path.name} acq_time: {error}"))
        column = register.add_visit(folder.name, Visit(key, cells, day=day))
        if column is not None:
            where = f"{folder.name}_ses-{key}"
            reason = f"two rows of {path.name} differ in {column}; keep one"
            faults.append(Fault(where, None, reason))


def _without_files(people: Mapping[str, str], rows: list[Row]) -> list[Fault]:
    found = {subject_key(row.subject) for row in rows if row.sources}
    return [
        Fault(one, None, "is in participants.tsv but owns no file of the study's modalities")
        for key, one in people.items()
        if key not in found
    ]


def _rows(folder: Path, register: Register, find: Find, faults: list[Fault]) -> Iterator[Row]:
    """The visits of one subject: its sessions, or itself where it has none."""
    for place in _places(folder, faults):
        visit = register.visit(place.subject, place.session)
        yield Row(
            id=place.case,
            subject=place.subject,
            session=place.session,
            cells=register.cells(place.subject, place.session),
            sources={name: items for name, items in find(place, faults).items() if items},
            month=register.month(place.subject, place.session),
            day=visit.day if visit else None,
        )


def _places(folder: Path, faults: list[Fault]) -> list[Place]:
    """Session folders, or the subject's own; two names for one session are refused both."""
    sessions = [path for path in listed(folder) if path.name.startswith("ses-") and path.is_dir()]
    if not sessions:
        return [Place(folder, folder.name, None)]
    for path in listed(folder):
        if path not in sessions and any(one.name.endswith(VOLUME_ENDINGS) for one in listed(path)):
            reason = f"{path.name} stands beside its sessions; move it into one"
            faults.append(Fault(folder.name, None, reason))
    keyed: dict[str, list[Path]] = {}
    for path in sessions:
        keyed.setdefault(session_key(path.name), []).append(path)
    for paths in keyed.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            faults.append(Fault(folder.name, None, f"{names} name one session; keep one"))
    return [
        Place(paths[0], folder.name, paths[0].name) for paths in keyed.values() if len(paths) == 1
    ]


def _known_only(register: Register, rows: list[Row]) -> list[Row]:
    """Visits, and people without any, that only tables know."""
    found = {(subject_key(row.subject), session_key(row.session or "")) for row in rows}
    names = {subject_key(row.subject): row.subject for row in rows}
    rest: list[Row] = []
    for key in dict.fromkeys([*register.people, *register.visits]):
        subject = names.get(key, f"sub-{key}")
        visits = register.visits.get(key, {})
        if not visits and key not in names:
            cells = register.cells(key, None)
            rest.append(Row(subject, subject, None, cells, {}, found=False))
        rest += [
            Row(
                id=f"{subject}_ses-{session}",
                subject=subject,
                session=f"ses-{session}",
                cells=register.cells(key, session),
                sources={},
                month=register.month(key, session),
                day=visit.day,
                found=False,
            )
            for session, visit in visits.items()
            if (key, session) not in found
        ]
    return rest
