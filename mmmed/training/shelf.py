"""The prepared items of a study's cases, opened only when a case shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmmed.batch import ModalitySet
from mmmed.cohorts.cohort import Cohort
from mmmed.errors import PresenceError
from mmmed.modality import Modality, Pattern
from mmmed.readers.source import Source
from mmmed.transforms.prepare import load
from mmmed.transforms.prepared import Prepared
from mmmed.transforms.tiles import load_tiles, read_ahead


@dataclass(frozen=True)
class Shelf:
    """Where the items of each case lie.

    Attributes:
        modalities: what models are built for, in their order.
        items: case -> modality -> its prepared items; no key for what a case does not own.
        label: case -> class index, or `UNLABELLED`.
        subject: case -> subject.
    """

    modalities: tuple[Modality, ...]
    items: Mapping[str, Mapping[str, tuple[Prepared, ...]]]
    label: Mapping[str, int]
    subject: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The modalities' names, in their order."""
        return tuple(modality.name for modality in self.modalities)

    def owned(self, case: str) -> Pattern:
        """What a case owns."""
        return Pattern.of(name for name, mine in self.items[case].items() if mine)

    def derivations(self) -> list[dict[str, Any]]:
        """How the values of each PET came about, where that is known: case, modality, record."""
        return [
            {
                "case_id": case,
                "modality": name,
                "source": item.source.shown,
                "digest": item.digest,
                "derivation": dict(item.derivation),
            }
            for case, mine in self.items.items()
            for name, items in mine.items()
            for item in items
            if item.derivation is not None
        ]

    def set(self, case: str, pattern: Pattern) -> ModalitySet:
        """A case under a pattern; no file of another modality is opened, nor had it a part.

        Raises:
            PresenceError: the case does not own the pattern.
        """
        mine = self.items[case]
        lacking = [name for name in pattern if not mine.get(name)]
        if lacking:
            raise PresenceError(f"{case}: shows {pattern} but owns no {lacking[0]}")
        return ModalitySet(
            case=case,
            subject=self.subject[case],
            items={
                name: tuple(_open([item.among(pattern) for item in mine[name]])) for name in pattern
            },
            label=self.label[case],
        )

    def read_ahead(self, shown: Mapping[str, Pattern]) -> None:
        """Begin to read what `set` will be asked for: of these cases, what lies in slides."""
        wanted = (
            item
            for case, pattern in shown.items()
            for name in pattern
            for item in self.items[case].get(name, ())
        )
        read_ahead(item for item in wanted if item.lazy is not None)


def stocked(
    cohort: Cohort,
    modalities: tuple[Modality, ...],
    prepared: Mapping[tuple[str, Source], Prepared],
) -> Shelf:
    """The shelf of a cohort whose every item of these modalities is prepared."""
    names = [modality.name for modality in modalities]
    return Shelf(
        modalities=modalities,
        items={
            case.id: {
                name: tuple(prepared[name, source] for source in case.sources[name])
                for name in names
                if name in case.sources
            }
            for case in cohort.cases
        },
        label={case.id: case.label for case in cohort.cases},
        subject={case.id: case.subject for case in cohort.cases},
    )


def _open(items: Sequence[Prepared]) -> Iterator[Tensor]:
    """Items of one modality; what lies in the cache is mapped copy-on-write: no file changes."""
    lazy = load_tiles(items)
    yield from map(torch.from_numpy, lazy or map(load, items))
