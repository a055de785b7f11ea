"""Where imputers and methods that do not impute meet: the same cases, with and without a modality.

entrant   a method of the arena; `imputer` says what fills its holes, None where nothing does
complete  its forced predictions with all modalities: what the true scan is worth to it
without   its forced predictions with one modality less, which an imputer imputes
reference the entrant that does not impute which every other one is compared with: the one a study
          names, else the first
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mmmed.evaluation.study.cell import Cell, Place
from mmmed.modality import Pattern


@dataclass(frozen=True)
class Entrant:
    """One method of the arena.

    Attributes:
        method: its name.
        imputer: kind of the imputer; None where it does not impute.
    """

    method: str
    imputer: str | None


@dataclass(frozen=True)
class Contest:
    """One lost modality, in one cohort, under one train protocol.

    Attributes:
        lost: the modality.
        complete: method -> its cell with all modalities.
        without: method -> its cell without the lost one, in the order of the entrants.
    """

    lost: str
    complete: Mapping[str, Cell]
    without: Mapping[str, Cell]

    @property
    def place(self) -> Place:
        """Of the cells without the modality."""
        return next(iter(self.without.values())).place

    @property
    def whole(self) -> str:
        """The pattern of all modalities."""
        return next(iter(self.complete.values())).place.pattern

    def to_row(self) -> dict[str, str | None]:
        """The columns that tell the contest."""
        place = self.place
        return {"cohort": place.cohort or None, "train": place.train or None, "lost": self.lost}


def find_contests(
    cells: Sequence[Cell], entrants: Sequence[Entrant], *, lost: Collection[str] = ()
) -> list[Contest]:
    """The contests that forced predictions allow.

    Args:
        cells: of a study.
        entrants: in the order they are listed.
        lost: modalities that are asked about; all where there are none.
    """
    groups: dict[Place, dict[tuple[str, str], Cell]] = defaultdict(dict)
    for cell in cells:
        if cell.place.table == "forced":
            groups[replace(cell.place, pattern="")][cell.method, cell.place.pattern] = cell
    return [
        contest
        for found in groups.values()
        for contest in _contests(found, [one.method for one in entrants], lost)
    ]


def reference(entrants: Sequence[Entrant], *, against: str | None = None) -> str | None:
    """The entrant that the others are compared with; None where all impute."""
    plain = [one.method for one in entrants if one.imputer is None]
    if against in plain:
        return against
    return plain[0] if plain else None


def _contests(
    found: Mapping[tuple[str, str], Cell], methods: Sequence[str], lost: Collection[str]
) -> Iterator[Contest]:
    patterns = {pattern: Pattern.parse(pattern) for _, pattern in found}
    whole = max(patterns, key=lambda name: len(patterns[name]))
    for name in patterns[whole]:
        rest = patterns[whole] - Pattern.of([name]) if len(patterns[whole]) > 1 else None
        if rest is None or (lost and name not in lost):
            continue
        both = [one for one in methods if {(one, whole), (one, str(rest))} <= found.keys()]
        if both:
            yield Contest(
                name,
                {one: found[one, whole] for one in both},
                {one: found[one, str(rest)] for one in both},
            )
