"""From a cohort's files to the shelf: every item prepared once, what cannot be read named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmmed.cohorts.cohort import Cohort, require_modalities
from mmmed.errors import DataError
from mmmed.modality import Modality
from mmmed.record import digest
from mmmed.training.shelf import Shelf
from mmmed.transforms.chain import Chain
from mmmed.transforms.prepare import prepare
from mmmed.transforms.prepared import Prepared, Refused

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Stocked:
    """A cohort and its prepared items.

    Attributes:
        cohort: without what could not be read.
        shelf: the items of its cases.
        inputs: file that was read -> SHA-256.
    """

    cohort: Cohort
    shelf: Shelf
    inputs: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of every item, by case: the data of a job."""
        return digest.of_value(
            {
                case: {name: [item.digest for item in items] for name, items in mine.items()}
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
    cohort: Cohort, chains: Mapping[str, Chain], *, cache: Path, jobs: int, report: Report
) -> Stocked:
    """Prepare every item of a cohort that a study names.

    Each modality is prepared from its own files alone. A file that cannot be read costs its item,
    and a case its place only where nothing of it is left.

    Args:
        cohort: as read from names and tables.
        chains: modality -> how it is prepared.
        cache: where prepared items are kept.
        jobs: processes that prepare.
        report: called with (task, items done, items).

    Raises:
        DataError: a modality has no readable item, or its items differ in shape.
    """
    done: dict[str, dict[object, Prepared]] = {}
    refused: list[Refused] = []
    for name, chain in chains.items():
        sources = [one for case in cohort.cases for one in case.sources.get(name, ())]
        outcomes = prepare(
            sources,
            chain,
            kind=cohort.kinds[name],
            cache=cache,
            jobs=jobs,
            progress=lambda count, total, task=f"prepare {name}": report(task, count, total),
        )
        done[name] = {one.source: one for one in outcomes if isinstance(one, Prepared)}
        refused += [one for one in outcomes if isinstance(one, Refused)]
    kept = cohort.without([one.source for one in refused], [one.reason for one in refused])
    require_modalities(kept, chains)
    return Stocked(
        cohort=kept,
        shelf=_shelf(kept, done),
        inputs={
            str(one.source.path): one.digest for items in done.values() for one in items.values()
        },
    )


def _shelf(cohort: Cohort, done: Mapping[str, Mapping[object, Prepared]]) -> Shelf:
    names = [name for name in cohort.modalities if name in done]
    return Shelf(
        modalities=tuple(_modality(name, cohort, done[name]) for name in names),
        items={
            case.id: {
                name: tuple(done[name][source] for source in case.sources[name])
                for name in names
                if name in case.sources
            }
            for case in cohort.cases
        },
        label={case.id: case.label for case in cohort.cases},
        subject={case.id: case.subject for case in cohort.cases},
    )


def _modality(name: str, cohort: Cohort, items: Mapping[object, Prepared]) -> Modality:
    """The modality with the shape that its items share."""
    shapes: dict[tuple[int, ...], Prepared] = {}
    for item in items.values():
        shapes.setdefault(item.shape, item)
    if len(shapes) > 1:
        first, second = list(shapes.items())[:2]
        raise DataError(
            f"cohort {cohort.name}: {name}: {first[1].source.path} is {first[0]} and "
            f"{second[1].source.path} is {second[0]} after preparation; "
            "end the chain with a step that gives all one shape"
        )
    return Modality(name=name, kind=cohort.kinds[name], shape=next(iter(shapes)))
