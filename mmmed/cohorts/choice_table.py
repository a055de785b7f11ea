"""`choice.tsv`: what became of every series of a folder of DICOM, and why.

A row per series, with the case that it belongs to where it was chosen; and a row per file that is
part of no series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mmmed.cohorts import dicom
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.dicom_cohort import DicomCohort
from mmmed.cohorts.dicom_folder import Looked, look, source_of
from mmmed.cohorts.trial import Trial, rivalled, tried
from mmmed.errors import NothingReadable, StudyError
from mmmed.progress import Listener, Silent
from mmmed.readers.dicom.aside import Aside
from mmmed.readers.dicom.index import Series
from mmmed.readers.dicom.line import shown_path
from mmmed.record import atomic, table
from mmmed.record.table import Cell, Schema

NAME = "choice.tsv"

CHOICE = Schema(
    "mmmed-choice",
    1,
    ("subject", "session", "study", "series", "number", "modality", "description", "files",
     "status", "chosen_for", "case_id", "why", "path"),
    ("subject", "session", "study", "series", "path"),
)  # fmt: skip


def recorded(
    root: Path,
    rules: DicomCohort,
    *,
    out: Path,
    jobs: int = 1,
    listener: Listener | None = None,
    trial: Trial | None = None,
) -> Cohort:
    """The cohort in a folder of DICOM; what was chosen is written before anything is made of it.

    Args:
        root: the folder.
        rules: what each modality asks for.
        out: where `choice.tsv` goes; made where it is missing.
        jobs: processes that may read headers.
        listener: hears how far it is.
        trial: reads a series; where one with a rival is refused, the next best takes its place.

    Raises:
        StudyError: `out` lies inside the folder.
        NothingReadable: there is no such folder, or no series in it is fit.
        RunError: `out` cannot be written to.
    """
    if root.resolve() in out.resolve().parents:
        raise StudyError(f"{out}: lies inside the data; choose another --out")
    looked = look(root, rules, jobs=jobs, listener=listener)
    if trial is not None:
        looked = tried(looked, trial, among=rivalled, jobs=jobs, tell=listener or Silent())
    atomic.made(out, advice="choose another --out")
    write(looked, out / NAME)
    if not any(row.sources for row in looked.rows):
        found = "no series is fit" if looked.index.series else "holds no DICOM series and no sub-*"
        raise NothingReadable(f"{root}: {found}; {out / NAME} says why of each file")
    return dicom.cohort(looked, root.name)


def write(looked: Looked, path: Path) -> None:
    """Write the table.

    Raises:
        RunError: the file cannot be written.
    """
    owners = {
        item: row.id for row in looked.rows for items in row.sources.values() for item in items
    }
    found = [_found(looked, one, owners.get(source_of(one))) for one in looked.index.series]
    aside = [{**not_read(one), "why": one.text} for one in looked.index.aside]
    table.write(path, CHOICE, [*found, *aside])


def sentence(looked: Looked) -> str:
    """What was chosen, in counts."""
    every = (one for told in looked.verdicts.values() for one in told)
    chosen = Counter(one.modality for one in every if one.chosen)
    told = ", ".join(f"{chosen[name]} {name}" for name in looked.rules.modalities)
    return f"chosen of {len(looked.sessions)} DICOM Studies: {told}"


def _found(looked: Looked, series: Series, case: str | None) -> dict[str, Cell]:
    subject, session = looked.sessions[series.study]
    unread = looked.unread.get((series.study, series.uid))
    told = looked.verdicts.get((series.study, series.uid), ())
    chosen = [one for one in told if one.chosen]
    names = [one.modality for one in chosen]
    paired = _paired(looked, f"{subject}_{session}", names)
    return {
        "subject": subject,
        "session": session,
        "study": series.study,
        "series": series.uid,
        "number": series.headers[0].number,
        "modality": series.modality or None,
        "description": series.description or None,
        "files": len(series.headers),
        "status": "unreadable" if unread else "chosen" if chosen else "not chosen",
        "chosen_for": ",".join(names) or None,
        "case_id": case,
        "why": unread or "; ".join([*(one.why for one in chosen or told), *paired]),
        "path": shown_path(series.headers[0].path),
    }


def _paired(looked: Looked, where: str, modalities: list[str]) -> Iterator[str]:
    """What pairing says of the chosen scans of a DICOM Study."""
    for one in looked.asides:
        if one.where == where and one.modality in modalities:
            yield one.reason


def not_read(one: Aside) -> dict[str, Cell]:
    """What any table of a folder's series says of a file that is in none."""
    return {
        "study": one.study or None,
        "series": one.series or None,
        "modality": one.modality or None,
        "files": 1,
        "status": one.verdict,
        "path": one.path,
    }
