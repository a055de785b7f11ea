"""From a folder to the shelf, by the settings a package was trained with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from mmmed.cohorts import choice_table
from mmmed.cohorts.cohort import Case, Cohort, Fault
from mmmed.cohorts.dicom_cohort import DICOM, DicomCohort
from mmmed.cohorts.layout import may_be_dicom
from mmmed.cohorts.reading import CohortSpec, read
from mmmed.cohorts.slides import SlidesCohort, read_slides
from mmmed.progress import Listener, Progress, Silent
from mmmed.readers.dicom.single import refusal
from mmmed.readers.source import Source
from mmmed.record import cache
from mmmed.training.manifest import Manifest
from mmmed.training.shelf import Shelf, stocked
from mmmed.transforms.gallery import Scan, scans
from mmmed.transforms.prepare import prepare
from mmmed.transforms.prepared import Prepared, Refused, refusals

TABLES = ("table", "file", "mpps")
"""Where a cohort or a modality names a table by its path."""
UNASKED: dict[str, Any] = {
    "label": None,
    "positive": None,
    "covariates": (),
    "tables": (),
    "visits": "all",
}
"""What prediction needs no column for, where the kind of cohort can do without."""


def read_cohort(
    package: Manifest,
    data: Path,
    *,
    out: Path,
    jobs: int = 1,
    listener: Listener | None = None,
) -> Cohort:
    """The cases of a folder that own a modality of the package; labels are not read.

    A folder of DICOM is read by the rules of the package, whatever it was trained on.

    Args:
        package: that is to predict.
        data: the folder.
        out: where `choice.tsv` says of a folder of DICOM which series were chosen.
        jobs: processes that may read headers.
        listener: hears how far the headers of DICOM are read.

    Raises:
        StudyError: `out` lies inside a folder of DICOM.
        NothingReadable: there is no such folder, or no case in it.
        DataError: its tables are broken.
    """
    if _is_dicom(package, data):
        rules = DicomCohort.model_validate(package.dicom or package.reading)
        asked = rules.only({one.name for one in package.modalities})
        if asked is not None:
            chains = {name: one.chain for name, one in package.preparation.items()}
            trial = partial(refusal, {name for name, one in chains.items() if one.scale_free})
            return choice_table.recorded(
                data, asked, out=out, jobs=jobs, listener=listener, trial=trial
            )
    return _as_trained(package, data, jobs=jobs, listener=listener or Silent())


def _is_dicom(package: Manifest, data: Path) -> bool:
    """Whether a folder holds scans as a scanner gives them, and the package can take such."""
    if package.reading["kind"] == DICOM:
        return True
    return package.dicom is not None and may_be_dicom(data)


def _as_trained(package: Manifest, data: Path, *, jobs: int, listener: Listener) -> Cohort:
    """The cases of a folder that is kept as the training data were."""
    known = {one.name for one in package.modalities}
    reading = {
        **_in_folder(package.reading),
        "root": data,
        "modalities": {
            name: _in_folder(one)
            for name, one in package.reading["modalities"].items()
            if name in known
        },
    }
    spec = TypeAdapter(CohortSpec).validate_python(reading)
    optional = {
        name: value
        for name, value in UNASKED.items()
        if name in type(spec).model_fields and not type(spec).model_fields[name].is_required()
    }
    asked = spec.model_copy(update=optional) if "label" in optional else spec
    if isinstance(asked, SlidesCohort):
        return read_slides(asked, data.name, jobs=jobs, progress=partial(listener, "slides"))
    return read(asked, data.name)


def _in_folder(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings whose tables are looked for in the folder that is predicted.

    A table that training named by an absolute path lies elsewhere and holds the training cases.
    """
    given = {
        name: settings[name] for name in TABLES if Path(settings.get(name) or "").is_absolute()
    }
    return {**settings, **{name: Path(path).name for name, path in given.items()}}


def set_apart(package: Manifest, cohort: Cohort) -> tuple[Cohort, tuple[Fault, ...]]:
    """The cohort without the subjects a package has met, and a reason for each of their cases."""
    met = {case.id: package.subjects.part(case.subject) for case in cohort.cases}
    kept = tuple(case for case in cohort.cases if met[case.id] is None)
    faults = tuple(
        Fault(
            case.id,
            None,
            f"leakage: its subject was in the {met[case.id]} part of this model; "
            "a prediction would flatter it",
        )
        for case in cohort.cases
        if met[case.id] is not None
    )
    return replace(cohort, cases=kept), faults


def stock(
    package: Manifest, cohort: Cohort, *, jobs: int, progress: Progress
) -> tuple[Cohort, Shelf, tuple[Scan, ...]]:
    """Prepare every item by the package's chains; what cannot be used becomes a fault.

    Returns what is left of the cohort, its items, and the scans that can be shown.

    Args:
        package: chains and the shapes they must give.
        cohort: as read from names and tables.
        jobs: processes that prepare.
        progress: called with (items done, items).
    """
    total = sum(len(items) for case in cohort.cases for items in case.sources.values())
    outcomes: dict[tuple[str, Source], Prepared | Refused] = {}
    for shape in package.modalities:
        chain = package.preparation[shape.name].chain
        done = prepare(
            _sources(cohort.cases, shape.name),
            chain,
            kind=shape.kind,
            cache=cache.made("prepared"),
            jobs=jobs,
            guides=cohort.beside(shape.name, chain.through),
            progress=_after(len(outcomes), total, progress),
        )
        outcomes |= {(shape.name, one.source): _of_shape(one, shape.shape) for one in done}
    kept = cohort.without(refusals(outcomes))
    modalities = tuple(one.modality for one in package.modalities)
    ready = {key: one for key, one in outcomes.items() if isinstance(one, Prepared)}
    chains = {name: one.chain for name, one in package.preparation.items()}
    shown = scans(cohort.items(), chains, outcomes)
    return kept, stocked(kept, modalities, ready), shown


def _after(before: int, total: int, progress: Progress) -> Progress:
    """Progress of one part of a whole, `before` pieces of which are done."""
    return lambda done, _: progress(before + done, total)


def _sources(cases: Iterable[Case], name: str) -> list[Any]:
    return [source for case in cases for source in case.sources.get(name, ())]


def _of_shape(item: Prepared | Refused, shape: tuple[int, ...]) -> Prepared | Refused:
    if isinstance(item, Refused) or item.shape == shape:
        return item
    return Refused(
        item.source,
        f"{item.source.path.name}: is {item.shape} after preparation, the model takes {shape}",
    )
