"""What the settings of cohorts of scans have in common: the folder, the label, the tables."""

from __future__ import annotations

from pathlib import Path

from mmmed.cohorts.assembly import Columns, Visits
from mmmed.cohorts.label import Label
from mmmed.cohorts.mapped import MappedTable
from mmmed.config import Spec


class Recorded(Spec):
    """A folder of scans, and what tables tell of who was scanned.

    Attributes:
        root: the folder; a study or a command names it.
        label: the diagnosis; None reads every case unlabelled.
        positive: the positive class; the second of two where it is not named.
        site: column of the site.
        part: column of the cohort's own split.
        covariates: columns recorded with each case; empty for all.
        tables: further tables of subjects or visits; where two know a cell the first counts.
        visits: whether every session is a case, or each subject's first with anything to show.
    """

    root: Path | None = None
    label: Label | None = None
    positive: str | None = None
    site: str = "site"
    part: str = "part"
    covariates: tuple[str, ...] = ()
    tables: tuple[MappedTable, ...] = ()
    visits: Visits = "all"

    def columns(self, *ids: str) -> Columns:
        """Which columns of the tables mean what; `ids` and the label are no covariates."""
        label = [self.label.column] if self.label else []
        return Columns(
            site=self.site, part=self.part, covariates=self.covariates, reserved=(*ids, *label)
        )
