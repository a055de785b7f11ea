"""A simulated hospital on disk: folders of DICOM files, a DICOMDIR, and `truth.tsv`.

`truth.tsv` has a row per series and a row per file that must be set aside or is unreadable; it is
written last. Paths are relative to the hospital.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from pydicom.fileset import FileSet
from pydicom.uid import UID

from mmmed.errors import StudyError
from mmmed.progress import Progress
from mmmed.record import atomic
from mmmed.simulation.hospital.fault import FAULTS, Files, faulty, sound
from mmmed.simulation.hospital.files import encoded, enhanced, slices
from mmmed.simulation.hospital.identity import uid
from mmmed.simulation.hospital.order import Order
from mmmed.simulation.hospital.study import orders
from mmmed.simulation.spec import AdSimulation
from mmmed.simulation.subjects import Participant, draw_subjects, participants

TRUTH = "truth.tsv"
NONE = "n/a"


@dataclass(frozen=True)
class Row:
    """What must come out of one series, or of one file.

    Attributes:
        path: the folder of the series, or the file.
        study: Study Instance UID.
        series: Series Instance UID.
        modality: `MR` or `PT`.
        expected: `ok`, `refused` or `tilt` (resampled or refused) of the volume; `set-aside` or
            `unreadable` of a file.
        suv: SUVbw per rescaled value; `refused` where it must be; `n/a` of an MR or a file.
        source: the file of the BIDS dataset with the same settings that has the same values.
        reason: what is special.
    """

    path: str
    study: str
    series: str
    modality: str
    expected: str
    suv: str
    source: str
    reason: str


def write(spec: AdSimulation, out: Path, *, progress: Progress | None = None) -> None:
    """Write the hospital.

    Args:
        spec: the cohort whose scans it holds.
        out: a folder that is missing or empty.
        progress: called with (subjects done, subjects in all).

    Raises:
        StudyError: the folder holds something.
        RunError: the folder cannot be written to.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StudyError(f"{out}: is not empty; choose another folder")
    atomic.made(out, advice="choose another folder")
    people = participants(draw_subjects(spec))
    rows: list[Row] = []
    for done, person in enumerate(people, start=1):
        rows += _write_subject(spec, out, person)
        if progress:
            progress(done, len(people))
    rows += _write_faults(spec, out, people[0])
    rows += _write_media(spec, out / "media", people[0])
    _write_truth(out, rows)


def _write_subject(spec: AdSimulation, out: Path, person: Participant) -> Iterator[Row]:
    for order in orders(spec, person):
        one = {"whole": encoded(order, enhanced(order))} if order.enhanced else sound(order)
        _write_files(out / order.folder, one)
        yield _row(order)


def _write_faults(spec: AdSimulation, out: Path, person: Participant) -> Iterator[Row]:
    usual = list(orders(spec, person))
    first = {
        "mri": next(one for one in usual if one.source.endswith("T1w")),
        "pet": next(one for one in usual if one.source.endswith("pet")),
    }
    for name, fault in FAULTS.items():
        order, files = faulty(first[fault.series], name)
        _write_files(out / order.folder, files)
        yield _row(order)
        empty = {one: "unreadable" for one, content in files.items() if not content}
        for one, expected in {**fault.aside, **empty}.items():
            path = f"{order.folder}/{one}"
            yield Row(path, NONE, NONE, NONE, expected, NONE, NONE, order.reason)


def _write_media(spec: AdSimulation, folder: Path, person: Participant) -> Iterator[Row]:
    """The first subject's localiser as on a disc: a DICOMDIR and the files that it names."""
    usual = next(iter(orders(spec, person)))
    study = uid(usual.study, "media")
    order = replace(
        usual, patient="media", study=study, uid=uid(study, 1), folder="media", reason="DICOMDIR"
    )
    with warnings.catch_warnings():  # a FileSet leaves its temporary folder to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        _write_disc(order, folder)
        gc.collect()
    yield _row(order)
    yield Row("media/DICOMDIR", NONE, NONE, NONE, "set-aside", NONE, NONE, "DICOMDIR")


def _write_disc(order: Order, folder: Path) -> None:
    disc = FileSet()
    disc.UID, disc.ID = UID(uid(order.study, "disc")), "MMMED"
    for one in slices(order):
        disc.add(one)
    disc.write(folder)


def _write_files(folder: Path, files: Files) -> None:
    for name, content in files.items():
        atomic.write_bytes(folder / name, content)


def _row(order: Order) -> Row:
    pet = order.attributes["Modality"] == "PT"
    suv = NONE if not pet else "refused" if order.suv is None else repr(order.suv)
    return Row(
        path=order.folder,
        study=order.study,
        series=order.uid,
        modality=str(order.attributes["Modality"]),
        expected=order.expected,
        suv=suv,
        source=order.source or NONE,
        reason=order.reason or NONE,
    )


def _write_truth(out: Path, rows: list[Row]) -> None:
    names = [one.name for one in fields(Row)]
    lines = ["\t".join(names), *("\t".join(getattr(row, one) for one in names) for row in rows)]
    atomic.write_text(out / TRUTH, "".join(f"{line}\n" for line in lines))
