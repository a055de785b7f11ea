"""A repetition at work: poison at hand, and an empty cache for every kind of it.

A cache of its own for each variant, so that nothing that was computed from the scans as they are,
and kept beside them, is found when they are poisoned.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mmmed.pipelines.verify_mask.bench import Bench, Shown, Training
from mmmed.pipelines.verify_mask.control import Standard
from mmmed.pipelines.verify_mask.findings import Fault
from mmmed.pipelines.verify_mask.poison import Item, Kitchen, Poisons, Variant
from mmmed.pipelines.verify_mask.repeat import Turn
from mmmed.pipelines.verify_mask.shelves import poisoned
from mmmed.record import cache
from mmmed.training.shelf import Shelf

Turns = Mapping[Variant, Mapping[str, Sequence[Turn]]]
"""Kind of poison -> fold -> the shelves that together score its views."""


@dataclass(frozen=True)
class Work:
    """What both halves of a repetition need.

    Attributes:
        bench: the run laid out anew.
        poisons: by variant.
        clean: item -> digest of its array as it is.
        standard: what results are compared with.
    """

    bench: Bench
    poisons: Mapping[Variant, Poisons]
    clean: Mapping[Item, str]
    standard: Standard

    def shelf(
        self, poisons: Poisons, hidden: Sequence[Item], *, variant: Variant, name: str
    ) -> tuple[Shelf | None, tuple[Fault, ...]]:
        """The cohort's items with these hidden ones poisoned, prepared in the variant's cache."""
        with own_cache(self.bench.kitchen.scratch / variant):
            found = poisoned(
                within(self.bench.kitchen, variant),
                self.bench.read,
                poisons,
                raw=self.bench.raw,
                hidden=hidden,
                clean=self.clean,
                name=name,
            )
        return found.shelf, found.faults


def within(kitchen: Kitchen, variant: Variant) -> Kitchen:
    """The kitchen with the cache of a variant."""
    return replace(kitchen, cache=kitchen.scratch / variant / "prepared")


def train_hidden(bench: Bench) -> dict[Training, set[Item]]:
    """Fold and training -> what the run says that its models were made without."""
    shelf = bench.stocked.shelf
    return {
        training: {
            (name, one.source)
            for case, name in pairs
            for one in shelf.items.get(case, {}).get(name, ())
        }
        for training, pairs in Shown.read(bench.recorded.run).hidden.items()
    }


@contextmanager
def own_cache(scratch: Path) -> Iterator[None]:
    """Nothing in the block, nor in processes it starts, finds what was prepared before."""
    before = os.environ.get(cache.VARIABLE)
    os.environ[cache.VARIABLE] = str(scratch)
    try:
        yield
    finally:
        if before is None:
            del os.environ[cache.VARIABLE]
        else:
            os.environ[cache.VARIABLE] = before
