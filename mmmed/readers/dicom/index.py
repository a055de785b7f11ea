"""Every file of a folder: the series it makes, or why it was set aside.

series   the files that share a Study and a Series Instance UID, sorted by path
index    all series and all that was set aside; the same for any number of processes

Only headers are read. Nothing is lost on the way: each file is part of one series, or of one line
of what was set aside; a DICOMDIR has a second one where it lists files that are not there.
"""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from joblib import Parallel, delayed

from mmmed.errors import NothingReadable
from mmmed.progress import Progress, unheard
from mmmed.readers.dicom import directory
from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.copies import without_copies
from mmmed.readers.dicom.folder import Listing, list_files
from mmmed.readers.dicom.header import PATIENT_ID_ISSUER, Header
from mmmed.readers.dicom.line import shown_path
from mmmed.readers.dicom.reading import read_header
from mmmed.readers.dicom.tag import name_of

CHUNK = 256
"""Files that a process reads before it reports."""

WORTH_WORKERS = 8192
"""Files from which processes are started: a second of work."""


@dataclass(frozen=True)
class Series:
    """Files that share a Study and a Series Instance UID.

    Attributes:
        root: the folder that was read.
        headers: one per file, sorted by path.
    """

    root: Path
    headers: tuple[Header, ...]

    @property
    def study(self) -> str:
        """Study Instance UID."""
        return self.headers[0].study

    @property
    def uid(self) -> str:
        """Series Instance UID."""
        return self.headers[0].series

    @property
    def modality(self) -> str:
        """As its first file says."""
        return self.headers[0].modality

    @property
    def description(self) -> str:
        """As its first file says; one printable line."""
        return self.headers[0].description

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where its files are."""
        return tuple(self.root / one.path for one in self.headers)


@dataclass(frozen=True)
class Index:
    """What a folder holds.

    Attributes:
        series: by study, number and UID.
        aside: by path.
    """

    series: tuple[Series, ...]
    aside: tuple[Aside, ...]


def read_index(root: Path, *, jobs: int = 1, progress: Progress | None = None) -> Index:
    """The series of a folder in any nesting, or of one file, and what was set aside.

    Args:
        root: a folder, or a file.
        jobs: processes that may read.
        progress: called with (files done, files).

    Raises:
        NothingReadable: there is no such folder or file, or it is closed.
    """
    whole = _is_folder(root)
    folder = root if whole else root.parent
    listing = list_files(root) if whole else Listing([root.name])
    headers: list[Header] = []
    aside = listing.aside
    directories = []
    every = _read(folder, listing.files, jobs=jobs, progress=progress or unheard)
    for path, one in zip(listing.files, every, strict=True):
        if isinstance(one, Header):
            headers.append(one)
            continue
        aside.append(one)
        if one.sop_class == directory.CLASS:
            directories.append(path)
    if whole:
        aside += directory.not_there(folder, listing.files, directories=directories)
    kept, copies = without_copies(folder, headers)
    mixed = _with_two_patients(kept)
    groups = _grouped(_with_issuers(kept))
    aside += [
        *copies,
        *(_refused(group, mixed[group[0].study]) for group in groups if group[0].study in mixed),
    ]
    good = (Series(folder, tuple(group)) for group in groups if group[0].study not in mixed)
    return Index(
        series=tuple(sorted(good, key=_order)),
        aside=tuple(sorted(aside, key=lambda one: (one.path, one.code))),
    )


def _is_folder(root: Path) -> bool:
    try:
        return stat.S_ISDIR(root.stat().st_mode)
    except FileNotFoundError as error:
        raise NothingReadable(f"{root}: is not there; name a folder of DICOM files") from error
    except OSError as error:
        raise NothingReadable(f"{root}: cannot be read ({error.strerror})") from error


def _read(
    root: Path, files: Sequence[str], *, jobs: int, progress: Progress
) -> Iterator[Header | Aside]:
    chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
    workers = jobs if len(files) > WORTH_WORKERS else 1
    done = 0
    for found in Parallel(n_jobs=workers, return_as="generator")(
        delayed(_read_chunk)(root, chunk) for chunk in chunks
    ):
        yield from found
        done += len(found)
        progress(done, len(files))


def _read_chunk(root: Path, files: Sequence[str]) -> list[Header | Aside]:
    return [read_header(root, path) for path in files]


def _grouped(headers: Iterable[Header]) -> list[list[Header]]:
    groups: dict[tuple[str, str], list[Header]] = defaultdict(list)
    for one in headers:
        groups[one.study, one.series].append(one)
    return [sorted(group, key=lambda one: one.path) for group in groups.values()]


def _with_two_patients(headers: Iterable[Header]) -> dict[str, str]:
    """Studies whose files are of more than one patient, and what says so."""
    patients: dict[str, set[str]] = defaultdict(set)
    issued: dict[str, set[str]] = defaultdict(set)
    for one in headers:
        if one.patient:
            patients[one.study].add(one.patient)
        if one.identity != one.patient:
            issued[one.study].add(one.identity)
    issuers = f"different values of {name_of(PATIENT_ID_ISSUER)} to one Patient ID"
    return {
        **{study: f"{len(one)} {issuers}" for study, one in issued.items() if len(one) > 1},
        **{
            study: f"{len(one)} different Patient IDs"
            for study, one in patients.items()
            if len(one) > 1
        },
    }


def _with_issuers(headers: Iterable[Header]) -> list[Header]:
    """The headers; an issuer that one file of a study states holds for all of its Patient ID."""
    kept = list(headers)
    known = {(one.study, one.patient): one.identity for one in kept if one.identity != one.patient}
    return [_identified(one, known.get((one.study, one.patient), one.identity)) for one in kept]


def _identified(one: Header, identity: str) -> Header:
    return one if one.identity == identity else replace(one, identity=identity)


def _refused(group: Sequence[Header], patients: str) -> Aside:
    first = group[0]
    files = "1 file" if len(group) == 1 else f"{len(group)} files"
    return Aside(
        path=shown_path(first.path),
        verdict="refused",
        code="several-patients",
        text=f"its DICOM Study gives {patients}, so whose scan it is is unknown; "
        f"{files}: correct the IDs at the source",
        sop_class=first.sop_class,
        study=first.study,
        series=first.series,
        modality=first.modality,
    )


def _order(series: Series) -> tuple[str, str, int, str]:
    first = series.headers[0]
    return (first.date, first.study, first.number if first.number is not None else -1, first.series)
