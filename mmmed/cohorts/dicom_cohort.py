"""How a folder of DICOM is read as a cohort: which series, paired how, and with which tables.

The rules that choose a series are the cohort's own settings, so that a model package holds them and
a hospital's folder is read as the training data were.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from mmmed import config, library
from mmmed.cohorts.choice import SeriesChoice
from mmmed.cohorts.mapped import MappedTable
from mmmed.cohorts.recorded import Recorded

DICOM = "dicom-series"
"""Name of the cohort that counts where none is named."""


class DicomCohort(SeriesChoice, Recorded):
    """A folder of DICOM in any nesting; its tables name patients by Patient ID, or as mmmed does.

    Attributes:
        issuer: Issuer of Patient ID, where the files state one: part of who a patient is.
    """

    kind: Literal["dicom-series"]
    issuer: str = ""

    @field_validator("tables")
    @classmethod
    def _by_identity(cls, tables: tuple[MappedTable, ...]) -> tuple[MappedTable, ...]:
        if any(one.match is not None or one.prefix for one in tables):
            raise ValueError(
                "`match` and `prefix` read the names of folders, and here patients are digests; "
                "write Patient IDs into the table as the files state them"
            )
        return tables

    def only(self, modalities: Collection[str]) -> DicomCohort | None:
        """The rules for some modalities, without folder and tables; None where it has none.

        Without its anchor, scans are not paired.
        """
        kept = {name: one for name, one in self.modalities.items() if name in modalities}
        if not kept:
            return None
        paired = self.pairing is not None and self.pairing.anchor in kept
        return DicomCohort(
            kind=self.kind, modalities=kept, pairing=self.pairing if paired else None
        )


def load_dicom(name: str, *, start: Path | None) -> DicomCohort:
    """The rules of `cohorts/<name>.yaml`.

    Args:
        name: as on the command line.
        start: where the search for a workspace begins.

    Raises:
        StudyError: there is none of this name, or it holds no such rules.
    """
    document = config.read(library.find("cohorts", name, start=start).path)
    config.check_version(document)
    return config.validate(document, DicomCohort, drop=["mmmed"])
