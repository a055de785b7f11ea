"""From the cohort a study names to a cohort on disk.

A real cohort is a folder that the user names. A simulated cohort is written into the cache, as
BIDS, as a table, as the tree of BreakHis or as whole slides, once per set of settings, and then
read through the same readers as a real one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from mmmed import config, library
from mmmed.cohorts.bids import BidsCohort
from mmmed.cohorts.breakhis import BreakHisCohort
from mmmed.cohorts.caps import CapsCohort
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.dicom import read_dicom
from mmmed.cohorts.dicom_cohort import DicomCohort
from mmmed.cohorts.reading import CohortSpec, read
from mmmed.cohorts.slides import SlidesCohort, read_slides
from mmmed.cohorts.table import TableCohort
from mmmed.cohorts.views import ViewsCohort
from mmmed.config import Spec
from mmmed.errors import StudyError
from mmmed.pipelines.study import CohortChoice
from mmmed.progress import Listener
from mmmed.record import digest
from mmmed.simulation import bids, discrete
from mmmed.simulation.discrete import TableSimulation
from mmmed.simulation.format import FORMAT
from mmmed.simulation.slides import writing as slides
from mmmed.simulation.slides.spec import SlideSimulation
from mmmed.simulation.spec import AdSimulation
from mmmed.simulation.tissue import writing as tissue
from mmmed.simulation.tissue.spec import BreakHisSimulation


class SimulatedCohort(Spec):
    """A cohort of scans that is written before it is read.

    Attributes:
        simulation: what is drawn and rendered.
        read: how the written BIDS folder is read.
    """

    kind: Literal["simulated"]
    simulation: AdSimulation = AdSimulation()
    read: BidsCohort


class SimulatedTable(Spec):
    """A cohort of vectors that is written before it is read.

    Attributes:
        simulation: the law, and how many are drawn.
        read: how the written table is read.
    """

    kind: Literal["simulated-table"]
    simulation: TableSimulation = TableSimulation()
    read: TableCohort


class SimulatedBreakHis(Spec):
    """A cohort of slides that is written before it is read.

    Attributes:
        simulation: what is drawn and rendered.
        read: how the written tree is read.
    """

    kind: Literal["simulated-breakhis"]
    simulation: BreakHisSimulation = BreakHisSimulation()
    read: BreakHisCohort


class SimulatedSlides(Spec):
    """A cohort of whole slides that is written before it is read.

    Attributes:
        simulation: what is drawn and rendered.
        read: how the written folder is read.
    """

    kind: Literal["simulated-slides"]
    simulation: SlideSimulation = SlideSimulation()
    read: SlidesCohort


Simulated = SimulatedCohort | SimulatedTable | SimulatedBreakHis | SimulatedSlides
_SIMULATED = ("simulated", "simulated-table", "simulated-breakhis", "simulated-slides")

CohortFile = Annotated[
    BidsCohort
    | BreakHisCohort
    | CapsCohort
    | DicomCohort
    | SlidesCohort
    | TableCohort
    | ViewsCohort
    | SimulatedCohort
    | SimulatedTable
    | SimulatedBreakHis
    | SimulatedSlides,
    Field(discriminator="kind"),
]


class _Holder(Spec):
    cohort: CohortFile


@dataclass(frozen=True)
class Chosen:
    """A cohort's settings, where they came from, and the file that holds its truth."""

    found: library.Found
    spec: CohortSpec | Simulated

    @property
    def reading(self) -> CohortSpec:
        """How its files are read."""
        return self.spec.read if isinstance(self.spec, Simulated) else self.spec


