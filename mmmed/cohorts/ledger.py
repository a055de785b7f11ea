"""What is there, what is not, and why: the availability ledger of a cohort.

entry  what is said of one modality of one subject at one session
twin   one image that stands under two subjects: one of them is wrongly filed
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from mmmed.cohorts.cohort import (
    NEVER,
    PRESENT,
    STATUSES,
    UNLABELLED,
    UNREADABLE,
    Aside,
    Case,
    Cohort,
    Fault,
    Status,
)
from mmmed.errors import DataError
from mmmed.modality import ItemKind
from mmmed.progress import Progress
from mmmed.readers.image import read_image
from mmmed.readers.nifti import check_header, read_volume
from mmmed.readers.slide.kept import read_tile
from mmmed.readers.source import Source


@dataclass(frozen=True)
class Entry:
    """One cell of the ledger.

    Attributes:
        case: id of the visit, whether or not it is a case of the cohort.
        subject: whose it is.
        session: None where the cohort has no time points.
        label: its class; None where it has none.
        modality: that is asked for.
        status: the answer.
        reason: why; empty for what is present, or of which nothing more is known.
    """

    case: str
    subject: str
    session: str | None
    label: str | None
    modality: str
    status: Status
    reason: str


Depth = Literal["voxels", "headers"]
"""How far files are read: to their end, or of volumes the headers alone."""


def look(
    cohort: Cohort,
    *,
    depth: Depth = "voxels",
    jobs: int = 1,
    progress: Progress | None = None,
) -> Cohort:
    """The cohort after every file was read; what cannot be read becomes a fault.

    So does an image that stands under two subjects, which both keep it; of volumes whose headers
    alone are read that cannot be seen. Vectors were read with their table. Of slides every tile is
    read that was chosen; two of one content were found when they were opened.

    Args:
        cohort: as read from names and tables.
        depth: how far.
        jobs: threads that read.
        progress: called with (files read, files).
    """
    sources = {
        source: cohort.kinds[name]
        for case in cohort.cases
        for name, items in case.sources.items()
        if cohort.kinds[name] != "vector"
        for source in items
    }
    reading = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")
    refused: dict[Source, str] = {}
    contents: dict[Source, str] = {}
    answers = reading(delayed(_read)(source, kind, depth) for source, kind in sources.items())
    for done, (source, (content, reason)) in enumerate(zip(sources, answers, strict=True), start=1):
        if reason is not None:
            refused[source] = reason
        elif content is not None:
            contents[source] = content
        if progress:
            progress(done, len(sources))
    left = cohort.without(cohort.unreadable(_told_once(refused)))
    return left.with_faults(_twins(left, contents))


def entries(cohort: Cohort) -> list[Entry]:
    """Every subject x session x modality that is known of, by case and modality."""
    asides = {(aside.where, aside.modality): aside for aside in cohort.asides}
    broken: dict[tuple[str, str], str] = {}
    for fault in cohort.faults:
        if fault.modality is not None:
            broken.setdefault((fault.where, fault.modality), fault.reason)
    cases = {case.id: case for case in (*cohort.cases, *cohort.bare)}
    visits = {
        **{where: (where, None) for where, _ in broken},
        **{aside.where: (aside.subject, aside.session) for aside in cohort.asides},
        **{case.id: (case.subject, case.session) for case in cases.values()},
    }
    found = []
    for where, (subject, session) in sorted(visits.items()):
        case = cases.get(where)
        for modality in cohort.modalities:
            status, reason = _answer(case, where, modality, asides, broken)
            label = _class(cohort, case)
            found.append(Entry(where, subject, session, label, modality, status, reason))
    return found


def ledger(cohort: Cohort) -> pd.DataFrame:
    """The answer per visit (index) and modality (columns), the reason behind a colon."""
    cells = [
        (one.case, one.modality, f"{one.status}: {one.reason}" if one.reason else one.status)
        for one in entries(cohort)
    ]
    table = pd.DataFrame(cells, columns=["case", "modality", "status"], dtype=object)
    wide = table.pivot_table(index="case", columns="modality", values="status", aggfunc="first")
    return wide.reindex(columns=list(cohort.modalities))


def counts(cohort: Cohort) -> pd.DataFrame:
    """Visits per modality (rows) and answer (columns)."""
    table = pd.DataFrame(
        [(one.modality, one.status) for one in entries(cohort)], columns=["modality", "status"]
    )
    crossed = pd.crosstab(table["modality"], table["status"])
    return crossed.reindex(index=list(cohort.modalities), columns=list(STATUSES), fill_value=0)


def sentences(cohort: Cohort) -> list[str]:
    """The ledger in words: rule, cases, classes, one line per modality."""
    subjects = cohort.subjects().nunique()
    lines = [f"{cohort.name}: {cohort.rule}"] if cohort.rule else []
    lines.append(f"{cohort.name}: {len(cohort.cases)} cases of {subjects} subjects")
    labels = cohort.labels()
    if cohort.classes:
        shares = [f"{(labels == index).sum()} {name}" for index, name in enumerate(cohort.classes)]
        lines.append(f"classes: {', '.join(shares)}")
    table = counts(cohort)
    for name in table.index:
        always = [f"{table.loc[name, status]} {status}" for status in (PRESENT, NEVER, UNREADABLE)]
        others = [
            f"{table.loc[name, status]} {status}"
            for status in STATUSES
            if status not in (PRESENT, NEVER, UNREADABLE) and table.loc[name, status]
        ]
        lines.append(f"{name}: {', '.join([*always, *others])}")
    return lines


def _answer(
    case: Case | None,
    where: str,
    modality: str,
    asides: Mapping[tuple[str, str], Aside],
    broken: Mapping[tuple[str, str], str],
) -> tuple[Status, str]:
    if case is not None and modality in case.sources:
        return PRESENT, ""
    if (where, modality) in broken:
        return UNREADABLE, broken[where, modality]
    aside = asides.get((where, modality))
    return (aside.status, aside.reason) if aside is not None else (NEVER, "")


def _class(cohort: Cohort, case: Case | None) -> str | None:
    return None if case is None or case.label == UNLABELLED else cohort.classes[case.label]


def _twins(cohort: Cohort, contents: Mapping[Source, str]) -> Iterable[Fault]:
    """A fault for every image that stands under another subject before."""
    first: dict[str, tuple[str, Source]] = {}
    for case in cohort.cases:
        for modality, items in case.sources.items():
            for source in items:
                if source not in contents:
                    continue
                subject, other = first.setdefault(contents[source], (case.subject, source))
                if subject != case.subject:
                    yield Fault(
                        case.id,
                        modality,
                        f"{source.path}: is the same image as {other.path} of {subject}; one of "
                        "the two is wrongly filed",
                    )


def _told_once(refused: Mapping[Source, str]) -> dict[Source, str]:
    """The same reasons; of the tiles of one slide and magnification, the first one's for all."""
    first: dict[tuple[Path, float], str] = {}
    return {
        source: reason
        if source.tile is None
        else first.setdefault((source.path, source.tile.mpp), reason)
        for source, reason in refused.items()
    }


def _read(source: Source, kind: ItemKind, depth: Depth) -> tuple[str | None, str | None]:
    """The digest of an image's values, where they were read, and why it cannot be read."""
    try:
        if kind == "volume" and depth == "headers":
            check_header(source.path)
            return None, None
        if source.tile is not None:
            read_tile(source)
            return None, None
        data = read_image(source.path) if kind == "image" else read_volume(source.path).data
    except DataError as error:
        text = str(error)
        return None, text.replace(str(source.path), source.shown) if source.files else text
    digest = hashlib.sha256(f"{data.shape}".encode())
    digest.update(np.ascontiguousarray(data).data)
    return digest.hexdigest(), None
