"""Phases behind frozen parts: what those parts make of each case is computed once, then drawn from.

copy   one augmentation of a case, or the case as it is; a step draws one copy of each of its cases
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from mmmed.batch import Batch, ModalitySet
from mmmed.training.loader import StepLoader
from mmmed.training.randomness import key


class CachedLoader:
    """Training batches of cached features, by step: a pure function of (seed, t).

    Args:
        loader: which cases a step holds, and the seed.
        copies: per copy, case -> its features as a modality set.
    """

    def __init__(self, loader: StepLoader, copies: Sequence[Mapping[str, ModalitySet]]) -> None:
        self._loader = loader
        self._copies = tuple(copies)

    def batch(self, t: int, *, rank: int = 0, ranks: int = 1) -> Batch:
        """The batch of step `t`, or one rank's share of it."""
        cases = self._loader.cases_at(t)[rank::ranks]
        return self._loader.pack([self._copies[self._copy(t, case)][case] for case in cases])

    def _copy(self, t: int, case: str) -> int:
        return key(self._loader.seed, "copy", t, case) % len(self._copies)


def fill(
    loader: StepLoader,
    transform: Callable[[Batch], Batch],
    *,
    copies: int | None,
    device: torch.device | str,
) -> CachedLoader:
    """Apply a phase's `cache` to `copies` augmentations of every training case.

    With None it is applied to every case once, as it is.
    """
    draws: list[str | None] = (
        [None] if copies is None else [f"copy {copy}" for copy in range(copies)]
    )
    return CachedLoader(loader, [_transformed(loader, transform, draw, device) for draw in draws])


def unpack(batch: Batch) -> list[ModalitySet]:
    """The cases of a batch, one modality set each: the inverse of `mmmed.batch.pack`."""
    label = [-1] * len(batch) if batch.label is None else batch.label.tolist()
    items: list[dict[str, tuple[torch.Tensor, ...]]] = [{} for _ in batch.case]
    for name, mine in batch.items.items():
        for row, item in zip(mine.owner.tolist(), mine.data, strict=True):
            items[row][name] = (*items[row].get(name, ()), item)
    return [
        ModalitySet(case=case, subject=subject, items=items[row], label=label[row])
        for row, (case, subject) in enumerate(zip(batch.case, batch.subject, strict=True))
    ]


def _transformed(
    loader: StepLoader,
    transform: Callable[[Batch], Batch],
    draw: str | None,
    device: torch.device | str,
) -> dict[str, ModalitySet]:
    found: dict[str, ModalitySet] = {}
    for start in range(0, len(loader.cases), loader.size):
        chosen = loader.cases[start : start + loader.size]
        batch = loader.pack([loader.load(case, draw=draw) for case in chosen])
        with torch.no_grad():
            features = transform(batch.to(device)).to("cpu")
        found.update((one.case, one) for one in unpack(features))
    return found
