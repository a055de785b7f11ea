"""Batches for training and for looking: what a case shows, and nothing else, leaves the shelf.

StepLoader   the training batch of step t, a pure function of (seed, t)
Views        cases under given patterns, as they are, in a fixed order
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from mmmed.batch import Batch, ModalitySet, pack
from mmmed.modality import Pattern
from mmmed.models.contract import Quota
from mmmed.training.randomness import key
from mmmed.training.shelf import Shelf
from mmmed.transforms.augment import augment
from mmmed.transforms.chain import Chain


class StepLoader:
    """Training batches by step.

    The cases are permuted anew in every epoch and cut into whole batches; the remainder of an
    epoch is left out (a different one each time). Iterating continues at `step`.

    Under a quota, a batch with too few wanted cases takes the rest from the wanted ones that it
    lacks, in place of others; both are drawn by lot, keyed by the step. So wanted cases are met
    equally often, and so are the others, though less often than in an epoch.

    Args:
        shelf: prepared items.
        cases: the training part, in any order.
        shown: case -> what it shows; files of other modalities are never opened.
        batch: cases per step; all cases where there are fewer.
        seed: of order and augmentation.
        chains: modality -> its chain; only the random part is applied here.
        quota: what every batch must hold; a batch that holds it anyway is as it is without.
    """

    def __init__(
        self,
        shelf: Shelf,
        cases: Sequence[str],
        shown: Mapping[str, Pattern],
        *,
        batch: int,
        seed: int,
        chains: Mapping[str, Chain],
        quota: Quota | None = None,
    ) -> None:
        self.shelf = shelf
        self.cases = tuple(sorted(cases))
        self.shown = {case: shown[case] for case in self.cases}
        self.size = min(batch, len(self.cases))
        self.seed = seed
        self.chains = dict(chains)
        self.quota = quota
        self.wanted = frozenset(
            case
            for case, pattern in self.shown.items()
            if quota is not None and quota.wanted(pattern)
        )
        self.step = 0

    def under(self, quota: Quota | None) -> StepLoader:
        """A loader of the same cases, order and augmentation, whose batches meet the quota."""
        return StepLoader(
            self.shelf,
            self.cases,
            self.shown,
            batch=self.size,
            seed=self.seed,
            chains=self.chains,
            quota=quota,
        )

    @property
    def subjects(self) -> frozenset[str]:
        """Everyone in the training part."""
        return frozenset(self.shelf.subject[case] for case in self.cases)

    def batch(self, t: int, *, rank: int = 0, ranks: int = 1) -> Batch:
        """The batch of step `t`, or the share of it that one of several ranks works on."""
        cases = self.cases_at(t)[rank::ranks]
        batch = self.pack([self.load(case, draw=t) for case in cases])
        ahead = self.cases_at(t + 1)[rank::ranks]
        self.shelf.read_ahead({case: self.shown[case] for case in ahead})
        return batch

    def cases_at(self, t: int) -> tuple[str, ...]:
        """The cases of step `t`."""
        epoch, place = divmod(t, len(self.cases) // self.size)
        order = _permutation(key(self.seed, "order", epoch), len(self.cases))
        places = order[place * self.size : (place + 1) * self.size]
        chosen = tuple(self.cases[index] for index in places)
        return chosen if self.quota is None else self._met(chosen, self.quota, t)

    def _met(self, chosen: tuple[str, ...], quota: Quota, t: int) -> tuple[str, ...]:
        """These cases, some of them exchanged for wanted ones where those are too few."""
        least = min(quota.cases, len(self.wanted), self.size)
        lacking = least - len(self.wanted.intersection(chosen))
        if lacking <= 0:
            return chosen
        random = np.random.default_rng(key(self.seed, "quota", t))
        leaving = [place for place, case in enumerate(chosen) if case not in self.wanted]
        spare = sorted(self.wanted.difference(chosen))
        found = list(chosen)
        left = random.choice(leaving, lacking, replace=False)
        for place, case in zip(left, random.choice(spare, lacking, replace=False), strict=True):
            found[place] = str(case)
        return tuple(found)

    def load(self, case: str, *, draw: int | str | None) -> ModalitySet:
        """What a case shows; augmented, keyed by `draw` and the item, unless that is None."""
        loaded = self.shelf.set(case, self.shown[case])
        if draw is None:
            return loaded
        items = {
            name: tuple(
                augment(
                    item,
                    self.chains[name].augment,
                    seed=key(self.seed, "augment", draw, case, name, index),
                    colours=self.chains[name].colours,
                )
                for index, item in enumerate(mine)
            )
            for name, mine in loaded.items.items()
        }
        return ModalitySet(case=case, subject=loaded.subject, items=items, label=loaded.label)

    def pack(self, sets: Sequence[ModalitySet]) -> Batch:
        """Modality sets as a batch of this loader's modalities."""
        return pack(sets, modalities=self.shelf.names)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        batch = self.batch(self.step)
        self.step += 1
        return batch

    def state_dict(self) -> dict[str, int]:
        """Where iteration stands."""
        return {"seed": self.seed, "step": self.step}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Continue where another loader stood.

        Raises:
            ValueError: the other loader had another seed.
        """
        if state["seed"] != self.seed:
            raise ValueError(f"the state is of seed {state['seed']}, the loader of {self.seed}")
        self.step = state["step"]


class Views:
    """Cases under given patterns, as they are, in batches, as often as asked.

    Args:
        shelf: prepared items.
        shown: case -> the pattern it is seen under; the order of its keys is kept.
        batch: cases per batch.
    """

    def __init__(self, shelf: Shelf, shown: Mapping[str, Pattern], *, batch: int) -> None:
        self.shelf = shelf
        self.shown = dict(shown)
        self.size = batch

    def __len__(self) -> int:
        return len(self.shown)

    def sets(self) -> Iterator[ModalitySet]:
        """The cases one by one."""
        for case, pattern in self.shown.items():
            yield self.shelf.set(case, pattern)

    def __iter__(self) -> Iterator[Batch]:
        cases = list(self.shown)
        for start in range(0, len(cases), self.size):
            chosen = cases[start : start + self.size]
            sets = [self.shelf.set(case, self.shown[case]) for case in chosen]
            yield pack(sets, modalities=self.shelf.names)


def forced(shelf: Shelf, shown: Mapping[str, Pattern], pattern: Pattern, *, batch: int) -> Views:
    """The cases that show `pattern`, with everything else hidden."""
    chosen = {case: pattern for case, mine in shown.items() if pattern <= mine}
    return Views(shelf, chosen, batch=batch)


@lru_cache(maxsize=4)
def _permutation(seed: int, size: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng(seed).permutation(size).tolist())