def choose(
    choice: CohortChoice, *, start: Path | None, advice: str = "--set cohort.root=DIR"
) -> Chosen:
    """The settings of the cohort a study names, with the study's overrides.

    Args:
        choice: its name, and what is overridden.
        start: where the search for a workspace begins.
        advice: how a root is given.

    Raises:
        StudyError: the file is faulty, an override does not fit it, or a root is missing.
    """
    found = library.find("cohorts", choice.name, start=start)
    document = config.read(found.path)
    config.check_version(document)
    values = {key: value for key, value in document.values.items() if key != "mmmed"}
    simulated = values.get("kind") in _SIMULATED
    _check_overrides(choice, found.path, simulated=simulated)
    if simulated:
        seed = {} if choice.seed is None else {"seed": choice.seed}
        before = values.get("simulation")
        inner = before if isinstance(before, dict) else {}
        values["simulation"] = merged(inner, choice.simulation | seed)
    else:
        values = merged(values, choice.reading)
        if choice.root is not None:
            values["root"] = str(choice.root)
    spec = config.validate(_below("cohort", document, values), _Holder).cohort
    if not simulated and getattr(spec, "root", None) is None:
        raise StudyError(
            f"{found.path}: cohort {choice.name} needs the folder of its files: {advice}"
        )
    return Chosen(found=found, spec=spec)


def materialise(
    chosen: Chosen,
    *,
    cache: Path,
    jobs: int,
    listener: Listener,
    suv: Collection[str] = (),
) -> tuple[Cohort, Path | None]:
    """The cohort on disk, and its truth file where it is simulated.

    Args:
        chosen: what to read or to write first.
        cache: where simulated cohorts are kept, one folder per set of settings.
        jobs: processes that may read or write.
        listener: hears of the task `simulate`, of DICOM `index`, `choice` and `reading`, of slides
            `slides`.
        suv: modalities whose chain needs the SUVbw of a PET in a folder of DICOM.
    """
    name = chosen.found.name
    spec = chosen.spec
    if isinstance(spec, DicomCohort):
        return read_dicom(spec, name, suv=suv, jobs=jobs, listener=listener), None
    if not isinstance(spec, Simulated):
        return read_folder(spec, name, jobs=jobs, listener=listener), None
    progress = partial(listener, "simulate")
    settings = spec.simulation.model_dump(mode="json")
    root = cache / "simulated" / digest.of_value({"format": FORMAT, **settings})[:20]
    if isinstance(spec, SimulatedTable):
        discrete.write(spec.simulation, root)
    elif isinstance(spec, SimulatedBreakHis):
        tissue.write(spec.simulation, root, jobs=jobs, progress=progress)
    elif isinstance(spec, SimulatedSlides):
        slides.write(spec.simulation, root, jobs=jobs, progress=progress)
    else:
        bids.write(spec.simulation, root, jobs=jobs, progress=progress)
    rooted = spec.read.model_copy(update={"root": root})
    return read_folder(rooted, name, jobs=jobs, listener=listener), root / "truth.json"


def read_folder(spec: CohortSpec, name: str, *, jobs: int, listener: Listener) -> Cohort:
    """`cohorts.reading.read`, by several threads where slides are opened."""
    if isinstance(spec, SlidesCohort):
        return read_slides(spec, name, jobs=jobs, progress=partial(listener, "slides"))
    return read(spec, name)


def merged(settings: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with overrides applied level by level; another `kind` replaces what it is for."""
    if "kind" in overrides and overrides["kind"] != settings.get("kind"):
        return dict(overrides)
    result = dict(settings)
    for key, value in overrides.items():
        before = result.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            result[key] = merged(before, value)
        else:
            result[key] = value
    return result


def _check_overrides(choice: CohortChoice, path: Path, *, simulated: bool) -> None:
    if simulated and (choice.root is not None or choice.reading):
        key = "reading" if choice.root is None else "root"
        raise StudyError(f"{path}: cohort {choice.name} is simulated; it takes no {key}")
    if not simulated and (choice.seed is not None or choice.simulation):
        raise StudyError(f"{path}: cohort {choice.name} is not simulated; it takes no seed")


def _below(key: str, document: config.Document, values: dict[str, Any]) -> config.Document:
    lines = {(key, *inner): line for inner, line in document.lines.items()}
    return config.Document(path=document.path, values={key: values}, lines=lines)
