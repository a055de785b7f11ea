"""Every fault of a folder of data at once; `check_study` has those of a study.

A check goes on behind each fault: labels that fit no class do not keep it from the images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mmmed.cohorts import choice_table, dicom, ledger
from mmmed.cohorts.bids import BidsCohort, BidsVolumes
from mmmed.cohorts.cohort import Cohort
from mmmed.cohorts.dicom_cohort import DICOM, DicomCohort
from mmmed.cohorts.dicom_folder import Looked, look, source_of
from mmmed.cohorts.layout import Layout, layout, may_be_dicom
from mmmed.cohorts.ledger import Depth
from mmmed.cohorts.people import PEOPLE
from mmmed.cohorts.reading import CohortSpec, unlabelled
from mmmed.cohorts.slide_folder import holds_slides
from mmmed.cohorts.slides import SLIDES, SlidesCohort
from mmmed.cohorts.splits import check_leakage, stated
from mmmed.cohorts.tree import Tree
from mmmed.cohorts.trial import chosen, tried
from mmmed.errors import Collecting, DataError, NothingReadable
from mmmed.pipelines import availability, dicom_ledger
from mmmed.pipelines.materialise import choose, read_folder
from mmmed.pipelines.study import CohortChoice
from mmmed.progress import Listener, Silent
from mmmed.readers.dicom.single import refusal
from mmmed.readers.entities import VOLUME_ENDINGS
from mmmed.readers.vectors import read_table

USUAL: Mapping[Layout, tuple[str, str]] = {
    "BIDS": ("bids-ad", "bids-scans"),
    "CAPS": ("caps-ad", "caps-scans"),
}
"""How a folder is read: with the first one's label where it has it, else as the second."""


UNREAD = (
    "of volumes only headers were read: what is truncated, NaN, or one image under two subjects is "
    "found without --headers-only"
)
UNTRIED = (
    "of chosen series only headers were read: one that cannot be decoded, or makes no volume, is "
    "found without --headers-only"
)


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes:
        sentences: what is there.
        faults: one line each.
        nothing: no case is left that could be read.
    """

    sentences: tuple[str, ...]
    faults: tuple[str, ...]
    nothing: bool = False


def check_data(
    folder: Path,
    *,
    cohort: str | None,
    start: Path | None,
    jobs: int,
    listener: Listener | None = None,
    out: Path | None = None,
    depth: Depth = "voxels",
) -> Checked:
    """Read a folder of data to the last voxel and pixel, or of volumes the headers alone.

    Args:
        folder: of the data.
        cohort: how it is read; None chooses among the shipped ways to read BIDS.
        start: where the search for a workspace begins.
        jobs: threads that read.
        listener: hears of the tasks `reading`, or of DICOM `index` and `choice`.
        out: where the ledger is written; None writes none.
        depth: how far volumes are read; of DICOM those of the chosen series.

    Raises:
        StudyError: the cohort cannot be used so.
        NothingReadable: there is no case.
    """
    tell = listener or Silent()
    name = cohort or _way(folder, start)
    spec = choose(CohortChoice(name=name, root=folder), start=start).reading
    if isinstance(spec, DicomCohort):
        return _check_dicom(folder, spec, name, depth=depth, jobs=jobs, tell=tell, out=out)
    if isinstance(spec, SlidesCohort) and cohort is None and not (folder / spec.table).exists():
        spec = unlabelled(spec)
    faults: list[str] = []
    found = ledger.look(
        _read(spec, Path(name).stem, faults, jobs=jobs, tell=tell),
        depth=depth,
        jobs=jobs,
        progress=lambda done, total: tell("reading", done, total),
    )
    with Collecting(faults):
        own = stated(found)
        if own is not None:
            check_leakage(own, found.subjects())
    effects = availability.effects(found)
    if out is not None:
        availability.write(found, effects, out, root=folder)
    said = f"{', '.join(spec.modalities)}; {_label(found)}"
    return Checked(
        sentences=(
            f"{folder}: read as {_file(name)} says ({said}); --cohort names another way",
            *ledger.sentences(found),
            *found.notes,
            *availability.told(effects),
            *([UNREAD] if depth == "headers" else []),
            *_unmatched(spec, found),
        ),
        faults=(*faults, *(str(fault) for fault in found.faults)),
        nothing=not found.cases,
    )


def _check_dicom(
    folder: Path,
    rules: DicomCohort,
    name: str,
    *,
    depth: Depth,
    jobs: int,
    tell: Listener,
    out: Path | None,
) -> Checked:
    """The series of a folder by their headers, the choice, and the cases that it makes.

    Of a PET that is read any linear unit will do: what a chain asks for is not known here.

    Raises:
        NothingReadable: there is no DICOM file.
    """
    looked = look(folder, rules, jobs=jobs, listener=tell)
    index = looked.index
    if not index.series and all(one.sop_class == "" for one in index.aside):
        layout(folder)
    if depth == "voxels":
        trial = partial(refusal, frozenset(rules.modalities))
        looked = tried(looked, trial, among=chosen, jobs=jobs, tell=tell)
    faults = [*dicom_ledger.faults(index), *looked.unread.values()]
    cohort = _without_refused(_of_dicom(looked, Path(name).stem, faults), looked)
    effects = availability.effects(cohort)
    known = set(dicom.found_faults(looked))
    if out is not None:
        choice_table.write(looked, out / choice_table.NAME)
        availability.write(cohort, effects, out, root=folder)
    return Checked(
        sentences=(
            f"{folder}: read as {_file(name)} says, DICOM"
            + (", headers only" if depth == "headers" else ""),
            *dicom_ledger.sentences(index),
            choice_table.sentence(looked),
            *(ledger.sentences(cohort) if cohort.cases else ()),
            *availability.told(effects),
            *([UNTRIED] if depth == "headers" else []),
        ),
        faults=(*faults, *(str(one) for one in cohort.faults if one not in known)),
        nothing=not index.series,
    )


def _without_refused(cohort: Cohort, looked: Looked) -> Cohort:
    """The cohort without chosen series that cannot be read and have no second."""
    sources = {(one.study, one.uid): source_of(one) for one in looked.index.series}
    refused = {sources[study, uid]: why for (study, uid, _), why in looked.refused.items()}
    return cohort.without(cohort.unreadable(refused))


def _of_dicom(looked: Looked, name: str, faults: list[str]) -> Cohort:
    """The cases of a folder of DICOM; those without labels where theirs are refused, or none."""
    with Collecting(faults):
        if looked.rules.label is not None:
            return dicom.cohort(looked, name)
    bare = replace(looked, rules=looked.rules.model_copy(update={"label": None, "positive": None}))
    try:
        return dicom.cohort(bare, name)
    except NothingReadable:
        kinds = {key: one.kind for key, one in looked.rules.modalities.items()}
        return Cohort(name, (), None, kinds, (), asides=looked.asides)


def _file(name: str) -> str:
    """A cohort's file, named by its path or by its name in `cohorts/`."""
    return name if Path(name).suffix else f"cohorts/{name}.yaml"


