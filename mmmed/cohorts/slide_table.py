"""The table of slides: `case_id`, `slide_id` and further columns, a row per slide, as CLAM has it.

A slide is named by its file, with or without its ending; one of DICOM by its series, by its folder
or by one of its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmmed.cohorts.cohort import Fault
from mmmed.errors import DataError
from mmmed.readers.vectors import MISSING, read_table

CASE, SLIDE = "case_id", "slide_id"


@dataclass(frozen=True)
class Told:
    """One case of a table.

    Attributes:
        id: as written.
        subject: the patient that its rows name, else the case itself.
        cells: what all of its rows agree on, by column.
        slides: as the table calls them, in its order.
    """

    id: str
    subject: str
    cells: Mapping[str, str]
    slides: tuple[str, ...]


def read_cases(
    path: Path, faults: list[Fault], *, label: str | None, patient: str
) -> tuple[list[Told], frozenset[str]]:
    """The cases of a table, and every slide that it names.

    A case whose rows contradict each other in the label or the patient is left out.

    Args:
        path: of the table.
        faults: what cannot be used is added.
        label: column in which the rows of a case must agree.
        patient: column that says whose a case is; it may be absent or blank.

    Raises:
        DataError: it cannot be read, or a column is missing.
    """
    cases: dict[str, list[dict[str, str]]] = {}
    owner: dict[str, str] = {}
    for row in _rows(path, (CASE, SLIDE, *([label] if label else []))):
        case, slide = row.get(CASE, ""), row.get(SLIDE, "")
        if not case or not slide:
            faults.append(
                Fault(
                    case or slide or path.name,
                    None,
                    f"a row of {path.name} lacks {CASE} or {SLIDE}",
                )
            )
            continue
        if owner.setdefault(slide, case) != case:
            reason = f"{path.name} gives it to {owner[slide]} and to {case}; keep one row"
            faults.append(Fault(slide, None, f"{reason}; {case} goes on without it"))
            continue
        cases.setdefault(case, []).append(row)
    told = []
    for case, rows in sorted(cases.items()):
        found = {row.get(label, "") for row in rows} if label else set()
        if len(found) > 1:
            said = " and ".join(sorted(one or "nothing" for one in found))
            reason = f"its rows of {path.name} contradict each other: {label} is {said}; left out"
            faults.append(Fault(case, None, reason))
            continue
        patients = sorted({row[patient] for row in rows if patient in row})
        if len(patients) > 1:
            reason = f"its rows of {path.name} name {len(patients)} patients in {patient}; left out"
            faults.append(Fault(case, None, reason))
            continue
        cells = _agreed(rows)
        subject = patients[0] if patients else case
        told.append(Told(case, subject, cells, tuple(dict.fromkeys(row[SLIDE] for row in rows))))
    return told, frozenset(owner)


def _rows(path: Path, needed: Iterable[str]) -> list[dict[str, str]]:
    table = read_table(path)
    lacking = [name for name in needed if name not in table.columns]
    if lacking:
        raise DataError(f"{path}: the column {lacking[0]!r} is missing; mend the table")
    return [
        {str(key): str(cell).strip() for key, cell in row.items() if cell not in MISSING}
        for row in table.to_dict("records")
    ]


def _agreed(rows: list[dict[str, str]]) -> dict[str, str]:
    first, *others = rows
    return {
        name: cell
        for name, cell in first.items()
        if all(row.get(name) == cell for row in others) and name not in (CASE, SLIDE)
    }
