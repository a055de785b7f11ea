"""What was acquired, as Clinica's `check-missing-modalities` writes it.

`missing_mods_<session>.tsv` has a row per participant and a column per modality of the BIDS folder
(`t1w`, `flair`, `pet_trc-18FFDG`): 1 where a file was there, 0 where not. A session that a
participant never had is a row of zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.cohorts.assembly import Row
from mmmed.cohorts.cohort import EXCLUDED, NEVER, Aside, Fault
from mmmed.cohorts.visit import session_key, subject_key
from mmmed.errors import DataError
from mmmed.readers.vectors import read_table

STATED = "missing_mods"
"""Where ClinicaDL's `get-labels` keeps the tables, below its own output."""

_ANSWERS = {"1": True, "1.0": True, "0": False, "0.0": False}


@dataclass(frozen=True)
class Answer:
    """What a table says of one modality of one subject and session."""

    there: bool
    table: str


@dataclass(frozen=True)
class Stated:
    """Tables of missing modalities.

    Attributes:
        answers: (subject key, session key) -> column in lower case -> what it says.
        files: the tables.
    """

    answers: Mapping[tuple[str, str], Mapping[str, Answer]]
    files: tuple[Path, ...]

    def answer(self, subject: str, session: str | None, names: Sequence[str]) -> Answer | None:
        """What is said of a modality under any of its names; None where nothing is."""
        own = self.answers.get((subject_key(subject), session_key(session or "")), {})
        return next((own[name] for name in names if name in own), None)


def read_availability(folder: Path) -> Stated:
    """The tables of a folder; a folder that is not there says nothing.

    Raises:
        DataError: a table has no participants, two rows for one, or a cell that is neither 0 nor 1.
    """
    answers: dict[tuple[str, str], dict[str, Answer]] = {}
    files = sorted(folder.glob("*_ses-*.tsv")) if folder.is_dir() else []
    for path in files:
        if path.name.startswith("."):
            continue
        session = session_key(path.stem.rpartition("_")[2])
        table = read_table(path)
        if "participant_id" not in table.columns:
            raise DataError(f"{path}: the column 'participant_id' is missing")
        for row in table.to_dict(orient="records"):
            key = (subject_key(str(row["participant_id"])), session)
            if key in answers:
                raise DataError(f"{path}: {row['participant_id']} stands in two rows; keep one")
            answers[key] = {
                str(name).lower(): _answer(path, str(row["participant_id"]), str(name), str(cell))
                for name, cell in row.items()
                if name != "participant_id" and cell != ""
            }
    return Stated(answers, tuple(files))


def compared(
    rows: Iterable[Row], stated: Stated, called: Mapping[str, Sequence[str]]
) -> tuple[list[Aside], list[Fault]]:
    """What tables know of modalities that rows do not own, and where they are wrong.

    Args:
        rows: as found on disk.
        stated: what the tables say.
        called: modality -> what the tables may call it.
    """
    asides: list[Aside] = []
    faults: list[Fault] = []
    for row in rows:
        for modality, names in called.items():
            answer = stated.answer(row.subject, row.session, names)
            if answer is None or (answer.there and modality in row.sources):
                continue
            says = f"{answer.table} says {int(answer.there)}"
            if modality in row.sources:
                reason = f"{says}, but there is a file; run check-missing-modalities again"
                faults.append(Fault(row.id, modality, reason))
            else:
                status, rest = (
                    (EXCLUDED, ", but no such file is here") if answer.there else (NEVER, "")
                )
                asides.append(
                    Aside(row.id, row.subject, row.session, modality, status, says + rest)
                )
    return asides, faults


def _answer(path: Path, subject: str, name: str, cell: str) -> Answer:
    if cell not in _ANSWERS:
        raise DataError(f"{path}: {subject} {name} is {cell!r}, neither 0 nor 1")
    return Answer(_ANSWERS[cell], path.name)
