"""Fillers that answer the same for every case: zero, or the mean of the complete cases."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.impute import SimpleImputer
from torch import Tensor

from mmmed.models.imputers.feature import Filler, Table


class ZeroFiller(Filler):
    """Zero in every hole."""

    learns = False

    def fit(self, table: Table) -> None:
        """Nothing to learn."""

    def fill(self, table: Table) -> Table:
        """(n, F) with zeros for NaN."""
        return np.nan_to_num(table, nan=0.0)


class MeanFiller(Filler):
    """The mean of each column, by scikit-learn's `SimpleImputer`.

    Args:
        width: F.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(width, dtype=torch.float64))

    def fit(self, table: Table) -> None:
        """Learn the means."""
        self.mean.copy_(torch.from_numpy(SimpleImputer(strategy="mean").fit(table).statistics_))

    def fill(self, table: Table) -> Table:
        """(n, F) with the column's mean for NaN."""
        return np.asarray(np.where(np.isnan(table), self.mean.cpu().numpy(), table))
