"""What the tables of a folder of subjects say: `participants.tsv`, `sub-*/sub-*_sessions.tsv`."""

from __future__ import annotations

from pathlib import Path

from mmmed.cohorts.cohort import Fault
from mmmed.cohorts.label import Label
from mmmed.cohorts.register import Register, Visit, meant, told
from mmmed.cohorts.visit import read_day, session_key, subject_key
from mmmed.errors import DataError
from mmmed.readers.vectors import read_table

PEOPLE = "participants.tsv"


def read_people(
    path: Path, register: Register, label: Label | None, faults: list[Fault]
) -> dict[str, str]:
    """Add `participants.tsv` to a register; the subjects as it writes them, by key.

    Whoever stands in it twice is a fault and is left out.

    Raises:
        DataError: it cannot be read, or names no participants.
    """
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
        register.add_person(one, meant(cells, label))
        written[key] = one
    return written


def read_sessions(
    folder: Path, register: Register, label: Label | None, faults: list[Fault]
) -> None:
    """Add `sub-X_sessions.tsv` of a subject's folder; `n/a` overrides no cell of the person."""
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
