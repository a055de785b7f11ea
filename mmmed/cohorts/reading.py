"""Any cohort that is a folder or a table of files, by its `kind`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmmed.cohorts.bids import BidsCohort, read_bids
from mmmed.cohorts.breakhis import BreakHisCohort, read_breakhis
from mmmed.cohorts.caps import CapsCohort, read_caps
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.dicom import read_dicom
from mmmed.cohorts.dicom_cohort import DicomCohort
from mmmed.cohorts.slides import SlidesCohort, read_slides
from mmmed.cohorts.table import TableCohort, read_table_cohort
from mmmed.cohorts.views import ViewsCohort, read_views

CohortSpec = Annotated[
    BidsCohort
    | BreakHisCohort
    | CapsCohort
    | DicomCohort
    | SlidesCohort
    | TableCohort
    | ViewsCohort,
    Field(discriminator="kind"),
]


def read(spec: CohortSpec, name: str) -> Cohort:
    """The cohort a spec describes, under the name a study gives it.

    Raises:
        StudyError: the spec names no root.
        NothingReadable: nothing is there, or no case is left.
        DataError: tables contradict the spec.
    """
    if isinstance(spec, BidsCohort):
        return read_bids(spec, name)
    if isinstance(spec, BreakHisCohort):
        return read_breakhis(spec, name)
    if isinstance(spec, CapsCohort):
        return read_caps(spec, name)
    if isinstance(spec, DicomCohort):
        return read_dicom(spec, name)
    if isinstance(spec, SlidesCohort):
        return read_slides(spec, name)
    if isinstance(spec, TableCohort):
        return read_table_cohort(spec, name)
    return read_views(spec, name)


def unlabelled(spec: CohortSpec) -> CohortSpec:
    """The same files read without labels, where the kind of cohort can do without."""
    if isinstance(spec, ViewsCohort):
        return spec
    return spec.model_copy(update={"label": None, "positive": None})
