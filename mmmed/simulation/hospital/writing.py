"""A simulated hospital on disk: folders of DICOM files, a DICOMDIR, and `truth.tsv`.

`truth.tsv` has a row per series and a row per file that must be set aside or is unreadable; it is
written last. `simulation.json`, the settings, is written first, so that a hospital that was
interrupted is gone on with. Paths are relative to the hospital.
"""

from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

from pydicom.fileset import FileSet
from pydicom.uid import UID

from mmmed.progress import Progress
from mmmed.record import atomic
from mmmed.simulation.begin import SETTINGS, begin
from mmmed.simulation.hospital.enhanced import enhanced
from mmmed.simulation.hospital.fault import FAULTS, Files, faulty, names, sound
from mmmed.simulation.hospital.files import encoded, slices
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
        modality: `MR`, `PT` or `CT`.
        expected: `ok`, `refused`, `unreadable` or `tilt` (resampled or refused) of the volume;
            `set-aside` or `unreadable` of a file.
        suv: SUVbw per rescaled value; `refused` where it must be; `n/a` of what is no PET.
        source: the file of the BIDS dataset with the same settings that has the same values.
        chosen: `mri` or `pet` where the usual rules of choice take it for that, else `no`; `n/a` of
            a file.
        why: words of the reason why it is not chosen; `n/a` where it is.
        reason: what is special.
    """

    path: str
    study: str
    series: str
    modality: str
    expected: str
    suv: str
    source: str
    chosen: str
    why: str
    reason: str


def write(spec: AdSimulation, out: Path, *, progress: Progress | None = None) -> None:
    """Write the hospital, or what is missing of one that was interrupted.

    Args:
        spec: the cohort whose scans it holds.
        out: a folder that is missing, empty, or holds an unfinished hospital of the same settings.
        progress: called with (parts done, parts): a part is a subject, the faults, or the disc.

    Raises:
        StudyError: the folder holds something else.
        RunError: the folder cannot be written to.
    """
    begin(out, {"hospital": spec.model_dump(mode="json")})
    people = participants(draw_subjects(spec))
    parts = [
        *(partial(_write_subject, spec, out, person) for person in people),
        partial(_write_faults, spec, out, people[0]),
        partial(_write_media, spec, out / "media", people[0]),
    ]
    rows = [_of_file(name, "set-aside", "no image") for name in (SETTINGS, TRUTH)]
    for done, part in enumerate(parts, start=1):
        rows += part()
        if progress:
            progress(done, len(parts))
    _write_truth(out, rows)


def _write_subject(spec: AdSimulation, out: Path, person: Participant) -> Iterator[Row]:
    for order in orders(spec, person):
        folder = out / order.folder
        if not all((folder / name).exists() for name in _names(order)):
            _write_files(folder, _contents(order))
        yield _row(order)


def _names(order: Order) -> Sequence[str]:
    return ["whole"] if order.enhanced else names(order.values.shape[2])


def _contents(order: Order) -> Files:
    return {"whole": encoded(order, enhanced(order))} if order.enhanced else sound(order)


def _write_faults(spec: AdSimulation, out: Path, person: Participant) -> Iterator[Row]:
    usual = list(orders(spec, person))
    first = {
        "mri": next(one for one in usual if one.source.endswith("T1w")),
        "pet": next(one for one in usual if one.source.endswith("pet")),
        "ct": next(one for one in usual if one.attributes["Modality"] == "CT"),
    }
    for name, fault in FAULTS.items():
        order, files = faulty(first[fault.series], name)
        _write_files(out / order.folder, files)
        yield _row(order)
        empty = {one: "unreadable" for one, content in files.items() if not content}
        for one, expected in {**fault.aside, **empty}.items():
            yield _of_file(f"{order.folder}/{one}", expected, order.reason)


def _write_media(spec: AdSimulation, folder: Path, person: Participant) -> Iterator[Row]:
    """The first subject's localiser as on a disc: a DICOMDIR and the files that it names."""
    usual = next(iter(orders(spec, person)))
    study = uid(usual.study, "media")
    order = replace(
        usual, patient="media", study=study, uid=uid(study, 1), folder="media", reason="DICOMDIR"
    )
    shutil.rmtree(folder, ignore_errors=True)  # a FileSet is not written whole or not at all
    with warnings.catch_warnings():  # a FileSet leaves its temporary folder to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        _write_disc(order, folder)
        gc.collect()
    yield _row(order)
    yield _of_file("media/DICOMDIR", "set-aside", "DICOMDIR")


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
        chosen=order.chosen or "no",
        why=order.why or NONE,
        reason=order.reason or NONE,
    )


def _of_file(path: str, expected: str, reason: str) -> Row:
    return Row(path, NONE, NONE, NONE, expected, NONE, NONE, NONE, NONE, reason)


def _write_truth(out: Path, rows: list[Row]) -> None:
    columns = [one.name for one in fields(Row)]
    lines = ["\t".join(getattr(row, one) for one in columns) for row in rows]
    lines = ["\t".join(columns), *lines]
    atomic.write_text(out / TRUTH, "".join(f"{line}\n" for line in lines))
