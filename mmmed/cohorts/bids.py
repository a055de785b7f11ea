"""Cohorts kept as BIDS folders.

Cases come from the directories `sub-*/[ses-*/]`, not from tables. What is known about them comes
from `participants.tsv`, overridden by `sub-*/sub-*_sessions.tsv`; clinical variables come from
`phenotype/*.tsv`. Several runs are several items of one modality of one case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mmmed.cohorts.assembly import Columns, ModalityName, Row, assemble
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.label import Label
from mmmed.cohorts.phenotype import Phenotype, read_phenotype
from mmmed.config import Spec
from mmmed.errors import DataError, NothingReadable, StudyError
from mmmed.readers import entities
from mmmed.readers.entities import VOLUME_ENDINGS, Entities
from mmmed.readers.source import Source
from mmmed.readers.vectors import MISSING, read_table

IGNORED = (".", "Thumbs.db")
"""Beginnings of names that file managers leave behind: `._*`, `.DS_Store`."""


class BidsVolumes(Spec):
    """A modality whose items are volumes.

    Attributes:
        datatype: the folder: `anat`, `pet`.
        suffix: the last part of the name: `T1w`, `pet`.
        entities: what else the name must say (`trc: 18FFDG`); null for what it must not hold.
    """

    kind: Literal["volume"]
    datatype: str
    suffix: str
    entities: dict[str, str | None] = Field(default_factory=dict)


class BidsVectors(Spec):
    """A modality whose item is the row of a phenotype table.

    Attributes:
        table: the name of `phenotype/<table>.tsv`.
        columns: what makes the vector; empty for every column but the ids.
    """

    kind: Literal["vector"]
    table: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    columns: tuple[str, ...] = ()


BidsModality = Annotated[BidsVolumes | BidsVectors, Field(discriminator="kind")]


class BidsCohort(Spec):
    """A BIDS folder and which of its files are which modality.

    Attributes:
        root: the folder; a study or a command names it.
        modalities: name -> where its items are.
        label: the diagnosis; None reads every case unlabelled.
        positive: the positive class; the second of two where it is not named.
        site: column of the site.
        part: column of the cohort's own split.
        covariates: columns recorded with each case; empty for all.
    """

    kind: Literal["bids"]
    root: Path | None = None
    modalities: Annotated[dict[ModalityName, BidsModality], Field(min_length=1)]
    label: Label | None = None
    positive: str | None = None
    site: str = "site"
    part: str = "part"
    covariates: tuple[str, ...] = ()


def read_bids(spec: BidsCohort, name: str) -> Cohort:
    """The cohort in a BIDS folder; files are found by name, none is opened but tables.

    Raises:
        StudyError: the spec names no root.
        NothingReadable: there is no such folder, no `sub-*` in it, or no case is left.
        DataError: a table is missing or broken, a label is outside the classes, a class is empty.
    """
    root = _root(spec, name)
    faults: list[Fault] = []
    people = _people(root, spec.label, faults)
    phenotypes = {
        modality: read_phenotype(root / "phenotype" / f"{one.table}.tsv", columns=one.columns)
        for modality, one in spec.modalities.items()
        if isinstance(one, BidsVectors)
    }
    rows: list[Row] = []
    for folder in _subjects(root):
        try:
            rows += list(_rows(folder, spec, people.get(folder.name, {}), phenotypes, faults))
        except OSError as error:
            reason = f"its folder cannot be read ({error.strerror}); left out"
            faults.append(Fault(folder.name, None, reason))
    faults += _without_files(people, rows)
    return assemble(
        rows,
        name=name,
        kinds={modality: one.kind for modality, one in spec.modalities.items()},
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
        tables=_tables(root, phenotypes),
    )


def _root(spec: BidsCohort, name: str) -> Path:
    if spec.root is None:
        raise StudyError(f"cohort {name}: name the folder of its files: --set cohort.root=DIR")
    if not spec.root.is_dir():
        raise NothingReadable(f"{spec.root}: is no folder; name a BIDS folder")
    try:
        if not any(_subjects(spec.root)):
            raise NothingReadable(f"{spec.root}: holds no sub-* folder; name a BIDS folder")
    except OSError as error:
        raise NothingReadable(f"{spec.root}: cannot be read ({error.strerror})") from error
    return spec.root


def _tables(root: Path, phenotypes: Mapping[str, Phenotype]) -> list[Path]:
    """The tables that say something of the cases, and can be read."""
    known = [one.path for one in phenotypes.values()]
    tables = [root / "participants.tsv", *sorted(root.glob("sub-*/sub-*_sessions.tsv")), *known]
    return [path for path in dict.fromkeys(tables) if path.is_file() and os.access(path, os.R_OK)]


def _subjects(root: Path) -> Iterator[Path]:
    return (path for path in _listed(root) if path.name.startswith("sub-") and path.is_dir())


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith(IGNORED))


def _people(root: Path, label: Label | None, faults: list[Fault]) -> dict[str, dict[str, str]]:
    """participants.tsv by id; whoever stands in it twice is a fault and is left out."""
    path = root / "participants.tsv"
    if not path.exists():
        if label:
            raise DataError(f"{path}: is not there; it must hold the labels ({label.column})")
        return {}
    table = read_table(path)
    if "participant_id" not in table.columns:
        raise DataError(f"{path}: the column 'participant_id' is missing")
    people: dict[str, dict[str, str]] = {}
    twice: set[str] = set()
    for cells in table.to_dict(orient="records"):
        one = str(cells["participant_id"])
        if one in people:
            faults.append(Fault(one, None, "stands twice in participants.tsv; keep one row"))
            twice.add(one)
        people[one] = {str(key): str(value) for key, value in cells.items()}
    return {one: cells for one, cells in people.items() if one not in twice}


def _without_files(people: Mapping[str, object], rows: list[Row]) -> list[Fault]:
    found = {row.subject for row in rows if row.sources}
    return [
        Fault(one, None, "is in participants.tsv but owns no file of the study's modalities")
        for one in people
        if one not in found
    ]


def _rows(
    folder: Path,
    spec: BidsCohort,
    person: Mapping[str, str],
    phenotypes: Mapping[str, Phenotype],
    faults: list[Fault],
) -> Iterator[Row]:
    """The cases of one subject: its sessions, or itself where it has none."""
    subject = folder.name
    sessions = [path for path in _listed(folder) if path.name.startswith("ses-") and path.is_dir()]
    visits = _visits(folder, faults)
    places: list[tuple[str | None, Path]] = [(path.name, path) for path in sessions]
    for session, place in places or [(None, folder)]:
        case = subject if session is None else f"{subject}_{session}"
        sources: dict[str, tuple[Source, ...]] = {}
        for modality, one in spec.modalities.items():
            if isinstance(one, BidsVectors):
                items = phenotypes[modality].item(case, subject, session, modality, faults)
            else:
                items = _volumes(place / one.datatype, one, modality, case, faults)
            if items:
                sources[modality] = items
        cells = {**person, **visits.get(session or "", {})}
        yield Row(id=case, subject=subject, session=session, cells=cells, sources=sources)


def _visits(folder: Path, faults: list[Fault]) -> dict[str, dict[str, str]]:
    """`sub-X_sessions.tsv` by session id; `n/a` does not override participants.tsv."""
    path = folder / f"{folder.name}_sessions.tsv"
    if not path.exists():
        return {}
    try:
        table = read_table(path)
    except DataError as error:
        faults.append(Fault(folder.name, None, str(error)))
        return {}
    return {
        str(cells.get("session_id")): {
            str(key): str(value) for key, value in cells.items() if value not in MISSING
        }
        for cells in table.to_dict(orient="records")
    }


def _volumes(
    folder: Path, modality: BidsVolumes, name: str, case: str, faults: list[Fault]
) -> tuple[Source, ...]:
    """The volumes of one modality of one case; two files for one item are refused both."""
    found: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for path in _listed(folder):
        parsed = _matching(path, modality)
        if parsed is None:
            continue
        if parsed.case != case:
            faults.append(Fault(case, name, f"{path.name} is named for {parsed.case}; left out"))
            continue
        found.setdefault(tuple(sorted(parsed.others.items())), []).append(path)
    for paths in found.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            faults.append(Fault(case, name, f"two files for one item: {names}; keep one"))
    return tuple(Source(paths[0]) for _, paths in sorted(found.items()) if len(paths) == 1)


def _matching(path: Path, modality: BidsVolumes) -> Entities | None:
    if not path.name.endswith(VOLUME_ENDINGS):
        return None
    try:
        parsed = entities.parse(path.name)
    except DataError:
        return None
    fits = parsed.suffix == modality.suffix and all(
        parsed.others.get(key) == label for key, label in modality.entities.items()
    )
    return parsed if fits else None
