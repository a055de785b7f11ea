"""Cohorts of BreakHis: the official tree, or any folder of files with true names.

case      one slide: its images, any number at each magnification
subject   the patient: year and number of the excision, so that blocks and subtypes of one number
          stay together
modality  `x40`, `x100`, `x200`, `x400`; each image is an item of its own
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from mmmed.cohorts.assembly import Columns, ModalityName, Row, assemble
from mmmed.cohorts.cohort import Cohort, Fault
from mmmed.cohorts.label import Label
from mmmed.cohorts.root import named_folder
from mmmed.cohorts.walk import files_below
from mmmed.config import Spec
from mmmed.errors import DataError, NothingReadable
from mmmed.modality import ItemKind
from mmmed.readers.breakhis import BreakHisName, parse
from mmmed.readers.source import Source
from mmmed.readers.vectors import MISSING, read_table

SUBTYPE = "subtype"
"""Column of what an image shows, such as DC: recorded with each case, and stratified by."""

SLIDE = "slide"
"""Column of a table's slides."""

_Found = dict[BreakHisName, list[Path]]


class Magnification(Spec):
    """A modality: the images of one magnification.

    Attributes:
        magnification: of the objective's image, as in the names.
    """

    kind: Literal["image"] = "image"
    magnification: Literal[40, 100, 200, 400]


class BreakHisCohort(Spec):
    """A folder of images of BreakHis.

    Attributes:
        root: the folder; a study or a command names it.
        modalities: name -> magnification.
        label: `diagnosis` (benign or malignant) or `subtype`; None reads every case unlabelled.
        positive: the positive class; the second of two where it is not named.
        table: CSV or TSV below the root with a row per slide (`slide`, such as PT-14-21998AB, and
            further columns); a label in it that contradicts the names is a fault. None without one;
            where no label is asked for, it may be absent.
    """

    kind: Literal["breakhis"]
    root: Path | None = None
    modalities: Annotated[dict[ModalityName, Magnification], Field(min_length=1)]
    label: Label | None = None
    positive: str | None = None
    table: Path | None = None


def read_breakhis(spec: BreakHisCohort, name: str) -> Cohort:
    """The cohort in a folder; images are found by name, none is opened.

    Raises:
        StudyError: the spec names no root.
        NothingReadable: there is no such folder, or no image of BreakHis in it.
        DataError: the table is missing or broken, or a class is empty.
    """
    root = named_folder(spec.root, cohort=name, holds="BreakHis images")
    faults: list[Fault] = []
    found = _found(root, faults)
    if not found:
        raise NothingReadable(
            f"{root}: holds no image named as in BreakHis (SOB_B_F-14-25197-40-001.png)"
        )
    files = _tables(spec, root)
    known = {slide: cells for path in files for slide, cells in _known(path, faults).items()}
    kinds: dict[str, ItemKind] = dict.fromkeys(spec.modalities, "image")
    return assemble(
        _rows(found, spec, known, faults),
        name=name,
        kinds=kinds,
        label=spec.label,
        positive=spec.positive,
        columns=Columns(
            site="site",
            part="part",
            covariates=(),
            reserved=(SLIDE, *([spec.label.column] if spec.label else [])),
        ),
        faults=faults,
        tables=files,
    )


def _found(root: Path, faults: list[Fault]) -> _Found:
    """Every image by what its name says; two files of one name are refused both."""
    found: _Found = {}
    for path in files_below(root, faults):
        try:
            said = parse(path.name)
        except DataError as error:
            faults.append(Fault(path.name, None, f"{error}; left out"))
            continue
        if said is not None:
            found.setdefault(said, []).append(path)
    for said, paths in found.items():
        if len(paths) > 1:
            names = " and ".join(str(path.relative_to(root)) for path in paths)
            faults.append(
                Fault(said.slide, f"x{said.magnification}", f"two files for one image: {names}")
            )
    return {said: paths for said, paths in found.items() if len(paths) == 1}


def _tables(spec: BreakHisCohort, root: Path) -> list[Path]:
    """The table, where there is one or a label asks for it."""
    if spec.table is None or not (spec.label or (root / spec.table).exists()):
        return []
    return [root / spec.table]


def _known(path: Path, faults: list[Fault]) -> dict[str, dict[str, str]]:
    """Slide -> cells; of a slide in several rows nothing is known.

    Raises:
        DataError: it cannot be read, or has no column `slide`.
    """
    table = read_table(path)
    if SLIDE not in table.columns:
        raise DataError(f"{path}: the column {SLIDE!r} is missing; mend the table")
    rows: dict[str, list[dict[str, str]]] = {}
    for row in table.to_dict("records"):
        cells = {str(key): str(cell) for key, cell in row.items() if cell not in MISSING}
        rows.setdefault(cells.get(SLIDE, ""), []).append(cells)
    for slide, of_slide in rows.items():
        if slide and len(of_slide) > 1:
            reason = f"stands in {len(of_slide)} rows of {path.name}; keep one"
            faults.append(Fault(slide, None, reason))
    return {slide: of_slide[0] for slide, of_slide in rows.items() if len(of_slide) == 1}


def _rows(
    found: _Found, spec: BreakHisCohort, known: dict[str, dict[str, str]], faults: list[Fault]
) -> Iterator[Row]:
    """A row per slide; one whose name and table contradict each other is left out."""
    slides: dict[str, list[BreakHisName]] = {}
    for said in sorted(found):
        slides.setdefault(said.slide, []).append(said)
    for slide, images in slides.items():
        named = {"diagnosis": images[0].diagnosis, SUBTYPE: images[0].subtype}
        told = known.get(slide, {})
        other = next((key for key in named if told.get(key, named[key]) != named[key]), None)
        if other is not None:
            reason = f"its {other} is {told[other]} in {spec.table}, {named[other]} in its names"
            faults.append(Fault(slide, None, f"{reason}; left out"))
            continue
        faults += _unasked(slide, images, spec)
        yield Row(
            id=slide,
            subject=images[0].patient,
            session=None,
            cells={**told, **named},
            sources={
                modality: items
                for modality, one in spec.modalities.items()
                if (items := _items(found, images, one.magnification))
            },
        )


def _unasked(slide: str, images: list[BreakHisName], spec: BreakHisCohort) -> Iterator[Fault]:
    """A fault for each magnification of a slide that is no modality of the cohort."""
    asked = {one.magnification for one in spec.modalities.values()}
    others = Counter(one.magnification for one in images if one.magnification not in asked)
    for magnification, count in sorted(others.items()):
        reason = f"{count} image(s) at a magnification that is not asked for; asked for are "
        yield Fault(slide, f"x{magnification}", f"{reason}{', '.join(spec.modalities)}; left out")


def _items(found: _Found, images: list[BreakHisName], magnification: int) -> tuple[Source, ...]:
    return tuple(Source(found[one][0]) for one in images if one.magnification == magnification)
