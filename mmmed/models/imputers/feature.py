"""Imputation between the encoders and the head: a table of embeddings with holes is filled.

table    one row per case, the embeddings of all modalities side by side, NaN in its holes; a
         modality's several items are averaged
filler   what fills the holes of a table
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmmed.batch import Batch, segment_mean
from mmmed.models.imputers.contract import Imputer, lessons

Table = NDArray[np.float64]


class Filler(nn.Module, ABC):
    """Fills the holes of a table; before it is fitted it fills them with zeros.

    Attributes:
        learns: False where there is nothing to fit.
    """

    learns: bool = True

    @abstractmethod
    def fit(self, table: Table) -> None:
        """Learn from a table (N, F) without holes."""

    @abstractmethod
    def fill(self, table: Table) -> Table:
        """The table (n, F) with a guess in every hole."""


class FeatureImputer(Imputer):
    """Completes batches of embeddings.

    Args:
        widths: modality -> E, in the order of every batch.
        filler: what fills the table.
    """

    def __init__(self, widths: Mapping[str, int], filler: Filler) -> None:
        super().__init__(tuple(widths), needs_complete=filler.learns)
        self.widths = dict(widths)
        self.filler = filler

    def guess(self, batch: Batch, modality: str, rows: Tensor) -> Tensor:
        """(h, E) embeddings of a modality, from all else that these cases show."""
        filled = self.filler.fill(self._table(batch)[rows.numpy()])
        start = sum(self.widths[name] for name in self.modalities[: self._place(modality)])
        found = torch.from_numpy(filled[:, start : start + self.widths[modality]])
        return found.to(next(iter(batch.items.values())).data)

    def error(self, guess: Tensor, truth: Tensor) -> Mapping[str, Tensor]:
        """`mse`: the squared error of an embedding, averaged over its entries."""
        return {"mse": (guess - truth).square().mean(dim=1)}

    def fit(self, batches: Iterable[Batch], subjects: Collection[str]) -> None:
        """Fit the filler on the complete cases' embeddings."""
        tables = [self._table(batch) for batch in lessons(batches, subjects)]
        if tables and self.filler.learns:
            self.filler.fit(np.concatenate(tables))

    def _table(self, batch: Batch) -> Table:
        presence = batch.presence
        blocks = []
        for column, (name, width) in enumerate(self.widths.items()):
            block = torch.full((len(batch), width), torch.nan, dtype=torch.float64)
            if name in batch.items:
                items = batch.items[name]
                means = segment_mean(items.data, items.owner, len(batch)).double().cpu()
                shown = presence[:, column]
                block[shown] = means[shown]
            blocks.append(block)
        return np.asarray(torch.cat(blocks, dim=1).detach().numpy())

    def _place(self, modality: str) -> int:
        return self.modalities.index(modality)
