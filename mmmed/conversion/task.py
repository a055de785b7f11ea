"""One series -> NIfTI files with their sidecars, or why not.

task      a series, and where what it makes goes
outcome   the verdict on a series: one row of the index
failed    something that is no property of the data went wrong; running again may help
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmmed.conversion.naming import Name, siblings
from mmmed.conversion.sidecar import sidecar, suv_of
from mmmed.errors import DataError, GeometryError, MmmedError, RunError, SeriesError, UnitsError
from mmmed.readers.dicom.line import reason_line
from mmmed.readers.dicom.series import SeriesVolume, read_series
from mmmed.readers.nifti_bytes import nifti_bytes
from mmmed.record import atomic

_CODES: tuple[tuple[type[MmmedError], str], ...] = (
    (GeometryError, "geometry"),
    (UnitsError, "units"),
    (SeriesError, "no-volume"),
)
"""What refuses a series, and the code of that; other errors leave it unreadable."""


@dataclass(frozen=True)
class File:
    """A file as the index saw it: its path in the input, bytes, and time in nanoseconds."""

    path: str
    size: int
    modified: int


@dataclass(frozen=True)
class Task:
    """A series to convert.

    Attributes:
        root: the input.
        files: of the series.
        series: Study and Series Instance UID.
        out: the output.
        name: of what is written, inside the output.
    """

    root: Path
    files: tuple[File, ...]
    series: tuple[str, str]
    out: Path
    name: Name


@dataclass(frozen=True)
class Outcome:
    """What became of a series.

    Attributes:
        verdict: as in the index.
        code: the reason in one word, or empty.
        text: the reason in one line, or what was declared and dropped.
        outputs: the volumes written, relative to the output.
        failed: running again may give another outcome.
    """

    verdict: Literal["ok", "refused", "unreadable"]
    code: str = ""
    text: str = ""
    outputs: tuple[str, ...] = ()
    failed: bool = False


def convert(task: Task) -> Outcome:
    """Read one series and write what it holds; nothing that its files hold makes this raise."""
    try:
        return _converted(task)
    except MmmedError as error:
        return _refused(task, error)
    except Exception as error:  # noqa: BLE001 - the boundary of a series: the others go on
        text = reason_line(f"{type(error).__name__}: {error}", task.root)
        return Outcome("unreadable", "unexpected", f"cannot be read ({text})", failed=True)


def _converted(task: Task) -> Outcome:
    if changed := _changed(task):
        return changed
    volumes = read_series([task.root / one.path for one in task.files])
    if changed := _changed(task):
        return changed
    called = siblings(task.name, [one.label for one in volumes])
    suv = suv_of(volumes[0], root=task.root)
    outputs = [_write(task, one, name, suv=suv) for one, name in zip(volumes, called, strict=True)]
    notes = dict.fromkeys(note for one in volumes for note in one.notes)
    return Outcome("ok", text=reason_line("; ".join(notes), task.root), outputs=tuple(outputs))


def _write(task: Task, volume: SeriesVolume, name: Name, *, suv: Mapping[str, Any]) -> str:
    """Write a volume and its sidecar; the volume is written last, as the sign that both are."""
    described = json.dumps(
        sidecar(volume, root=task.root, suv=suv), indent=2, ensure_ascii=False, allow_nan=False
    )
    path = name.with_ending(".nii.gz")
    packed = nifti_bytes(volume.volume)
    try:
        atomic.write_text(task.out / name.with_ending(".json"), described + "\n")
        atomic.write_bytes(task.out / path, packed)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); run again") from error
    return path


def _changed(task: Task) -> Outcome | None:
    """The outcome where a file is not as the index saw it."""
    for file in task.files:
        try:
            state = (task.root / file.path).stat()
        except OSError:
            state = None
        if state is None or (state.st_size, state.st_mtime_ns) != (file.size, file.modified):
            text = f"{file.path}: changed while it was read; run again when it is complete"
            return Outcome("unreadable", "changing", reason_line(text, task.root), failed=True)
    return None


def _refused(task: Task, error: MmmedError) -> Outcome:
    text = reason_line("; ".join(str(error).splitlines()), task.root)
    for kind, code in _CODES:
        if isinstance(error, kind):
            return Outcome("refused", code, text)
    if isinstance(error, DataError):
        return Outcome("unreadable", "damaged", text)
    if isinstance(error, RunError):
        return Outcome("unreadable", "not-written", text, failed=True)
    return Outcome("unreadable", "unexpected", text, failed=True)


def lost(code: str, text: str) -> Outcome:
    """The outcome of a series whose process did not survive it."""
    return Outcome("unreadable", code, text, failed=True)
