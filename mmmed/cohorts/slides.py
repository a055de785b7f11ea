"""Cohorts of whole slides: a folder of files, a table that says whose they are.

case      one or several slides of one patient, `case_id` of the table; without a table, a slide
subject   a further column of the table; each case its own where there is none
modality  a magnification in um per pixel; items are tiles, centred on the same points in all
owned     a slide owns what it was scanned finely enough for: one of 0.5 um per pixel has no 0.25
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from joblib import Parallel, delayed
from pydantic import Field

from mmmed.cohorts.assembly import Columns, ModalityName, Row, assemble
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.label import Label
from mmmed.cohorts.root import named_folder
from mmmed.cohorts.slide_folder import Found, find_slides
from mmmed.cohorts.slide_table import CASE, SLIDE, Told, read_cases
from mmmed.cohorts.slide_tiles import Asked, Looked, asides, census, look, nobody, twins
from mmmed.config import Spec
from mmmed.errors import NothingReadable
from mmmed.modality import ItemKind
from mmmed.progress import Progress
from mmmed.readers.dicom.line import one_line
from mmmed.readers.slide.magnification import COARSEST, FINEST
from mmmed.readers.slide.overrides import read_overrides

SLIDES = "slides"
"""The shipped cohort of this kind."""


class SlideMagnification(Spec):
    """A modality: tiles at one magnification.

    Attributes:
        mpp: um per pixel; 0.25 is what a 40x objective gives.
    """

    kind: Literal["image"] = "image"
    mpp: Annotated[float, Field(ge=FINEST, le=COARSEST)]


class SlidesCohort(Spec):
    """A folder of whole slides.

    Attributes:
        root: the folder; a study or a command names it.
        modalities: name -> magnification.
        pixels: along the side of a tile, at every magnification.
        tiles: locations per slide, at most; each gives a tile per magnification.
        seed: of the choice of locations.
        label: which column says the class; None reads every case unlabelled.
        positive: the positive class; the second of two where it is not named.
        table: CSV or TSV below the root with a row per slide (`case_id`, `slide_id`, further
            columns). Where no label is asked for, it may be absent: each slide is then a case.
        mpps: CSV or TSV below the root with `wsi` and `mpp`, for slides that do not state their um
            per pixel, or state a wrong one; it may be absent.
        patient: column of the table that says whose a case is.
    """

    kind: Literal["slides"]
    root: Path | None = None
    modalities: Annotated[dict[ModalityName, SlideMagnification], Field(min_length=1)]
    pixels: Annotated[int, Field(ge=16, le=2048)] = 256
    tiles: Annotated[int, Field(ge=1, le=4096)] = 16
    seed: Annotated[int, Field(ge=0)] = 0
    label: Label | None = None
    positive: str | None = None
    table: str = "slides.csv"
    mpps: str = "mpp.csv"
    patient: str = "patient_id"


def read_slides(
    spec: SlidesCohort, name: str, *, jobs: int = 1, progress: Progress | None = None
) -> Cohort:
    """The cohort in a folder: every slide is opened, its tissue found, its tiles chosen.

    Args:
        spec: the folder and what is read of it.
        name: of the cohort.
        jobs: threads, each at a slide.
        progress: called with (slides looked at, slides).

    Raises:
        StudyError: the spec names no root.
        NothingReadable: there is no such folder, no slide in it, or none that can be used.
        DataError: the table is missing or broken, or a class is empty.
    """
    root = named_folder(spec.root, cohort=name, holds="whole slides")
    faults: list[Fault] = []
    slides = find_slides(root, faults)
    if not slides:
        raise NothingReadable(f"{root}: holds no whole slide (svs, tiff, ndpi, DICOM, ...)")
    told, tables = _told(spec, root, slides, faults)
    chosen = {one: slides[one] for case in told for one in case.slides}
    overrides: Mapping[str, float] = {}
    notes: list[str] = []
    if (root / spec.mpps).exists():
        tables.append(root / spec.mpps)
        overrides = _overrides(tables[-1], slides, notes)
    looked = _looked(spec, chosen, overrides, told, faults, jobs=jobs, progress=progress)
    asked = {name: one.mpp for name, one in spec.modalities.items()}
    kinds: dict[str, ItemKind] = dict.fromkeys(spec.modalities, "image")
    cohort = assemble(
        [_row(spec, case, looked) for case in told],
        name=name,
        kinds=kinds,
        label=spec.label,
        positive=spec.positive,
        columns=Columns(
            site="site",
            part="part",
            covariates=(),
            reserved=(CASE, SLIDE, spec.patient, *filter(None, [_column(spec)])),
        ),
        faults=[*faults, *twins(told, looked)],
        tables=tables,
        asides=asides(asked, told, looked),
    )
    return cohort.with_notes([*census(looked, overrides), *notes, *nobody(asked, looked.values())])


def _told(
    spec: SlidesCohort, root: Path, slides: Mapping[str, Found], faults: list[Fault]
) -> tuple[list[Told], list[Path]]:
    """The cases with the ids of slides that are there, and the table they stand in."""
    path = root / spec.table
    if spec.label is None and not path.exists():
        return [Told(one, one, {}, (one,)) for one in slides], []
    of_name = {name: one.id for one in slides.values() for name in one.names}
    told, named = read_cases(path, faults, label=_column(spec), patient=spec.patient)
    cases = []
    taken: set[str] = set()
    for case in told:
        there = dict.fromkeys(of_name[name] for name in case.slides if name in of_name)
        gone = [name for name in case.slides if name not in of_name]
        faults += [
            Fault(case.id, None, f"slide {one} of {path.name} has no file; fetch it")
            for one in gone
        ]
        twice = [one for one in there if one in taken]
        faults += [
            Fault(case.id, None, f"slide {one} is another case's too, by {path.name}; keep one row")
            for one in twice
        ]
        taken |= {*there}
        mine = tuple(one for one in there if one not in twice)
        cases.append(replace(case, slides=mine))
    listed = {of_name.get(name) for name in named}
    faults += [
        Fault(one.where, None, f"is not in {path.name}; left out")
        for name, one in slides.items()
        if name not in listed
    ]
    return cases, [path]


def _overrides(path: Path, slides: Mapping[str, Found], notes: list[str]) -> dict[str, float]:
    """Slide id -> um per pixel by the table; that rows name no slide is noted."""
    stated = read_overrides(path)
    called = {name for one in slides.values() for name in one.names}
    strays = [name for name in stated if name not in called]
    if strays:
        notes.append(
            f"{path.name}: {len(strays)} of {len(stated)} rows name no slide that is here, the "
            f"first {one_line(strays[0])}"
        )
    return {
        key: stated[name]
        for key, one in slides.items()
        for name in sorted(one.names)
        if name in stated
    }


def _column(spec: SlidesCohort) -> str | None:
    return spec.label.column if spec.label else None


def _looked(
    spec: SlidesCohort,
    slides: Mapping[str, Found],
    overrides: Mapping[str, float],
    told: Sequence[Told],
    faults: list[Fault],
    *,
    jobs: int,
    progress: Progress | None,
) -> dict[str, Looked]:
    """Slide id -> what it holds; what cannot be used becomes a fault of its case."""
    asked = Asked(
        mpps={name: one.mpp for name, one in spec.modalities.items()},
        pixels=spec.pixels,
        tiles=spec.tiles,
        seed=spec.seed,
    )
    owner = {one: case.id for case in told for one in case.slides}
    found: dict[str, Looked] = {}
    reading = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")
    answers = reading(
        delayed(look)(one, asked, overrides.get(name)) for name, one in slides.items()
    )
    for done, (name, answer) in enumerate(zip(slides, answers, strict=True), start=1):
        if isinstance(answer, Looked):
            found[name] = answer
        else:
            faults.append(Fault(owner[name], None, answer))
        if progress:
            progress(done, len(slides))
    return found


def _row(spec: SlidesCohort, case: Told, looked: Mapping[str, Looked]) -> Row:
    mine = [looked[one] for one in case.slides if one in looked]
    sources = {
        name: tuple(source for one in mine for source in one.sources.get(name, ()))
        for name in spec.modalities
    }
    return Row(
        id=case.id,
        subject=case.subject,
        session=None,
        cells=case.cells,
        sources={name: items for name, items in sources.items() if items},
    )
