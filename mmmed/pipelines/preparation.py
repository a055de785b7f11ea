"""From a cohort's files to the shelf: every item prepared once, what cannot be read named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mmmed.cohorts.cohort import Cohort, require_modalities
from mmmed.errors import DataError
from mmmed.modality import Modality
from mmmed.progress import Listener
from mmmed.readers.sidecar import sidecar_path
from mmmed.readers.source import Source
from mmmed.record import digest
from mmmed.training.shelf import Shelf, stocked
from mmmed.transforms.chain import Chain
from mmmed.transforms.gallery import Scan, scans
from mmmed.transforms.prepare import prepare
from mmmed.transforms.prepared import Prepared, Refused, refusals


@dataclass(frozen=True)
class Stocked:
    """A cohort and its prepared items.

    Attributes:
        cohort: without what could not be read.
        shelf: the items of its cases.
        inputs: file that was read -> SHA-256.
        scans: what can be shown of each volume whose chain registers, refused ones too.
    """

    cohort: Cohort
    shelf: Shelf
    inputs: Mapping[str, str]
    scans: tuple[Scan, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over what every item was made from and how, by case: the data of a job."""
        return digest.of_value(
            {
                case: {name: [item.identity for item in items] for name, items in mine.items()}
                for case, mine in self.shelf.items.items()
            }
        )

    def records(self) -> dict[str, dict[str, int]]:
        """Modality -> what preparation did -> to how many items."""
        found: dict[str, dict[str, int]] = {name: {} for name in self.shelf.names}
        for mine in self.shelf.items.values():
            for name, items in mine.items():
                for item in items:
                    text = "; ".join(item.record) or "nothing"
                    found[name][text] = found[name].get(text, 0) + 1
        return found


def stock(
    cohort: Cohort, chains: Mapping[str, Chain], *, cache: Path, jobs: int, report: Listener
) -> Stocked:
    """Prepare every item of a cohort that a study names.

    Each modality is prepared from its own files alone, unless its chain goes `through` another;
    then a case that hides the other shows what was made without it. A file that cannot be read
    costs its item, and a case its place only where nothing of it is left.

    Args:
        cohort: as read from names and tables.
        chains: modality -> how it is prepared.
        cache: where prepared items are kept.
        jobs: processes that prepare.
        report: called with (task, items done, items).

    Raises:
        DataError: a modality has no readable item, or its items differ in shape.
    """
    outcomes: dict[tuple[str, Source], Prepared | Refused] = {}
    for name, chain in chains.items():
        sources = [one for case in cohort.cases for one in case.sources.get(name, ())]
        found = prepare(
            sources,
            chain,
            kind=cohort.kinds[name],
            cache=cache,
            jobs=jobs,
            guides=cohort.beside(name, chain.through),
            progress=partial(report, f"prepare {name}"),
        )
        outcomes |= {(name, one.source): one for one in found}
    kept = cohort.without(refusals(outcomes))
    require_modalities(kept, chains)
    ready = {key: one for key, one in outcomes.items() if isinstance(one, Prepared)}
    shapes = [_modality(name, kept, _of(name, ready)) for name in kept.modalities if name in chains]
    return Stocked(
        cohort=kept,
        shelf=stocked(kept, tuple(shapes), ready),
        inputs=_inputs(kept, ready),
        scans=scans(cohort.items(), chains, outcomes),
    )


def _of(name: str, ready: Mapping[tuple[str, Source], Prepared]) -> list[Prepared]:
    """The items of one modality."""
    return [one for (modality, _), one in ready.items() if modality == name]


def _inputs(cohort: Cohort, ready: Mapping[tuple[str, Source], Prepared]) -> dict[str, str]:
    """File -> SHA-256: tables, volumes with their sidecars, images.

    The digest of a vector is its row's, so its table is read for it. A file of DICOM stands under
    its digest alone: its name and folders may be a patient's.
    """
    files: dict[str, str] = {}
    others = set(cohort.tables)
    series: set[tuple[Path, ...]] = set()
    for (name, source), one in ready.items():
        if cohort.kinds[name] == "vector":
            others.add(source.path)
        elif source.files:
            series.add(source.files)
        else:
            files[str(source.path)] = one.digest
            sidecar = sidecar_path(source.path)
            if cohort.kinds[name] == "volume" and sidecar.is_file():
                others.add(sidecar)
    known = [digest.of_file(path) for one in sorted(series) for path in one]
    files |= {f"DICOM {one[:32]}": one for one in known}
    return {**{str(path): digest.of_file(path) for path in sorted(others)}, **files}


def _modality(name: str, cohort: Cohort, items: Sequence[Prepared]) -> Modality:
    """The modality with the shape that its items share."""
    shapes = Counter(item.shape for item in items).most_common()
    shape, number = shapes[0]
    if len(shapes) > 1:
        odd = next(item for item in items if item.shape == shapes[-1][0])
        advice = "end the chain with a step that gives all one shape"
        if cohort.kinds[name] == "image" and odd.shape[0] != shape[0]:
            advice = "begin the chain with `colour`"
        raise DataError(
            f"cohort {cohort.name}: {name}: {odd.source.path} is {odd.shape} after preparation, "
            f"{number} of {len(items)} items are {shape}; {advice}"
        )
    return Modality(name=name, kind=cohort.kinds[name], shape=shape)
