"""What there is to prepare: the scans of a BIDS folder, or the chosen series of one of DICOM.

place   where a scan stands in a BIDS folder, relative to it; of a series, where it would stand
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from mmmed import config, library
from mmmed.cohorts import choice_table
from mmmed.cohorts.bids import BidsCohort, read_bids
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.dicom_cohort import DICOM, load_dicom
from mmmed.cohorts.layout import may_be_dicom
from mmmed.config import Document
from mmmed.errors import StudyError
from mmmed.progress import Listener
from mmmed.readers.dicom.single import refusal
from mmmed.readers.source import Source
from mmmed.readers.template import Like
from mmmed.transforms.chain import Chain

T = TypeVar("T")

BIDS = "bids-scans"
"""How a folder is read that is not of DICOM, where nothing else is said."""

_PLACES: Mapping[Like, tuple[str, str]] = {"t1": ("anat", "T1w"), "pet": ("pet", "pet")}
"""Datatype and suffix of a series, by what it looks like."""

_PLAIN = ("mri", "pet")
"""Modalities that these two tell apart."""


def scans(
    data: Path,
    out: Path,
    *,
    chains: Mapping[str, Chain],
    cohort: str | None,
    start: Path | None,
    jobs: int,
    tell: Listener,
) -> Cohort:
    """The scans of a folder; labels are not read. Of DICOM, `choice.tsv` is written.

    Args:
        data: the folder.
        out: where `choice.tsv` goes.
        chains: of the modalities that are prepared.
        cohort: a name of `cohorts/` of kind `bids` or `dicom-series`; None chooses by what lies in
            the folder.
        start: where the search for a workspace begins.
        jobs: processes that may read headers.
        tell: hears how far the reading of DICOM is.

    Raises:
        StudyError: the cohort does not fit, or `out` lies inside a folder of DICOM.
        NothingReadable: there is no scan.
        RunError: `out` cannot be written to.
    """
    name = cohort or (DICOM if data.is_dir() and may_be_dicom(data) else BIDS)
    document = config.read(library.find("cohorts", name, start=start).path)
    config.check_version(document)
    if document.values.get("kind") == DICOM:
        rules = load_dicom(name, start=start)
        asked = _only(rules.modalities, chains, document.path)
        rules = rules.model_copy(update={"modalities": asked, "label": None, "tables": ()})
        trial = partial(refusal, {name for name, one in chains.items() if one.scale_free})
        return choice_table.recorded(data, rules, out=out, jobs=jobs, listener=tell, trial=trial)
    values = {key: value for key, value in document.values.items() if key != "mmmed"}
    values["root"] = str(data)
    spec = config.validate(Document(document.path, values, document.lines), BidsCohort)
    changes = {
        "modalities": _only(spec.modalities, chains, document.path),
        "label": None,
        "positive": None,
    }
    return read_bids(spec.model_copy(update=changes), data.name)


def place(case: str, modality: str, source: Source, *, like: Like, data: Path) -> PurePosixPath:
    """Where a scan stands.

    Args:
        case: whose it is: `sub-1_ses-2`.
        modality: which of the study's it is.
        source: a file below `data`, or a series.
        like: what it looks like.
        data: the folder.
    """
    if not source.files:
        return PurePosixPath(source.path.relative_to(data).as_posix())
    datatype, suffix = _PLACES[like]
    acquired = "" if modality in _PLAIN else f"_acq-{modality.replace('_', '')}"
    return PurePosixPath(*case.split("_"), datatype, f"{case}{acquired}_{suffix}.nii.gz")


def _only(found: Mapping[str, T], modalities: Collection[str], path: Path) -> dict[str, T]:
    """What is said of the modalities that are prepared."""
    kept = {key: one for key, one in found.items() if key in modalities}
    if not kept:
        raise StudyError(f"{path}: has none of the modalities {', '.join(modalities)}")
    return kept