def _way(folder: Path, start: Path | None) -> str:
    """The shipped way to read a folder, by what lies in it."""
    if not may_be_dicom(folder):
        return _usual(folder, start)
    return SLIDES if holds_slides(folder) else DICOM


def _usual(folder: Path, start: Path | None) -> str:
    labelled, scans = USUAL[layout(folder)]
    spec = choose(CohortChoice(name=labelled, root=folder), start=start).reading
    if not isinstance(spec, Tree) or spec.label is None:
        return scans
    mapped = [folder / table.file for table in spec.tables]
    people = [folder / PEOPLE, *mapped]
    below = [
        *folder.glob("sub-*/sub-*_sessions.tsv"),
        *folder.glob("subjects/sub-*/*_sessions.tsv"),
    ]
    known = any(spec.label.column in _columns(path) for path in [*people, *sorted(below)])
    return labelled if known and any(path.exists() for path in people) else scans


def _columns(path: Path) -> list[str]:
    try:
        return list(read_table(path).columns)
    except DataError:
        return []


def _read(spec: CohortSpec, name: str, faults: list[str], *, jobs: int, tell: Listener) -> Cohort:
    """The cohort; where it is refused as it is described, the same without labels."""
    with Collecting(faults):
        return read_folder(spec, name, jobs=jobs, listener=tell)
    return read_folder(unlabelled(spec), name, jobs=jobs, listener=tell)


def _label(cohort: Cohort) -> str:
    return f"classes {', '.join(cohort.classes)}" if cohort.classes else "no labels"


def _unmatched(spec: CohortSpec, cohort: Cohort) -> Iterator[str]:
    """For a modality that nobody owns: an image of its datatype that its description leaves out."""
    if not isinstance(spec, BidsCohort) or spec.root is None:
        return
    owned = cohort.owned().any()
    faulty = {fault.modality for fault in cohort.faults}
    for name, one in spec.modalities.items():
        if owned[name] or name in faulty or not isinstance(one, BidsVolumes):
            continue
        others = sorted(spec.root.glob(f"sub-*/**/{one.datatype}/*"))
        first = next((path for path in others if path.name.endswith(VOLUME_ENDINGS)), None)
        if first is not None:
            yield (
                f"{name}: there are images in {one.datatype}/, such as {first.name}, but none as "
                f"the cohort describes {name}"
            )
