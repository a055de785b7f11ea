"""Clinical variables of a BIDS folder: one row of `phenotype/<table>.tsv` per case.

A table with a `session_id` column has a row per subject and session; one without has a row per
subject, which every session of the subject owns. A row of `n/a` alone is absence, not a fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmmed.cohorts.cohort import Fault
from mmmed.errors import DataError
from mmmed.readers.source import Source
from mmmed.readers.vectors import Rows, read_rows, read_table

IDS = ("participant_id", "session_id")


@dataclass(frozen=True)
class Phenotype:
    """A phenotype table; `identifier` names its id columns, joined by `+`."""

    path: Path
    identifier: str
    rows: Rows

    def item(
        self, case: str, subject: str, session: str | None, modality: str, faults: list[Fault]
    ) -> tuple[Source, ...]:
        """The vector of a case as a source; none where the table does not know the case."""
        row = subject if "+" not in self.identifier else f"{subject}_{session}"
        if row in self.rows.faults:
            faults.append(Fault(case, modality, f"{self.path.name}: {self.rows.faults[row]}"))
            return ()
        if row not in self.rows.vectors:
            return ()
        return (Source(self.path, row, self.rows.columns, self.identifier),)


def read_phenotype(path: Path, *, columns: Sequence[str]) -> Phenotype:
    """The phenotype table at `path`; a table that is not there is empty: nobody owns it.

    Raises:
        DataError: the table cannot be read, or lacks a column.
    """
    if not path.exists():
        return Phenotype(path, IDS[0], Rows(tuple(columns), {}, {}, frozenset()))
    names = [name for name in IDS if name in read_table(path).columns]
    if IDS[0] not in names:
        raise DataError(f"{path}: the column 'participant_id' is missing")
    identifier = "+".join(names)
    return Phenotype(path, identifier, read_rows(path, columns=columns, identifier=identifier))
