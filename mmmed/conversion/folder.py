"""A folder of DICOM -> NIfTI, sidecars and an index that accounts for every file.

index.tsv   a row for each series, and one for each file that is part of none: the verdict on it,
            the reason, and what was written. The same input gives the same bytes, whatever the
            number of processes and however often it was interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mmmed.conversion.journal import FOLDER, Journal
from mmmed.conversion.naming import OTHER, names
from mmmed.conversion.task import File, Outcome, Task, convert, lost
from mmmed.errors import NothingReadable, RunError, StudyError
from mmmed.isolation import Done, Limits, isolated
from mmmed.progress import Listener, Silent
from mmmed.readers.dicom.index import Index, Series, read_index
from mmmed.readers.dicom.line import shown_path
from mmmed.record import atomic, table
from mmmed.record.table import Cell, Schema

INDEX = Schema(
    "mmmed-index",
    1,
    (
        "path",
        "study",
        "series",
        "sop_class",
        "modality",
        "verdict",
        "reason_code",
        "reason_text",
        "output",
    ),
    ("path", "study", "series", "reason_code"),
)

LIMITS = Limits(seconds=300, memory=16 << 30)
"""Of one series; readers refuse what is too large before it comes to this."""

BIDS_VERSION = "1.10.0"
_UNDERSTOOD = ("ok", "refused", "set-aside")
_NO_DICOM = ("not-dicom", "no-file", "link-loop")
_IGNORED = ("index.tsv", f"{OTHER}/", f"{FOLDER}/", f"**/{atomic.UNFINISHED}*")


@dataclass(frozen=True)
class Counts:
    """What became of the series and files of a folder.

    Attributes:
        series: converted.
        volumes: written.
        refused: series that cannot be read rightly.
        aside: files that are no slices.
        unreadable: files and series of which nothing can be told.
        failed: of these, series that another run may read.
    """

    series: int
    volumes: int
    refused: int
    aside: int
    unreadable: int
    failed: int

    def __str__(self) -> str:
        return (
            f"{self.series} series converted to {_counted(self.volumes, 'volume')}, "
            f"{self.refused} refused, {_counted(self.aside, 'file')} set aside, "
            f"{self.unreadable} unreadable"
        )


def convert_folder(
    root: Path,
    out: Path,
    *,
    jobs: int = 1,
    salt: bytes = b"",
    listener: Listener | None = None,
    limits: Limits = LIMITS,
) -> Counts:
    """Convert every readable series below a folder; say of everything else why not.

    Args:
        root: a folder of DICOM files in any nesting, or one file.
        out: missing, empty, or the output of an earlier run, which is taken up; what it made of
            series that the input no longer holds is removed.
        jobs: processes; no result depends on it.
        salt: of the digests that stand for patients.
        listener: hears of the tasks `index` and `convert`.
        limits: of one series.

    Raises:
        StudyError: `out` holds something else or the series of another input, or lies inside the
            input.
        RunError: `out` cannot be written to.
        NothingReadable: no file of the input is DICOM that can be understood.
    """
    tell = listener or Silent()
    _check(root, out)
    found = read_index(root, jobs=jobs, progress=lambda done, all_: tell("index", done, all_))
    with _writing(out):
        _begin(out)
    tasks = _tasks(found.series, out, salt=salt)
    outcomes = _converted(tasks, out, jobs=jobs, limits=limits, tell=tell)
    rows = [*_series_rows(found.series, outcomes), *_aside_rows(found)]
    with _writing(out):
        table.write(out / "index.tsv", INDEX, rows)
    if not _understood(rows):
        raise NothingReadable(
            f"{root}: nothing in it is DICOM that can be read; {out / 'index.tsv'} says why"
        )
    return _counts(rows, outcomes)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _check(root: Path, out: Path) -> None:
    with suppress(PermissionError):  # told when the input is read
        if root.is_dir() and root.resolve() in (out.resolve(), *out.resolve().parents):
            raise StudyError(f"{out}: lies inside the input; choose a folder elsewhere")
    with _writing(out):
        ours = (out / FOLDER).is_dir()
        if out.exists() and not ours and (not out.is_dir() or any(out.iterdir())):
            raise StudyError(f"{out}: is not empty; choose another folder")


def _begin(out: Path) -> None:
    atomic.made(out, advice="choose another folder")
    atomic.made(out / FOLDER, advice="choose another folder")
    for left in out.rglob(f"{atomic.UNFINISHED}*"):
        left.unlink(missing_ok=True)
    atomic.write_text(out / ".bidsignore", "".join(f"{name}\n" for name in _IGNORED))
    atomic.write_json(
        out / "dataset_description.json",
        {
            "Name": "Converted from DICOM",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "raw",
            "GeneratedBy": [{"Name": "mmmed"}],
        },
    )


def _tasks(series: Sequence[Series], out: Path, *, salt: bytes) -> list[Task]:
    return [
        Task(
            root=one.root,
            files=tuple(File(header.path, header.size, header.modified) for header in one.headers),
            series=(one.study, one.uid),
            out=out,
            name=name,
        )
        for one, name in zip(series, names(series, salt=salt), strict=True)
    ]


def _converted(
    tasks: Sequence[Task], out: Path, *, jobs: int, limits: Limits, tell: Listener
) -> list[Outcome]:
    """What became of each series, in their order; what earlier runs made is not made again."""
    journal = Journal(out)
    with _writing(out):
        outcomes = journal.take_up(tasks)
    left = [place for place in range(len(tasks)) if place not in outcomes]
    for at, done in isolated(convert, [tasks[place] for place in left], jobs=jobs, limits=limits):
        place = left[at]
        outcomes[place] = done.value if isinstance(done, Done) else lost(done.code, done.text)
        with _writing(out):
            journal.note(tasks[place], outcomes[place])
        tell("convert", len(outcomes), len(tasks))
    return [outcomes[place] for place in range(len(tasks))]


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Tells of a disk that is full or read-only in one line."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{out}: cannot be written to ({error.strerror}); make room and run again: what is "
            "done is kept"
        ) from error


def _series_rows(
    series: Sequence[Series], outcomes: Sequence[Outcome]
) -> Iterator[dict[str, Cell]]:
    for one, outcome in zip(series, outcomes, strict=True):
        yield {
            "path": shown_path(one.headers[0].path),
            "study": one.study,
            "series": one.uid,
            "sop_class": one.headers[0].sop_class,
            "modality": one.modality or None,
            "verdict": outcome.verdict,
            "reason_code": outcome.code or None,
            "reason_text": outcome.text or None,
            "output": ";".join(outcome.outputs) or None,
        }


def _aside_rows(found: Index) -> Iterator[dict[str, Cell]]:
    for one in found.aside:
        yield {
            "path": one.path,
            "study": one.study or None,
            "series": one.series or None,
            "sop_class": one.sop_class or None,
            "modality": one.modality or None,
            "verdict": one.verdict,
            "reason_code": one.code,
            "reason_text": one.text,
        }


def _understood(rows: Iterable[Mapping[str, Cell]]) -> bool:
    """Whether anything was DICOM that says what it is."""
    return any(
        row["verdict"] in _UNDERSTOOD and row["reason_code"] not in _NO_DICOM for row in rows
    )


def _counts(rows: Sequence[Mapping[str, Cell]], outcomes: Sequence[Outcome]) -> Counts:
    verdicts = [row["verdict"] for row in rows]
    return Counts(
        series=verdicts.count("ok"),
        volumes=sum(len(one.outputs) for one in outcomes),
        refused=verdicts.count("refused"),
        aside=verdicts.count("set-aside"),
        unreadable=verdicts.count("unreadable"),
        failed=sum(one.failed for one in outcomes),
    )
