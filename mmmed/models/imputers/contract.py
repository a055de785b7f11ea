"""What every imputer is: modality sets with holes in, modality sets without holes out.

hole       a modality that a case of a batch does not show
complete   a case without holes, the only kind an imputer learns from
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mmmed.batch import Batch, Items
from mmmed.errors import LeakageError, PresenceError
from mmmed.models.contract import Phase


@dataclass(frozen=True, eq=False)
class Completed:
    """A batch without holes.

    Attributes:
        batch: every case shows every modality.
        imputed: (B, M) boolean, True where the item is a guess; on the CPU.
    """

    batch: Batch
    imputed: Tensor


class Imputer(nn.Module, ABC):
    """Fills holes, of images before the encoders or of features behind them.

    Attributes:
        modalities: the names it was built for, in the order of every batch it receives.
        needs_complete: whether it learns from complete cases; False where there is nothing to
            learn.
    """

    def __init__(self, modalities: tuple[str, ...], *, needs_complete: bool) -> None:
        super().__init__()
        self.modalities = modalities
        self.needs_complete = needs_complete

    @abstractmethod
    def guess(self, batch: Batch, modality: str, rows: Tensor) -> Tensor:
        """One item (h, ...) of a modality for each of these cases, none of which shows it."""

    @abstractmethod
    def error(self, guess: Tensor, truth: Tensor) -> Mapping[str, Tensor]:
        """Name of a figure -> (n,), how far guessed items lie from the true ones."""

    @abstractmethod
    def fit(self, batches: Iterable[Batch], subjects: Collection[str]) -> None:
        """Learn what takes no gradient from the complete cases among training batches.

        Args:
            batches: of the training part, as they are.
            subjects: everyone in the training part.

        Raises:
            LeakageError: a batch holds someone else.
        """

    def phases(self, steps: int) -> tuple[Phase, ...]:  # noqa: ARG002 most have none
        """What it trains by gradient before anything else; the first phase fits it."""
        return ()

    def close(self) -> None:
        """Training is over: forget what only training needs."""

    def complete(self, batch: Batch) -> Completed:
        """Put one item into every hole; what is there stays as it is, bit for bit.

        Raises:
            PresenceError: the batch may show a modality that the imputer never observed.
        """
        unknown = [name for name in batch.modalities if name not in self.modalities]
        if unknown:
            raise PresenceError(
                f"modality {unknown[0]!r} was never observed by the imputer "
                f"({', '.join(self.modalities)}); leave it out"
            )
        holes = ~batch.presence
        items = dict(batch.items)
        for column, name in enumerate(batch.modalities):
            rows = holes[:, column].nonzero().flatten()
            if len(rows):
                with torch.no_grad():
                    guessed = self.guess(batch, name, rows)
                items[name] = _inserted(items.get(name), guessed, rows)
        ordered = {name: items[name] for name in batch.modalities}
        return Completed(replace(batch, items=ordered), holes)


def complete_cases(batch: Batch) -> Batch | None:
    """The cases of a batch without holes; None where every case has one."""
    rows = batch.presence.all(dim=1).nonzero().flatten()
    return batch.select(rows) if len(rows) else None  # type: ignore[arg-type]  # int64 by nonzero


def lessons(batches: Iterable[Batch], subjects: Collection[str]) -> Iterator[Batch]:
    """The complete cases of training batches, batch by batch.

    Raises:
        LeakageError: a batch holds someone who is not of the training part.
    """
    for batch in batches:
        strangers = [one for one in batch.subject if one not in subjects]
        if strangers:
            raise LeakageError(
                f"subject {strangers[0]} is not of the training part; "
                "an imputer is fitted on training subjects alone"
            )
        chosen = complete_cases(batch)
        if chosen is not None:
            yield chosen


def hidden(batch: Batch, modality: str) -> Batch:
    """A batch of complete cases with one modality hidden."""
    kept = torch.ones(len(batch), len(batch.modalities), dtype=torch.bool)
    kept[:, batch.modalities.index(modality)] = False
    return batch.show(kept)


def _inserted(items: Items | None, guessed: Tensor, rows: Tensor) -> Items:
    """Items with one more for each of these cases, owners ascending."""
    rows = rows.to(guessed.device)
    if items is None:
        return Items(guessed, rows)  # type: ignore[arg-type]  # int64 by nonzero
    owner = torch.cat([items.owner, rows])
    order = owner.argsort(stable=True)
    data = torch.cat([items.data, guessed.to(items.data.dtype)])[order]
    return Items(data, owner[order])  # type: ignore[arg-type]  # int64 like its parts
